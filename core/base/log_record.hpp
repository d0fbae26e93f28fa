#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>
#include <equinox/log_level.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace equinox {

/// What part of the server speaks; a label of equinox_log_messages_total.
enum class LogComponent : std::uint8_t {
  server,
  reactor,
  listener,
  connection,
  tls,
  http,
  handler,
  config,
  admin,
  access
};
inline constexpr std::size_t kLogComponents = 10;

std::string_view to_string(LogLevel level) noexcept;  ///< "debug", "info", "warning", "error", "off"
std::string_view to_string(LogComponent component) noexcept;
/// What to_string(LogLevel) writes, also "warn".
std::optional<LogLevel> parse_log_level(std::string_view text) noexcept;

/// One line to be: a message and key=value fields in at most 1 KiB, built on the stack and copied into a ring. What
/// does not fit is cut; the record says so. Values may hold any byte: they are escaped when formatted.
class LogRecord {
 public:
  static constexpr std::size_t kMaxBytes = 960;
  enum class Kind : std::uint8_t { text, integer, unsigned_integer, real, boolean };

  LogRecord(LogLevel level, LogComponent component, std::string_view message,
            std::chrono::system_clock::time_point at = std::chrono::system_clock::now()) noexcept;

  /// Keys are literals of [a-z0-9_], at most 64 bytes. Chainable.
  LogRecord& add(std::string_view key, std::string_view value) noexcept;
  LogRecord& add(std::string_view key, const char* value) noexcept { return add(key, std::string_view{value}); }
  LogRecord& add(std::string_view key, bool value) noexcept;
  LogRecord& add(std::string_view key, double value) noexcept;
  template <std::integral N>
  LogRecord& add(std::string_view key, N value) noexcept {
    if constexpr (std::signed_integral<N>) return add_number(key, Kind::integer, static_cast<std::uint64_t>(value));
    return add_number(key, Kind::unsigned_integer, static_cast<std::uint64_t>(value));
  }

  /// Which connection of the server it is about. Told apart from the fields: a layout may leave the id out.
  LogRecord& about(ConnectionId connection) noexcept {
    connection_ = connection;
    return *this;
  }

  [[nodiscard]] ConnectionId connection() const noexcept { return connection_; }
  [[nodiscard]] LogLevel level() const noexcept { return level_; }
  [[nodiscard]] LogComponent component() const noexcept { return component_; }
  [[nodiscard]] std::chrono::system_clock::time_point at() const noexcept { return at_; }
  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }
  /// What was added had lost its end before.
  void set_cut() noexcept { is_cut_ = true; }
  [[nodiscard]] std::string_view message() const noexcept { return {bytes_.data(), message_size_}; }

  /// A field as stored; number kinds carry their bits.
  struct Field {
    std::string_view key;
    Kind kind{Kind::text};
    std::string_view text;
    std::uint64_t bits{0};
  };
  /// Reads the fields in order: `position` starts at 0; false at the end.
  bool next_field(std::size_t& position, Field& field) const noexcept;

  /// Bytes of this object that carry something: what a ring copies.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return offsetof_bytes() + used_; }

 private:
  friend class LogRing;
  LogRecord() noexcept {}  // NOLINT(modernize-use-equals-default): the bytes stay unset
  static std::size_t offsetof_bytes() noexcept { return sizeof(LogRecord) - kMaxBytes; }
  LogRecord& add_number(std::string_view key, Kind kind, std::uint64_t bits) noexcept;
  char* start_field(std::string_view key, Kind kind, std::size_t value_bytes) noexcept;

  std::chrono::system_clock::time_point at_{};
  ConnectionId connection_{};
  std::uint16_t message_size_{0};
  std::uint16_t used_{0};
  LogLevel level_{LogLevel::info};
  LogComponent component_{LogComponent::server};
  bool is_cut_{false};
  std::array<char, kMaxBytes> bytes_;
};
static_assert(sizeof(LogRecord) <= 1024);

}  // namespace equinox
