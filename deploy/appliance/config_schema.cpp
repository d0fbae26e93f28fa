#include "config_schema.hpp"

#include <fmt/format.h>

#include <charconv>

#include "config_checks.hpp"
#include "config_keys.hpp"
#include "config_values.hpp"
#include "redirect_target.hpp"

namespace equinox::appliance {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDurationPattern = "^(0|[0-9]+(\\.[0-9]+)?(ms|s|m|h))$";
constexpr const char* kSizePattern = "^[0-9]+(\\.[0-9]+)?[kMG]?$";
constexpr const char* kAddressPattern = "^([0-9.]+|\\[[0-9a-fA-F:.]+\\])?:[0-9]{1,5}$";

// With lookaheads: editors read ECMA 262. Never stricter than what config_checks.cpp refuses.
constexpr const char* kPathPattern = "^/([^*?# ]*/)?([^*?# ]*|\\*)$";
constexpr const char* kHostPattern = "^(\\*\\.)?([a-zA-Z0-9_~-][a-zA-Z0-9._~-]*|\\[[0-9a-fA-F:.]+\\])$";
constexpr const char* kAdminHostPattern =
    "^(\\*|(\\*\\.)?[a-zA-Z0-9_~-][a-zA-Z0-9._~-]*|\\[?[0-9a-fA-F:][0-9a-fA-F:.]*\\]?)$";
constexpr const char* kNetworkPattern =
    "^([0-9]{1,3}(\\.[0-9]{1,3}){3}(/[0-9]{1,2})?|[0-9a-fA-F.:]*:[0-9a-fA-F.:]*(/[0-9]{1,3})?)$";
constexpr const char* kFieldValuePattern = "^([^ \\t\\r\\n]([^\\r\\n]*[^ \\t\\r\\n])?)?$";
constexpr const char* kBelowPattern = "^(?!/)(?!(.*/)?\\.\\.(/|$))";

Json object_schema(std::string_view pattern);

/// What config_checks.cpp refuses of one value by itself: editors can tell of it too.
Json rules_of(std::string_view path) {
  if (path == "listeners[].name") {
    return {{"pattern", "^[a-z0-9_-]{1,32}$"}, {"not", {{"enum", Json::array({"ops", "admin"})}}}};
  }
  if (path == "listeners[].proxy_protocol.from") return {{"minItems", 1}};
  if (path == "routes[].path") return {{"pattern", kPathPattern}};
  if (path == "routes[].name") return {{"pattern", "^(?!_)"}};
  if (path == "routes[].host") return {{"pattern", kHostPattern}};
  if (path == "admin.hosts") return {{"items", {{"type", "string"}, {"pattern", kAdminHostPattern}}}};
  if (path == "routes[].methods") {
    const Json methods = Json::array({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"});
    return {{"items", {{"enum", methods}}}, {"minItems", 1}};
  }
  if (path == "routes[].redirect.code") return {{"enum", kRedirectCodes}};
  if (path == "routes[].redirect.to") return {{"pattern", "^[^ \\t\\r\\n]+$"}, {"maxLength", kFieldValueMaxBytes}};
  if (path == "routes[].static.index") return {{"items", {{"type", "string"}, {"pattern", "^[^/]+$"}}}};
  if (path == "routes[].static.fallback") return {{"pattern", kBelowPattern}};
  if (path == "log.target" || path == "log.access") return {{"minLength", 1}};
  Json field_value{{"pattern", kFieldValuePattern}, {"maxLength", kFieldValueMaxBytes}};
  if (path == "server_field" || path == "routes[].respond.content_type" || path == "routes[].static.cache_control") {
    return field_value;
  }
  if (path == "routes[].headers") {
    Json value{{"type", "string"}};
    value.update(field_value);
    return {{"additionalProperties", std::move(value)}};
  }
  return Json::object();
}

std::int64_t whole(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Json word_list(const KeySpec& key) {
  Json words = Json::array();
  for (const auto word : split(key.words, '|')) words.push_back(std::string{word});
  return words;
}

Json leaf_schema(const KeySpec& key) {
  switch (key.type) {
    case KeyType::boolean: return {{"type", "boolean"}};
    case KeyType::integer: {
      Json out{{"type", "integer"}};
      if (!key.low.empty()) out["minimum"] = whole(key.low);
      if (!key.high.empty()) out["maximum"] = whole(key.high);
      return out;
    }
    case KeyType::duration: {
      Json text{{"type", "string"}, {"pattern", kDurationPattern}};
      if (key.low != "0" && !may_be_zero_below(key)) return text;
      return {{"anyOf", Json::array({{{"const", 0}}, std::move(text)})}};
    }
    case KeyType::size: {
      Json bytes{{"type", "integer"}};
      if (!key.low.empty()) bytes["minimum"] = *parse_size(key.low);
      if (!key.high.empty()) bytes["maximum"] = *parse_size(key.high);
      return {{"anyOf", Json::array({std::move(bytes), {{"type", "string"}, {"pattern", kSizePattern}}})}};
    }
    case KeyType::choice: return {{"enum", word_list(key)}};
    case KeyType::address: return {{"type", "string"}, {"pattern", kAddressPattern}};
    case KeyType::networks: return {{"type", "array"}, {"items", {{"type", "string"}, {"pattern", kNetworkPattern}}}};
    case KeyType::texts: return {{"type", "array"}, {"items", {{"type", "string"}}}};
    case KeyType::text_map: return {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
    default: return {{"type", "string"}};
  }
}

Json default_of(const KeySpec& key) {
  switch (key.type) {
    case KeyType::boolean: return key.fallback == "true";
    case KeyType::integer:
      if (!key.fallback.empty() && key.fallback.find_first_not_of("0123456789") == std::string_view::npos) {
        return whole(key.fallback);
      }
      return std::string{key.fallback};
    case KeyType::texts:
    case KeyType::networks: {
      Json items = Json::array();
      for (const auto item : split(key.fallback, ',')) items.push_back(std::string{item});
      return items;
    }
    default: return std::string{key.fallback};
  }
}

std::string bounds_text(const KeySpec& key) {
  if (key.type != KeyType::duration && key.type != KeyType::size) return "";
  if (key.low.empty()) return "";
  return fmt::format(" {}{} to {}.", may_be_zero_below(key) ? "0, or from " : "From ", key.low, key.high);
}

Json key_schema(const KeySpec& key) {
  Json out;
  if (key.type == KeyType::group || key.type == KeyType::section) {
    out = object_schema(key.path);
  } else if (key.type == KeyType::list) {
    out = {{"type", "array"}, {"items", object_schema(fmt::format("{}[]", key.path))}};
    if (!key.low.empty()) out["minItems"] = whole(key.low);
    if (!key.high.empty()) out["maxItems"] = whole(key.high);
  } else {
    out = leaf_schema(key);
    out.update(rules_of(key.path));
    if (!key.words.empty() && key.type != KeyType::choice && !may_be_zero_below(key)) {
      out = {{"anyOf", Json::array({std::move(out), {{"enum", word_list(key)}}})}};
    }
    if (key.need == Need::defaulted) out["default"] = default_of(key);
  }
  out["description"] = std::string{key.help} + bounds_text(key) + (key.reloads ? "" : " A change needs a restart.");
  return out;
}

Json object_schema(std::string_view pattern) {
  Json properties = Json::object();
  Json required = Json::array();
  Json handlers = Json::array();
  for (const KeySpec* key : child_keys(pattern)) {
    const std::string name{last_part(key->path)};
    properties[name] = key_schema(*key);
    if (key->need == Need::required) required.push_back(name);
    if (pattern == "routes[]" && key->type == KeyType::section) handlers.push_back({{"required", Json::array({name})}});
  }
  Json out{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  if (!handlers.empty()) out["oneOf"] = std::move(handlers);  // a route has exactly one handler
  return out;
}

std::string type_text(const KeySpec& key) {
  switch (key.type) {
    case KeyType::group:
    case KeyType::section: return "object";
    case KeyType::list: return "list of objects";
    case KeyType::boolean: return "true, false";
    case KeyType::integer: return "number";
    case KeyType::duration: return "duration";
    case KeyType::size: return "size";
    case KeyType::text: return "text";
    case KeyType::file: return "file";
    case KeyType::choice: return "choice";
    case KeyType::address: return "address";
    case KeyType::texts: return "list of texts";
    case KeyType::networks: return "list of networks";
    case KeyType::text_map: return "object of texts";
  }
  return "";
}

std::string allowed_text(const KeySpec& key) {
  if (may_be_zero_below(key)) return fmt::format("0, {} … {}", key.low, key.high);
  std::string out;
  if (!key.low.empty()) out = fmt::format("{} … {}", key.low, key.high);
  for (const auto word : split(key.words, '|')) out += fmt::format("{}`{}`", out.empty() ? "" : ", ", word);
  return out;
}

std::string default_text(const KeySpec& key) {
  if (key.need == Need::required) return "*required*";
  if (key.need == Need::optional) return "–";
  return key.fallback.empty() ? "empty" : fmt::format("`{}`", key.fallback);
}

}  // namespace

nlohmann::ordered_json config_schema() {
  Json out{{"$schema", "http://json-schema.org/draft-07/schema#"},
           {"title", "Equinox configuration"},
           {"description", "Read by `equinox serve --config FILE`; comments are allowed in the file."}};
  out.update(object_schema(""));
  return out;
}

std::string config_reference() {
  std::string out;
  for (const KeySpec* top : child_keys("")) {
    if (top->path == "$schema") continue;
    out += fmt::format("### `{}`\n\n{}\n\n", top->path, top->help);
    out += "| Key | Type | Default | Allowed | Reload | Flag | Meaning |\n|---|---|---|---|---|---|---|\n";
    for (const KeySpec& key : config_keys()) {
      const bool belongs = key.path == top->path || key.path.starts_with(fmt::format("{}.", top->path)) ||
                           key.path.starts_with(fmt::format("{}[]", top->path));
      if (!belongs) continue;
      out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", key.path, type_text(key), default_text(key),
                         allowed_text(key), key.reloads ? "yes" : "restart",
                         key.flag.empty() ? "" : fmt::format("`{}`", key.flag), key.help);
    }
    out += "\n";
  }
  return out;
}

}  // namespace equinox::appliance
