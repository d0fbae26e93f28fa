#include "settings_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "config_values.hpp"

namespace equinox::appliance {
namespace {

std::string joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string{name} : fmt::format("{}.{}", path, name);
}

/// "on, prior-knowledge or off", each in quotes.
std::string word_list(std::string_view words) {
  const auto parts = split(words, '|');
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) out += i + 1 == parts.size() ? " or " : ", ";
    out += fmt::format("\"{}\"", parts[i]);
  }
  return out;
}

std::string allowed(const KeySpec& key, std::string_view what) {
  std::string out = fmt::format("allowed is {}", what);
  if (may_be_zero_below(key)) return out + fmt::format(" from {} to {}, or 0", key.low, key.high);
  if (!key.low.empty()) out += fmt::format(" from {} to {}", key.low, key.high);
  if (!key.words.empty()) out += fmt::format(" or {}", word_list(key.words));
  return out;
}

std::int64_t bound(const KeySpec& key, std::string_view text) {
  if (key.type == KeyType::duration) return parse_duration(text)->count();
  return static_cast<std::int64_t>(*parse_size(text));
}

bool is_within(const KeySpec& key, std::int64_t value) {
  if (value == 0 && may_be_zero_below(key)) return true;
  return (key.low.empty() || value >= bound(key, key.low)) && (key.high.empty() || value <= bound(key, key.high));
}

// C interfaces would end the text there: what was checked and what is used would differ.
constexpr std::string_view kNoNul = "holds a NUL, allowed is text without it";
bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool is_object(KeyType type) { return type == KeyType::group || type == KeyType::section; }

}  // namespace

void SettingsReader::put(const Source& source, const KeySpec& key, decltype(Setting::value) value) {
  settings_.values_[source.path] = {&key, std::move(value), source.origin};
}

void SettingsReader::complain(const Source& source, std::string message) {
  problems_.push_back({source.origin, source.path, std::move(message)});
}

void SettingsReader::read_document(const ConfigValue& root) {
  if (root.kind != ConfigValue::Kind::object) {
    problems_.push_back({origin_text(file_, root.at), "",
                         fmt::format("the configuration is {}, allowed is an object", describe(root.kind))});
    return;
  }
  read_object(root, "", "");
}

void SettingsReader::read_object(const ConfigValue& object, std::string_view pattern, const std::string& path) {
  for (const auto& member : object.members) {
    const std::string child = joined(path, member.key);
    if (const KeySpec* key = find_key(joined(std::string{pattern}, member.key)); key != nullptr) {
      read_member(member, *key, child);
    } else {
      report_unknown(member, pattern, child);
    }
  }
}

void SettingsReader::read_member(const ConfigValue::Member& member, const KeySpec& key, const std::string& path) {
  const Source source{&member.value, {}, origin_text(file_, member.value.at), path};
  if (key.type == KeyType::list) return read_list(member.value, key, path);
  if (!is_object(key.type)) return read_leaf(source, key);
  if (member.value.kind != ConfigValue::Kind::object) {
    return complain(source, fmt::format("is {}, allowed is an object", describe(member.value.kind)));
  }
  put(source, key, {});
  read_object(member.value, key.path, path);
}

void SettingsReader::read_list(const ConfigValue& value, const KeySpec& key, const std::string& path) {
  const Source source{&value, {}, origin_text(file_, value.at), path};
  if (value.kind != ConfigValue::Kind::array) {
    return complain(source, fmt::format("is {}, allowed is a list of objects", describe(value.kind)));
  }
  const auto count = static_cast<std::int64_t>(value.items.size());
  if (!is_within(key, count)) {
    return complain(source, fmt::format("has {} items, allowed are {} to {}", count, key.low, key.high));
  }
  put(source, key, count);
  const std::string pattern = fmt::format("{}[]", key.path);
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const std::string item = fmt::format("{}[{}]", path, i);
    const Source item_source{&value.items[i], {}, origin_text(file_, value.items[i].at), item};
    if (value.items[i].kind != ConfigValue::Kind::object) {
      complain(item_source, fmt::format("is {}, allowed is an object", describe(value.items[i].kind)));
      continue;
    }
    put(item_source, key, {});
    read_object(value.items[i], pattern, item);
  }
}

void SettingsReader::report_unknown(const ConfigValue::Member& member, std::string_view pattern,
                                    const std::string& path) {
  std::vector<std::string_view> names;
  for (const KeySpec* key : child_keys(pattern)) {
    if (key->path != "$schema") names.push_back(last_part(key->path));
  }
  const std::string_view meant = nearest(member.key, names);
  std::string message = "unknown key";
  if (!meant.empty()) {
    message += fmt::format("; did you mean \"{}\"?", meant);
  } else if (names.empty()) {
    message += "; no key is allowed here";
  } else {
    message += fmt::format("; allowed here: {}", fmt::join(names, ", "));
  }
  problems_.push_back({origin_text(file_, member.at), path, std::move(message)});
}

