#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config_document.hpp"
#include "config_keys.hpp"

namespace equinox::appliance {

using TextMap = std::vector<std::pair<std::string, std::string>>;

/// One value with the place it came from.
struct Setting {
  const KeySpec* key{nullptr};
  /// Nothing (a section that is present), boolean, number (integer; milliseconds; bytes; items of a list), text or one
  /// of the key's words, list, map.
  std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<std::string>, TextMap> value;
  std::string origin;  ///< "default", "file:line:column", "--flag", or the rule that computed it
};

/// A value given on the command line: it wins over the file.
struct Override {
  std::string path;    ///< "timeouts.idle", "listeners[0].address"
  std::string value;   ///< as typed; "" for a section or a list that only has to be present
  std::string origin;  ///< "--idle-timeout"
};

/// The effective configuration as a flat list of values, each with its origin. Reading a key that is not in the table
/// is a mistake of the program (std::logic_error), a key without a value is nothing.
class Settings {
 public:
  /// Checks the document against the table, lays the overrides over it and fills the defaults.
  /// @param document  nothing: no file
  static Settings read(const ConfigValue* document, std::string_view file, const std::vector<Override>& overrides,
                       std::vector<ConfigProblem>& problems);

  [[nodiscard]] bool has(std::string_view path) const;
  [[nodiscard]] std::size_t count(std::string_view list) const;
  [[nodiscard]] bool boolean(std::string_view path) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view path) const;  ///< nothing for a word ("auto")
  [[nodiscard]] std::chrono::milliseconds duration(std::string_view path) const;  ///< 0 for a word ("off")
  [[nodiscard]] std::string text(std::string_view path) const;                    ///< "" when absent
  [[nodiscard]] std::vector<std::string> texts(std::string_view path) const;
  [[nodiscard]] TextMap text_map(std::string_view path) const;
  /// Origin of a key, or of the nearest thing around it that was written.
  [[nodiscard]] std::string origin(std::string_view path) const;

  /// Replaces a value by what a rule made of it ("auto"), or gives one to a key that was left out.
  void resolve(std::string_view path, std::int64_t value, std::string_view rule);
  void resolve(std::string_view path, const std::string& value, std::string_view rule);
  [[nodiscard]] const std::map<std::string, Setting, std::less<>>& all() const noexcept { return values_; }
  /// Paths in the order of the table, list items expanded.
  [[nodiscard]] std::vector<std::string> ordered_paths() const;

 private:
  friend class SettingsReader;
  void replace(std::string_view path, decltype(Setting::value) value, std::string_view rule);
  [[nodiscard]] const Setting* find(std::string_view path) const;
  std::map<std::string, Setting, std::less<>> values_;
};

/// The value as it would be written in the file; secrets are never settings.
std::string to_text(const Setting& setting);
/// "listeners[].tls" of "listeners[2].tls".
std::string pattern_of(std::string_view path);

}  // namespace equinox::appliance
