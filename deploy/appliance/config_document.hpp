#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace equinox::appliance {

/// Where something stands in a configuration file. Counted from 1; columns count characters, not bytes.
struct Position {
  std::size_t line{0};
  std::size_t column{0};
  bool operator==(const Position&) const = default;
};

/// One mistake in a configuration, ready for people.
struct ConfigProblem {
  std::string origin;   ///< "file:line:column" or "--flag"
  std::string key;      ///< "listeners[0].address"; empty when the text is not JSON at all
  std::string message;  ///< what is wrong, what is allowed
  /// "origin: key: message", on one line whatever the file holds.
  [[nodiscard]] std::string to_string() const;
};

/// One value of a JSON document with the place it was read from. A tree of plain values.
struct ConfigValue {
  enum class Kind : std::uint8_t { null, boolean, integer, number, large, string, array, object };
  struct Member;

  Kind kind{Kind::null};
  Position at;
  bool boolean{false};
  std::int64_t integer{0};
  double number{0};
  std::string text;
  std::vector<ConfigValue> items;
  std::vector<Member> members;  ///< in the order of the file
};

struct ConfigValue::Member {
  std::string key;
  Position at;
  ConfigValue value;
};

/// What a value of this kind is called in messages: "a string".
std::string_view describe(ConfigValue::Kind kind) noexcept;

inline constexpr std::size_t kDocumentMaxBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kDocumentMaxDepth = 32;

/// Reads JSON (RFC 8259) in which // and /* */ comments are allowed. nlohmann's own tree keeps no positions and lets
/// the last of two equal keys win in silence; this one keeps both facts.
/// @param file      name used in the problems' origins
/// @param problems  duplicate keys, a syntax error, a document too large or too deep are appended
/// @return the root; nothing after a syntax error (duplicate keys alone still give a tree)
std::optional<ConfigValue> read_document(std::string_view text, std::string_view file,
                                         std::vector<ConfigProblem>& problems);

/// The bytes of `file`, one block beyond kDocumentMaxBytes at most; nothing, with errno, when it cannot be read.
std::optional<std::string> read_document_text(const std::string& file);

/// "file:line:column".
std::string origin_text(std::string_view file, Position at);

}  // namespace equinox::appliance
