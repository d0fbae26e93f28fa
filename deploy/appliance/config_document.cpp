#include "config_document.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/unique_fd.hpp"

namespace equinox::appliance {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Of UTF-8: bytes that do not continue a character.
std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// Tells how far the parser has read: the only way to learn where a token ends.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* count) noexcept : at_{at}, count_{count} {}
  reference operator*() const noexcept { return *at_; }
  CountingIterator& operator++() noexcept {
    ++at_;
    ++*count_;
    return *this;
  }
  CountingIterator operator++(int) noexcept {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const noexcept { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const noexcept { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* count_;
};

/// Builds the tree. `cursor_` stands behind the last token, so the next token starts after blanks, comments and
/// separators; the counting iterator cannot tell the start, because a string's escapes hide its length.
class TreeBuilder : public nlohmann::json_sax<Json> {
 public:
  TreeBuilder(std::string_view text, std::string_view file, const std::size_t& consumed,
              std::vector<ConfigProblem>& problems)
      : text_{text}, file_{file}, consumed_{consumed}, problems_{problems} {
    if (text_.starts_with(kByteOrderMark)) cursor_ = line_start_ = kByteOrderMark.size();
  }

  bool null() override { return add(ConfigValue::Kind::null) != nullptr; }
  bool boolean(bool value) override {
    add(ConfigValue::Kind::boolean)->boolean = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    add_number(ConfigValue::Kind::integer)->integer = value;
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return number_float(static_cast<double>(value), {});
    return number_integer(static_cast<number_integer_t>(value));
  }
  bool number_float(number_float_t value, const string_t& written) override {
    // 2.0 and 2e3 are whole numbers to JSON Schema, and so to the editor that goes by it. What a double counts exactly.
    constexpr double kExact = 9'007'199'254'740'992.0;
    const bool is_fraction = std::trunc(value) != value;
    if (!written.empty() && !is_fraction && std::abs(value) < kExact) {
      return number_integer(static_cast<number_integer_t>(value));
    }
    // A whole number beyond 64 bits comes here too.
    const bool is_whole = written.find_first_of(".eE") == string_t::npos;
    add_number(is_whole ? ConfigValue::Kind::large : ConfigValue::Kind::number)->number = value;
    return true;
  }
  bool string(string_t& value) override {
    add(ConfigValue::Kind::string)->text = std::move(value);
    return true;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(ConfigValue::Kind::object); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(ConfigValue::Kind::array); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    const Position at = next_token();
    cursor_ = consumed_;
    auto& members = open_.back()->members;
    for (const auto& member : members) {
      if (member.key != value) continue;
      problems_.push_back({origin_text(file_, at), path_of(value),
                           fmt::format("given twice, first on line {}; a key may be given once", member.at.line)});
      break;
    }
    members.push_back({std::move(value), at, {}});
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& failure) override {
    const Position at = next_token();
    std::string_view what = failure.what();
    // "[json.exception…] parse error at line 1, column 2: syntax error while …": the position is told in front.
    if (const auto colon = what.find(": "); colon != std::string_view::npos) what.remove_prefix(colon + 2);
    problems_.push_back({origin_text(file_, at), "", std::string{what}});
    return false;
  }

  ConfigValue root;

 private:
  Position next_token() {
    skip_blank();
    return {line_, 1 + characters(line_start_, cursor_)};
  }

  /// "listeners[0].address" of a member of the object that is being read.
  [[nodiscard]] std::string path_of(const std::string& name) const {
    std::string path;
    for (std::size_t depth = 1; depth < open_.size(); ++depth) {
      const ConfigValue& parent = *open_[depth - 1];
      if (parent.kind == ConfigValue::Kind::array) {
        path += fmt::format("[{}]", parent.items.size() - 1);
      } else {
        path += (path.empty() ? "" : ".") + parent.members.back().key;
      }
    }
    return path.empty() ? name : path + "." + name;
  }

  void skip_blank() {
    while (cursor_ < text_.size()) {
      const char c = text_[cursor_];
      if (c == '/' && cursor_ + 1 < text_.size() && text_[cursor_ + 1] == '/') {
        while (cursor_ < text_.size() && text_[cursor_] != '\n') ++cursor_;
      } else if (c == '/' && cursor_ + 1 < text_.size() && text_[cursor_ + 1] == '*') {
        const auto end = text_.find("*/", cursor_ + 2);
        step_to(end == std::string_view::npos ? text_.size() : end + 2);
      } else if (std::strchr(" \t\r\n,:", c) != nullptr && c != '\0') {
        step_to(cursor_ + 1);
      } else {
        return;
      }
    }
  }

  void step_to(std::size_t end) {
    for (; cursor_ < end; ++cursor_) {
      if (text_[cursor_] != '\n') continue;
      ++line_;
      line_start_ = cursor_ + 1;
    }
  }

  [[nodiscard]] std::size_t characters(std::size_t from, std::size_t to) const {
    return from < std::min(to, text_.size()) ? count_characters(text_.substr(from, to - from)) : 0;
  }

  ConfigValue* place(ConfigValue::Kind kind, Position at) {
    ConfigValue* value = &root;
    if (!open_.empty()) {
      ConfigValue& parent = *open_.back();
      if (parent.kind == ConfigValue::Kind::array) {
        parent.items.push_back({});
        value = &parent.items.back();
      } else {
        value = &parent.members.back().value;
      }
    }
    value->kind = kind;
    value->at = at;
    return value;
  }

  ConfigValue* add(ConfigValue::Kind kind) {
    const Position at = next_token();
    cursor_ = consumed_;
    return place(kind, at);
  }

  // A number ends where the next character is none of its own: the parser has read that one already.
  ConfigValue* add_number(ConfigValue::Kind kind) {
    const Position at = next_token();
    while (cursor_ < text_.size() && std::strchr("+-.eE0123456789", text_[cursor_]) != nullptr) ++cursor_;
    return place(kind, at);
  }

  bool open(ConfigValue::Kind kind) {
    ConfigValue* value = add(kind);
    if (open_.size() == kDocumentMaxDepth) {
      problems_.push_back({origin_text(file_, value->at), "",
                           fmt::format("nested too deep, at most {} levels are allowed", kDocumentMaxDepth)});
      return false;
    }
    open_.push_back(value);
    return true;
  }

  bool close() {
    next_token();  // stands on the bracket unless a number's look-ahead is involved; either way it counts the lines
    if (cursor_ < text_.size() && (text_[cursor_] == '}' || text_[cursor_] == ']')) ++cursor_;
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string_view file_;
  const std::size_t& consumed_;
  std::vector<ConfigProblem>& problems_;
  // Pointers stay valid: a container grows only while its last element is complete, and only open ones are pointed to.
  std::vector<ConfigValue*> open_;
  std::size_t cursor_{0};
  std::size_t line_{1};
  std::size_t line_start_{0};
};

}  // namespace

namespace {

/// What a file says is repeated in messages: it must not make two of one, nor steer a terminal.
std::string on_one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string ConfigProblem::to_string() const {
  return on_one_line(key.empty() ? fmt::format("{}: {}", origin, message)
                                 : fmt::format("{}: {}: {}", origin, key, message));
}

std::string_view describe(ConfigValue::Kind kind) noexcept {
  switch (kind) {
    case ConfigValue::Kind::null: return "null";
    case ConfigValue::Kind::boolean: return "true or false";
    case ConfigValue::Kind::integer: return "a whole number";
    case ConfigValue::Kind::number: return "a number with a fraction";
    case ConfigValue::Kind::large: return "a whole number beyond 64 bits";
    case ConfigValue::Kind::string: return "a string";
    case ConfigValue::Kind::array: return "a list";
    case ConfigValue::Kind::object: return "an object";
  }
  return "a value";
}

std::string origin_text(std::string_view file, Position at) {
  return fmt::format("{}:{}:{}", file, at.line, at.column);
}

namespace {

/// Where the first NUL stands, if any: the parser takes it for the end of a comment and miscounts the lines behind.
std::optional<Position> find_nul(std::string_view text) {
  const std::size_t nul = text.find('\0');
  if (nul == std::string_view::npos) return std::nullopt;
  const std::string_view before = text.substr(0, nul);
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  std::size_t line_start = before.rfind('\n') + 1;  // 0 behind npos
  if (line_start == 0 && before.starts_with(kByteOrderMark)) line_start = kByteOrderMark.size();
  return Position{1 + lines, 1 + count_characters(before.substr(line_start))};
}

}  // namespace

std::optional<ConfigValue> read_document(std::string_view text, std::string_view file,
                                         std::vector<ConfigProblem>& problems) {
  if (text.size() > kDocumentMaxBytes) {
    problems.push_back({origin_text(file, {1, 1}), "",
                        fmt::format("{} bytes long, at most {} are allowed", text.size(), kDocumentMaxBytes)});
    return std::nullopt;
  }
  if (const auto at = find_nul(text)) {
    problems.push_back({origin_text(file, *at), "", "a NUL byte, allowed is text"});
    return std::nullopt;
  }
  std::size_t consumed = 0;
  TreeBuilder builder{text, file, consumed, problems};
  const bool is_whole =
      Json::sax_parse(CountingIterator{text.data(), &consumed}, CountingIterator{text.data() + text.size(), &consumed},
                      &builder, Json::input_format_t::json, true, true);
  if (!is_whole) return std::nullopt;
  return std::move(builder.root);
}

std::optional<std::string> read_document_text(const std::string& file) {
  const UniqueFd fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return std::nullopt;
  std::string text;
  std::array<char, 16384> block{};
  while (text.size() <= kDocumentMaxBytes) {
    const ssize_t got = ::read(fd.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace equinox::appliance
