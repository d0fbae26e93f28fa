#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "deploy/appliance/config.hpp"
#include "deploy/appliance/config_schema.hpp"

namespace equinox::appliance {
namespace {

using Json = nlohmann::ordered_json;

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  // Draft 6 and later: any number with a fraction of zero.
  if (type == "integer") return value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
  return type == "boolean" && value.is_boolean();
}

bool takes(const Json& schema, const Json& value);

bool takes_members(const Json& schema, const Json& value) {
  for (const auto& name : schema.value("required", Json::array())) {
    if (!value.contains(name.get<std::string>())) return false;
  }
  for (const auto& [name, member] : value.items()) {
    if (schema.contains("properties") && schema["properties"].contains(name)) {
      if (!takes(schema["properties"][name], member)) return false;
    } else if (schema.contains("additionalProperties")) {
      const Json& others = schema["additionalProperties"];
      if (others.is_boolean() ? !others.get<bool>() : !takes(others, member)) return false;
    }
  }
  return true;
}

/// As much of JSON Schema as the published one uses.
bool takes(const Json& schema, const Json& value) {
  const auto count = [&](const Json& choices) {
    return std::count_if(choices.begin(), choices.end(), [&](const Json& choice) { return takes(choice, value); });
  };
  if (schema.contains("type") && !has_type(value, schema["type"])) return false;
  if (schema.contains("const") && value != schema["const"]) return false;
  if (schema.contains("not") && takes(schema["not"], value)) return false;
  if (schema.contains("anyOf") && count(schema["anyOf"]) == 0) return false;
  if (schema.contains("oneOf") && count(schema["oneOf"]) != 1) return false;
  if (schema.contains("enum")) {
    const Json& words = schema["enum"];
    if (std::find(words.begin(), words.end(), value) == words.end()) return false;
  }
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    if (text.size() < schema.value("minLength", std::size_t{0})) return false;
    if (text.size() > schema.value("maxLength", text.size())) return false;
    if (schema.contains("pattern") && !std::regex_search(text, std::regex{schema["pattern"].get<std::string>()})) {
      return false;
    }
  }
  if (value.is_number()) {
    if (value < schema.value("minimum", value) || value > schema.value("maximum", value)) return false;
  }
  if (value.is_array()) {
    if (value.size() < schema.value("minItems", std::size_t{0})) return false;
    if (value.size() > schema.value("maxItems", value.size())) return false;
    for (const Json& item : value) {
      if (schema.contains("items") && !takes(schema["items"], item)) return false;
    }
  }
  return !value.is_object() || takes_members(schema, value);
}

bool schema_takes(const std::string& text) { return takes(config_schema(), Json::parse(text)); }
bool check_takes(const std::string& text) { return load_config(text, "f.json", {}).config.has_value(); }

std::string route(const std::string& members) { return R"({"routes": [{)" + members + "}]}"; }
std::string server_field(std::size_t bytes) { return R"({"server_field": ")" + std::string(bytes, 'x') + "\"}"; }
std::string header(std::size_t bytes) {
  return route(R"("path": "/", "echo": {}, "headers": {"X-A": ")" + std::string(bytes, 'x') + "\"}");
}
std::string listener(const std::string& members) { return R"({"listeners": [{"address": ":1", )" + members + "}]}"; }

