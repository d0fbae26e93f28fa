#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace equinox::appliance {

enum class KeyType : std::uint8_t {
  group,    ///< an object that is always there (its keys have defaults)
  section,  ///< an object whose presence switches something on
  list,     ///< a list of objects; its keys are "path[].key"
  boolean,
  integer,
  duration,  ///< "60s"; kept in milliseconds
  size,      ///< "64k" or a number of bytes
  text,
  file,      ///< text; relative to the configuration file's folder
  choice,    ///< one of `words`
  address,   ///< "1.2.3.4:80", "[::]:80", ":80"
  texts,     ///< a list of strings
  networks,  ///< a list of strings "10.0.0.0/8"
  text_map,  ///< an object of strings with free keys
};

enum class Need : std::uint8_t {
  defaulted,  ///< `fallback` applies
  optional,   ///< may be absent, and then has no value
  required,
};

/// One key of the configuration. Parsing, defaults, bounds, `equinox check`, the JSON Schema and the reference in
/// docs/configuration.md all come from, or are checked against, this one table.
struct KeySpec {
  std::string_view path;  ///< "listeners[].tls.min_version"
  KeyType type;
  Need need;
  std::string_view fallback;  ///< as written in the file, without quotes; texts: separated by commas
  std::string_view low;       ///< inclusive bounds of integers, durations and sizes, as written; empty: none
  std::string_view high;
  std::string_view words;  ///< choice: what is allowed; else words allowed besides the type; separated by '|'; "0" of
                           ///< a duration: none at all, although it is below `low`
  bool reloads;            ///< false: a change needs a restart and is refused by name
  std::string_view flag;   ///< option of `serve` that sets it; empty: none
  std::string_view help;   ///< one sentence, with the unit where the type does not say it
};

/// Whether a duration may be 0 or from `low` on, and nothing between.
constexpr bool may_be_zero_below(const KeySpec& key) noexcept {
  return key.type == KeyType::duration && key.words == "0";
}

/// All keys: parents before children, in the order of the reference.
std::span<const KeySpec> config_keys() noexcept;
/// Null when there is no such key.
const KeySpec* find_key(std::string_view path) noexcept;
/// The keys directly below `parent` ("" for the root, "routes[]" for a route).
std::vector<const KeySpec*> child_keys(std::string_view parent);
/// "min_version" of "listeners[].tls.min_version".
std::string_view last_part(std::string_view path) noexcept;

}  // namespace equinox::appliance
