#include "base/log_record.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace equinox {
namespace {

// A field: kind, key length, value length (2 bytes), key, value.
constexpr std::size_t kFieldHead = 4;

constexpr std::array<std::string_view, kLogComponents> kComponentNames{
    "server", "reactor", "listener", "connection", "tls", "http", "handler", "config", "admin", "access"};

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
    case LogLevel::off: return "off";
  }
  return "unknown";
}

std::string_view to_string(LogComponent component) noexcept {
  const auto index = static_cast<std::size_t>(component);
  return index < kComponentNames.size() ? kComponentNames[index] : "unknown";
}

std::optional<LogLevel> parse_log_level(std::string_view text) noexcept {
  if (text == "warn") return LogLevel::warning;
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error, LogLevel::off}) {
    if (to_string(level) == text) return level;
  }
  return std::nullopt;
}

LogRecord::LogRecord(LogLevel level, LogComponent component, std::string_view message,
                     std::chrono::system_clock::time_point at) noexcept
    : at_{at}, level_{level}, component_{component} {
  const std::size_t size = std::min(message.size(), kMaxBytes);
  is_cut_ = size < message.size();
  if (size != 0) std::memcpy(bytes_.data(), message.data(), size);
  message_size_ = static_cast<std::uint16_t>(size);
  used_ = message_size_;
}

char* LogRecord::start_field(std::string_view key, Kind kind, std::size_t value_bytes) noexcept {
  const std::size_t key_bytes = std::min<std::size_t>(key.size(), 64);
  if (used_ + kFieldHead + key_bytes + value_bytes > kMaxBytes) {
    is_cut_ = true;
    return nullptr;
  }
  char* cursor = bytes_.data() + used_;
  cursor[0] = static_cast<char>(kind);
  cursor[1] = static_cast<char>(key_bytes);
  const auto size = static_cast<std::uint16_t>(value_bytes);
  std::memcpy(cursor + 2, &size, sizeof size);
  std::memcpy(cursor + kFieldHead, key.data(), key_bytes);
  used_ = static_cast<std::uint16_t>(used_ + kFieldHead + key_bytes + value_bytes);
  return cursor + kFieldHead + key_bytes;
}

LogRecord& LogRecord::add(std::string_view key, std::string_view value) noexcept {
  const std::size_t overhead = kFieldHead + std::min<std::size_t>(key.size(), 64);
  const std::size_t room = kMaxBytes - used_ > overhead ? kMaxBytes - used_ - overhead : 0;
  const std::size_t size = std::min(value.size(), room);
  if (size < value.size()) is_cut_ = true;
  char* into = start_field(key, Kind::text, size);
  if (into != nullptr && size != 0) std::memcpy(into, value.data(), size);
  return *this;
}

LogRecord& LogRecord::add(std::string_view key, bool value) noexcept {
  return add_number(key, Kind::boolean, value ? 1U : 0U);
}

LogRecord& LogRecord::add(std::string_view key, double value) noexcept {
  return add_number(key, Kind::real, std::bit_cast<std::uint64_t>(value));
}

LogRecord& LogRecord::add_number(std::string_view key, Kind kind, std::uint64_t bits) noexcept {
  if (char* into = start_field(key, kind, sizeof bits)) std::memcpy(into, &bits, sizeof bits);
  return *this;
}

bool LogRecord::next_field(std::size_t& position, Field& field) const noexcept {
  const std::size_t start = message_size_ + position;
  if (start + kFieldHead > used_) return false;
  const char* cursor = bytes_.data() + start;
  std::uint16_t size = 0;
  std::memcpy(&size, cursor + 2, sizeof size);
  const auto key_bytes = static_cast<std::size_t>(static_cast<unsigned char>(cursor[1]));
  field.kind = static_cast<Kind>(cursor[0]);
  field.key = {cursor + kFieldHead, key_bytes};
  field.text = {cursor + kFieldHead + key_bytes, size};
  field.bits = 0;
  if (field.kind != Kind::text) std::memcpy(&field.bits, field.text.data(), sizeof field.bits);
  position += kFieldHead + key_bytes + size;
  return true;
}

}  // namespace equinox