bool SettingsReader::read_word(const Source& source, const KeySpec& key) {
  if (may_be_zero_below(key)) return false;  // a duration as any other
  if (key.words.empty() || (source.json != nullptr && source.json->kind != ConfigValue::Kind::string)) return false;
  const std::string_view text = source.json != nullptr ? std::string_view{source.json->text} : source.text;
  const auto words = split(key.words, '|');
  if (std::find(words.begin(), words.end(), text) == words.end()) return false;
  put(source, key, std::string{text});
  return true;
}

void SettingsReader::read_leaf(const Source& source, const KeySpec& key) {
  if (read_word(source, key)) return;
  switch (key.type) {
    case KeyType::boolean:
      if (source.json == nullptr && (source.text == "true" || source.text == "false")) {
        return put(source, key, source.text == "true");
      }
      if (source.json == nullptr || source.json->kind != ConfigValue::Kind::boolean) {
        return complain(source, fmt::format("is {}, allowed is true or false",
                                            source.json ? describe(source.json->kind) : source.text));
      }
      return put(source, key, source.json->boolean);
    case KeyType::integer: return read_integer(source, key);
    case KeyType::duration: return read_duration(source, key);
    case KeyType::size: return read_size(source, key);
    case KeyType::texts:
    case KeyType::networks: return read_texts(source, key);
    case KeyType::text_map: return read_text_map(source, key);
    default: return read_text(source, key);
  }
}

void SettingsReader::read_integer(const Source& source, const KeySpec& key) {
  std::int64_t value = 0;
  if (source.json != nullptr) {
    if (source.json->kind != ConfigValue::Kind::integer) {
      const bool is_text = source.json->kind == ConfigValue::Kind::string;
      return complain(source, fmt::format("is {}, {}",
                                          is_text ? fmt::format("\"{}\"", source.json->text)
                                                  : std::string{describe(source.json->kind)},
                                          allowed(key, "a whole number")));
    }
    value = source.json->integer;
  } else {
    const auto* end = source.text.data() + source.text.size();
    const auto read = std::from_chars(source.text.data(), end, value);
    if (source.text.empty() || read.ec != std::errc{} || read.ptr != end) {
      return complain(source,
                      fmt::format("\"{}\" is no whole number, {}", source.text, allowed(key, "a whole number")));
    }
  }
  if (!is_within(key, value))
    return complain(source, fmt::format("{} is out of bounds, {}", value, allowed(key, "a whole number")));
  put(source, key, value);
}

void SettingsReader::read_duration(const Source& source, const KeySpec& key) {
  constexpr std::string_view kWhat = "a duration such as \"250ms\", \"30s\", \"5m\" or \"2h\"";
  const bool is_zero =
      source.json != nullptr && source.json->kind == ConfigValue::Kind::integer && source.json->integer == 0;
  if (source.json != nullptr && source.json->kind != ConfigValue::Kind::string && !is_zero) {
    return complain(source, fmt::format("is {} without a unit, {}", describe(source.json->kind), allowed(key, kWhat)));
  }
  const std::string_view text = is_zero                  ? std::string_view{"0"}
                                : source.json != nullptr ? std::string_view{source.json->text}
                                                         : source.text;
  const auto value = parse_duration(text);
  if (!value) return complain(source, fmt::format("\"{}\" is no duration, {}", text, allowed(key, kWhat)));
  if (!is_within(key, value->count())) {
    return complain(source, fmt::format("\"{}\" is out of bounds, {}", text, allowed(key, "a duration")));
  }
  put(source, key, value->count());
}

void SettingsReader::read_size(const Source& source, const KeySpec& key) {
  constexpr std::string_view kWhat = "a number of bytes or a size such as \"64k\", \"16M\" or \"2G\"";
  std::optional<std::uint64_t> value;
  std::string shown;
  if (source.json != nullptr && source.json->kind == ConfigValue::Kind::integer) {
    shown = std::to_string(source.json->integer);
    if (source.json->integer >= 0) value = static_cast<std::uint64_t>(source.json->integer);
  } else if (source.json == nullptr || source.json->kind == ConfigValue::Kind::string) {
    const std::string_view text = source.json != nullptr ? std::string_view{source.json->text} : source.text;
    shown = fmt::format("\"{}\"", text);
    value = parse_size(text);
  } else {
    shown = std::string{describe(source.json->kind)};
  }
  if (!value) return complain(source, fmt::format("{} is no size, {}", shown, allowed(key, kWhat)));
  if (*value > static_cast<std::uint64_t>(INT64_MAX) || !is_within(key, static_cast<std::int64_t>(*value))) {
    return complain(source, fmt::format("{} is out of bounds, {}", shown, allowed(key, "a size")));
  }
  put(source, key, static_cast<std::int64_t>(*value));
}

