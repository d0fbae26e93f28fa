#include "settings.hpp"

#include <fmt/format.h>

#include <cctype>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "config_values.hpp"

namespace equinox::appliance {
namespace {

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_paths(const Settings& settings, std::string_view pattern, const std::string& concrete,
                  std::vector<std::string>& out) {
  for (const KeySpec* key : child_keys(pattern)) {
    const std::string path =
        concrete.empty() ? std::string{key->path} : fmt::format("{}.{}", concrete, last_part(key->path));
    if (key->type == KeyType::list) {
      for (std::size_t i = 0; i < settings.count(path); ++i) {
        append_paths(settings, fmt::format("{}[]", key->path), fmt::format("{}[{}]", path, i), out);
      }
    } else {
      if (settings.has(path) && key->type != KeyType::group) out.push_back(path);
      append_paths(settings, key->path, path, out);
    }
  }
}

}  // namespace

std::string pattern_of(std::string_view path) {
  std::string out;
  bool in_index = false;
  for (const char c : path) {
    if (c == ']') in_index = false;
    if (!in_index) out.push_back(c);
    if (c == '[') in_index = true;
  }
  return out;
}

const Setting* Settings::find(std::string_view path) const {
  const auto found = values_.find(path);
  if (found != values_.end()) return &found->second;
  if (find_key(pattern_of(path)) == nullptr) throw std::logic_error(fmt::format("no such key: {}", path));
  return nullptr;
}

bool Settings::has(std::string_view path) const { return find(path) != nullptr; }

std::size_t Settings::count(std::string_view list) const { return static_cast<std::size_t>(number(list).value_or(0)); }

bool Settings::boolean(std::string_view path) const {
  const Setting* setting = find(path);
  const auto* value = setting == nullptr ? nullptr : std::get_if<bool>(&setting->value);
  return value != nullptr && *value;
}

std::optional<std::int64_t> Settings::number(std::string_view path) const {
  const Setting* setting = find(path);
  const auto* value = setting == nullptr ? nullptr : std::get_if<std::int64_t>(&setting->value);
  return value == nullptr ? std::nullopt : std::optional{*value};
}

std::chrono::milliseconds Settings::duration(std::string_view path) const {
  return std::chrono::milliseconds{number(path).value_or(0)};
}

std::string Settings::text(std::string_view path) const {
  const Setting* setting = find(path);
  const auto* value = setting == nullptr ? nullptr : std::get_if<std::string>(&setting->value);
  return value == nullptr ? std::string{} : *value;
}

std::vector<std::string> Settings::texts(std::string_view path) const {
  const Setting* setting = find(path);
  const auto* value = setting == nullptr ? nullptr : std::get_if<std::vector<std::string>>(&setting->value);
  return value == nullptr ? std::vector<std::string>{} : *value;
}

TextMap Settings::text_map(std::string_view path) const {
  const Setting* setting = find(path);
  const auto* value = setting == nullptr ? nullptr : std::get_if<TextMap>(&setting->value);
  return value == nullptr ? TextMap{} : *value;
}

std::string Settings::origin(std::string_view path) const {
  for (std::string_view at = path; !at.empty(); at = at.substr(0, at.find_last_of(".["))) {
    const auto found = values_.find(at);
    if (found != values_.end()) return found->second.origin;
    if (at.find_last_of(".[") == std::string_view::npos) break;
  }
  return "default";
}

void Settings::resolve(std::string_view path, std::int64_t value, std::string_view rule) { replace(path, value, rule); }
void Settings::resolve(std::string_view path, const std::string& value, std::string_view rule) {
  replace(path, value, rule);
}

void Settings::replace(std::string_view path, decltype(Setting::value) value, std::string_view rule) {
  const auto [at, was_absent] = values_.try_emplace(std::string{path});
  Setting& setting = at->second;
  if (was_absent) {
    setting.key = find_key(pattern_of(path));
    setting.origin = "default";
  }
  setting.value = std::move(value);
  setting.origin = fmt::format("{} ({})", rule, setting.origin);
}

std::vector<std::string> Settings::ordered_paths() const {
  std::vector<std::string> out;
  append_paths(*this, "", "", out);
  return out;
}

std::string to_text(const Setting& setting) {
  if (const auto* flag = std::get_if<bool>(&setting.value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&setting.value)) {
    if (setting.key->type == KeyType::duration) return json_text(format_duration(std::chrono::milliseconds{*number}));
    if (setting.key->type == KeyType::size) return json_text(format_size(static_cast<std::uint64_t>(*number)));
    return std::to_string(*number);
  }
  if (const auto* text = std::get_if<std::string>(&setting.value)) return json_text(*text);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&setting.value)) {
    std::string out = "[";
    for (const auto& text : *texts) out += (out.size() > 1 ? ", " : "") + json_text(text);
    return out + "]";
  }
  if (const auto* map = std::get_if<TextMap>(&setting.value)) {
    std::string out = "{";
    for (const auto& [name, value] : *map)
      out += (out.size() > 1 ? ", " : "") + json_text(name) + ": " + json_text(value);
    return out + "}";
  }
  return "{}";
}

}  // namespace equinox::appliance