TEST(Schema, AndCheckRefuseTheSameValues) {
  for (const std::string& text : {
           route(R"("path": "/", "redirect": {"to": "/b", "code": 304})"),
           route(R"("path": "/", "redirect": {"to": ""})"),
           route(R"("path": "/", "redirect": {"to": "/a b"})"),
           route(R"("path": "/", "echo": {}, "methods": ["CONNECT"])"),
           route(R"("path": "/", "echo": {}, "methods": ["FETCH"])"),
           route(R"("path": "/", "echo": {}, "methods": [])"),
           route(R"("path": "a", "echo": {})"),
           route(R"("path": "", "echo": {})"),
           route(R"("path": "/a*", "echo": {})"),
           route(R"("path": "/a/*/b", "echo": {})"),
           route(R"("path": "/a?b", "echo": {})"),
           route(R"("path": "/a", "echo": {}, "host": "a.example:80")"),
           route(R"("path": "/a", "echo": {}, "host": "a b")"),
           route(R"("path": "/a", "echo": {}, "host": "*")"),
           route(R"("path": "/a", "echo": {}, "host": "")"),
           route(R"("path": "/a", "echo": {}, "host": ".")"),
           route(R"("path": "/a", "echo": {}, "host": "*.")"),
           route(R"("path": "/a", "echo": {}, "host": ".example")"),
           route(R"("path": "/a", "echo": {}, "name": "_other")"),
           std::string{R"({"admin": {"hosts": ["."]}})"},
           route(R"("path": "/a")"),
           route(R"("path": "/a", "echo": {}, "status": {})"),
           route(R"("path": "/*", "static": {"root": "r", "index": ["a/b"]})"),
           route(R"("path": "/*", "static": {"root": "r", "fallback": "../a"})"),
           route(R"("path": "/*", "static": {"root": "r", "fallback": "/a"})"),
           route(R"("path": "/*", "static": {"root": "r", "fallback": "a/.."})"),
           std::string{R"({"admin": {"hosts": ["dash.example:443"]}})"},
           std::string{R"({"admin": {"hosts": ["a b"]}})"},
           std::string{R"({"admin": {"hosts": [""]}})"},
           std::string{R"({"admin": {"hosts": ["https://a"]}})"},
           listener(R"("name": "A")"),
           listener(R"("name": "")"),
           listener(R"("name": "ops")"),
           listener(R"("proxy_protocol": {"from": []})"),
           std::string{R"({"trusted_proxies": ["x"]})"},
           std::string{R"({"trusted_proxies": ["10.0.0.0/a"]})"},
           std::string{R"({"log": {"target": ""}})"},
           std::string{R"({"log": {"access": ""}})"},
           std::string{R"({"server_field": "a\r\nb"})"},
           std::string{R"({"server_field": "a "})"},
           std::string{R"({"server_field": " "})"},
           route(R"("path": "/", "echo": {}, "headers": {"X-A": "\ta"})"),
           route(R"("path": "/", "redirect": {"to": "/a\tb"})"),
           route(R"("path": "/", "respond": {"content_type": " a/b"})"),
           route(R"("path": "/*", "static": {"root": "r", "cache_control": "no-store "})"),
           header(8193),
           server_field(8193),
           route(R"("path": "/", "redirect": {"to": "/)" + std::string(8192, 'x') + "\"}"),
           route(R"("path": "/", "respond": {"content_type": ")" + std::string(8193, 'x') + "\"}"),
           route(R"("path": "/*", "static": {"root": "r", "cache_control": ")" + std::string(8193, 'x') + "\"}"),
           std::string{R"({"timeouts": {"idle": 0}})"},
           std::string{R"({"timeouts": {"idle": "60"}})"},
           std::string{R"({"timeouts": {"ping_after": 1}})"},
           std::string{R"({"limits": {"fields": 1}})"},
           std::string{R"({"limits": {"fields": 10.5}})"},
           std::string{R"({"limits": {"fields": 1.0}})"},
           std::string{R"({"unknown": 1})"},
       }) {
    EXPECT_FALSE(check_takes(text)) << text;
    EXPECT_FALSE(schema_takes(text)) << text;
  }
}

TEST(Schema, AndCheckTakeTheSameValues) {
  for (const std::string& text : {
           route(R"("path": "/", "redirect": {"to": "https://{host}/{path}", "code": 303})"),
           route(R"("path": "/", "echo": {}, "methods": ["GET", "TRACE"])"),
           route(R"("path": "/*", "echo": {})"),
           route(R"("path": "/users/{id}/a", "echo": {})"),
           route(R"("path": "/", "echo": {}, "host": "a-1.example")"),
           route(R"("path": "/", "echo": {}, "host": "*.example")"),
           route(R"("path": "/", "echo": {}, "host": "a.example.")"),
           route(R"("path": "/", "echo": {}, "name": "a_b")"),
           route(R"("path": "/", "echo": {}, "name": "")"),
           route(R"("path": "/", "echo": {}, "host": "[2001:db8::1]")"),
           route(R"("path": "/a/*", "static": {"root": "r", "fallback": "a..b/c..html"})"),
           header(8192),
           server_field(8192),
           route(R"("path": "/", "redirect": {"to": "/)" + std::string(8191, 'x') + "\"}"),
           listener(R"("name": "a-1_b")"),
           std::string{
               R"({"admin": {"hosts": ["*", "a.example", "*.corp.example", "10.1.2.3", "::1", "[2001:db8::1]"]}})"},
           std::string{R"({"trusted_proxies": ["10.0.0.0/8", "::1", "2001:db8::/32", "192.0.2.1"]})"},
           std::string{R"({"log": {"access": "-"}, "server_field": ""})"},
           std::string{R"({"server_field": "a"})"},
           route(R"("path": "/", "echo": {}, "headers": {"X-A": "", "X-B": "a\tb c"})"),
           std::string{R"({"timeouts": {"max_age": 0, "linger": "0"}})"},
           std::string{R"({"timeouts": {"max_age": "0s", "ping_after": "0"}})"},
           std::string{R"({"timeouts": {"max_age": "1s", "ping_after": 0}})"},
           std::string{R"({"limits": {"memory": "auto", "request_body": 1}})"},
           std::string{R"({"reactors": 2.0, "limits": {"fields": 1e2}})"},
       }) {
    EXPECT_TRUE(check_takes(text)) << text;
    EXPECT_TRUE(schema_takes(text)) << text;
  }
}

}  // namespace
}  // namespace equinox::appliance
