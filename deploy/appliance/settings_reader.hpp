#pragma once

#include "settings.hpp"

namespace equinox::appliance {

/// Lays a document, then overrides, then defaults into Settings; every mistake becomes a problem, reading goes on.
class SettingsReader {
 public:
  SettingsReader(Settings& settings, std::string_view file, std::vector<ConfigProblem>& problems)
      : settings_{settings}, file_{file}, problems_{problems} {}

  void read_document(const ConfigValue& root);
  void apply(const Override& given);
  void fill_defaults();

 private:
  /// What a leaf is read from: a JSON value, or text from the command line or the table.
  struct Source {
    const ConfigValue* json{nullptr};
    std::string_view text;
    std::string origin;
    std::string path;
  };

  void read_object(const ConfigValue& object, std::string_view pattern, const std::string& path);
  void read_member(const ConfigValue::Member& member, const KeySpec& key, const std::string& path);
  void read_list(const ConfigValue& value, const KeySpec& key, const std::string& path);
  void read_leaf(const Source& source, const KeySpec& key);
  bool read_word(const Source& source, const KeySpec& key);
  void read_integer(const Source& source, const KeySpec& key);
  void read_duration(const Source& source, const KeySpec& key);
  void read_size(const Source& source, const KeySpec& key);
  void read_text(const Source& source, const KeySpec& key);
  void read_texts(const Source& source, const KeySpec& key);
  void read_text_map(const Source& source, const KeySpec& key);
  void report_unknown(const ConfigValue::Member& member, std::string_view pattern, const std::string& path);
  void fill(std::string_view pattern, const std::string& path);
  void put(const Source& source, const KeySpec& key, decltype(Setting::value) value);
  void complain(const Source& source, std::string message);

  Settings& settings_;
  std::string_view file_;
  std::vector<ConfigProblem>& problems_;
};

}  // namespace equinox::appliance