void SettingsReader::read_text(const Source& source, const KeySpec& key) {
  if (source.json != nullptr && source.json->kind != ConfigValue::Kind::string) {
    return complain(source, fmt::format("is {}, {}", describe(source.json->kind),
                                        key.type == KeyType::choice ? "allowed is " + word_list(key.words)
                                                                    : "allowed is a string"));
  }
  const std::string_view text = source.json != nullptr ? std::string_view{source.json->text} : source.text;
  if (key.type == KeyType::choice) {
    return complain(source, fmt::format("\"{}\" is not known, allowed is {}", text, word_list(key.words)));
  }
  if (key.type == KeyType::address && !parse_listen_address(text)) {
    return complain(
        source, fmt::format("\"{}\" is no address, {}", text, allowed(key, "\"1.2.3.4:80\", \"[::1]:80\" or \":80\"")));
  }
  if (holds_nul(text)) return complain(source, std::string{kNoNul});
  put(source, key, std::string{text});
}

void SettingsReader::read_texts(const Source& source, const KeySpec& key) {
  std::vector<std::string> values;
  if (source.json == nullptr) {
    for (const auto part : split(source.text, ',')) values.emplace_back(part);
    return put(source, key, std::move(values));
  }
  if (source.json->kind != ConfigValue::Kind::array) {
    return complain(source, fmt::format("is {}, allowed is a list of strings", describe(source.json->kind)));
  }
  for (std::size_t i = 0; i < source.json->items.size(); ++i) {
    const ConfigValue& item = source.json->items[i];
    const Source at{&item, {}, origin_text(file_, item.at), fmt::format("{}[{}]", source.path, i)};
    if (item.kind != ConfigValue::Kind::string) {
      complain(at, fmt::format("is {}, allowed is a string", describe(item.kind)));
    } else if (key.type == KeyType::networks && !is_network(item.text)) {
      complain(at, fmt::format("\"{}\" is no network, allowed is \"10.0.0.0/8\", \"2001:db8::/32\" or one address",
                               item.text));
    } else if (holds_nul(item.text)) {
      complain(at, std::string{kNoNul});
    } else {
      values.push_back(item.text);
    }
  }
  put(source, key, std::move(values));
}

void SettingsReader::read_text_map(const Source& source, const KeySpec& key) {
  if (source.json == nullptr) return complain(source, "allowed is an object of strings");
  if (source.json->kind != ConfigValue::Kind::object) {
    return complain(source, fmt::format("is {}, allowed is an object of strings", describe(source.json->kind)));
  }
  TextMap map;
  for (const auto& member : source.json->members) {
    const Source at{&member.value, {}, origin_text(file_, member.value.at), joined(source.path, member.key)};
    if (member.value.kind != ConfigValue::Kind::string) {
      complain(at, fmt::format("is {}, allowed is a string", describe(member.value.kind)));
    } else if (holds_nul(member.key) || holds_nul(member.value.text)) {
      complain(at, std::string{kNoNul});
    } else {
      map.emplace_back(member.key, member.value.text);
    }
  }
  put(source, key, std::move(map));
}

void SettingsReader::apply(const Override& given) {
  const Source source{nullptr, given.value, given.origin, given.path};
  const KeySpec* key = find_key(pattern_of(given.path));
  if (key == nullptr && given.path.ends_with(']')) {  // one item of a list
    key = find_key(pattern_of(given.path.substr(0, given.path.rfind('['))));
    return put(source, *key, {});
  }
  if (key->type == KeyType::list) return put(source, *key, static_cast<std::int64_t>(std::stoll(given.value)));
  if (is_object(key->type)) return put(source, *key, {});
  read_leaf(source, *key);
}

void SettingsReader::fill_defaults() { fill("", ""); }

void SettingsReader::fill(std::string_view pattern, const std::string& path) {
  for (const KeySpec* key : child_keys(pattern)) {
    const std::string child = joined(path, last_part(key->path));
    if (key->type == KeyType::list) {
      for (std::size_t i = 0; i < settings_.count(child); ++i) {
        fill(fmt::format("{}[]", key->path), fmt::format("{}[{}]", child, i));
      }
      continue;
    }
    const bool is_present = settings_.values_.find(child) != settings_.values_.end();
    if (is_object(key->type)) {
      if (is_present || key->type == KeyType::group) fill(key->path, child);
      continue;
    }
    if (is_present) continue;
    if (key->need == Need::defaulted) {
      read_leaf({nullptr, key->fallback, "default", child}, *key);
    } else if (key->need == Need::required) {
      const bool was_wrong = std::any_of(problems_.begin(), problems_.end(),
                                         [&](const ConfigProblem& problem) { return problem.key == child; });
      if (!was_wrong) problems_.push_back({settings_.origin(path), child, "is missing; it is required here"});
    }
  }
}

Settings Settings::read(const ConfigValue* document, std::string_view file, const std::vector<Override>& overrides,
                        std::vector<ConfigProblem>& problems) {
  Settings settings;
  SettingsReader reader{settings, file, problems};
  if (document != nullptr) reader.read_document(*document);
  for (const Override& given : overrides) reader.apply(given);
  reader.fill_defaults();
  return settings;
}

}  // namespace equinox::appliance
