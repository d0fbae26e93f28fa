#include "http/priority.hpp"

#include <cstddef>
#include <optional>

namespace equinox::http {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) noexcept { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

/// One bare item of a Structured Field, as far as a priority needs it.
struct Item {
  enum class Kind : std::uint8_t { integer, boolean, other } kind{Kind::other};
  std::int64_t number{0};
};

/// Reads RFC 8941 §4.2 from the front. Every reader returns false on a syntax error and never reads past the end.
class DictionaryReader {
 public:
  explicit DictionaryReader(std::string_view text) noexcept : text_{text} {}

  [[nodiscard]] bool at_end() const noexcept { return position_ == text_.size(); }
  [[nodiscard]] char peek() const noexcept { return at_end() ? '\0' : text_[position_]; }
  bool skip(char c) noexcept {
    if (at_end() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void skip_spaces() noexcept {
    while (skip(' ')) continue;
  }
  void skip_optional_white_space() noexcept {
    while (skip(' ') || skip('\t')) continue;
  }

  std::string_view key() noexcept {
    const std::size_t start = position_;
    if (!is_lower(peek()) && peek() != '*') return {};
    while (is_lower(peek()) || is_digit(peek()) || peek() == '_' || peek() == '-' || peek() == '.' || peek() == '*') {
      ++position_;
    }
    return text_.substr(start, position_ - start);
  }

  /// An item or an inner list, with its parameters.
  bool member_value(Item& item) noexcept {
    if (!(peek() == '(' ? inner_list(item) : bare_item(item))) return false;
    return parameters();
  }

  bool parameters() noexcept {
    while (skip(';')) {
      skip_spaces();
      if (key().empty()) return false;
      Item ignored;
      if (skip('=') && !bare_item(ignored)) return false;
    }
    return true;
  }

 private:
  bool inner_list(Item& item) noexcept {
    item.kind = Item::Kind::other;
    skip('(');
    for (;;) {
      skip_spaces();
      if (skip(')')) return true;
      Item element;
      if (!bare_item(element) || !parameters()) return false;
      if (peek() != ' ' && peek() != ')') return false;
    }
  }

  bool bare_item(Item& item) noexcept {
    item = {};
    const char first = peek();
    if (first == '-' || is_digit(first)) return number(item);
    if (first == '?') return boolean(item);
    if (first == '"') return string();
    if (first == ':') return byte_sequence();
    if (first == '*' || is_alpha(first)) return token();
    return false;
  }

  bool number(Item& item) noexcept {
    const bool negative = skip('-');
    std::size_t digits = 0;
    for (; is_digit(peek()); ++position_, ++digits) {
      if (digits == 15) return false;
      item.number = item.number * 10 + (peek() - '0');
    }
    if (digits == 0) return false;
    if (negative) item.number = -item.number;
    item.kind = Item::Kind::integer;
    if (!skip('.')) return true;
    item.kind = Item::Kind::other;  // a decimal
    std::size_t fraction = 0;
    for (; is_digit(peek()); ++position_) ++fraction;
    return digits <= 12 && fraction >= 1 && fraction <= 3;
  }

  bool boolean(Item& item) noexcept {
    skip('?');
    if (peek() != '0' && peek() != '1') return false;
    item = {Item::Kind::boolean, peek() - '0'};
    ++position_;
    return true;
  }

  bool string() noexcept {
    skip('"');
    while (!at_end()) {
      const char c = text_[position_++];
      if (c == '"') return true;
      if (c < 0x20 || c > 0x7e) return false;
      if (c == '\\' && !skip('"') && !skip('\\')) return false;
    }
    return false;
  }

  bool byte_sequence() noexcept {
    skip(':');
    while (!at_end()) {
      const char c = text_[position_++];
      if (c == ':') return true;
      if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '/' && c != '=') return false;
    }
    return false;
  }

  bool token() noexcept {
    constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~:/";
    while (!at_end() && (is_alpha(peek()) || is_digit(peek()) || kTokenMarks.find(peek()) != std::string_view::npos)) {
      ++position_;
    }
    return true;
  }

  std::string_view text_;
  std::size_t position_{0};
};

void apply(std::string_view key, const Item& item, Priority& priority) noexcept {
  if (key == "u" && item.kind == Item::Kind::integer && item.number >= 0 && item.number <= Priority::kLowestUrgency) {
    priority.urgency = static_cast<std::uint8_t>(item.number);
  } else if (key == "i" && item.kind == Item::Kind::boolean) {
    priority.incremental = item.number != 0;
  }
}

}  // namespace

Priority parse_priority(std::string_view value, Priority defaults) noexcept {
  Priority priority = defaults;
  DictionaryReader reader{value};
  reader.skip_spaces();
  while (!reader.at_end()) {
    const std::string_view key = reader.key();
    if (key.empty()) return defaults;
    Item item{Item::Kind::boolean, 1};  // a member without a value is true
    if (!(reader.skip('=') ? reader.member_value(item) : reader.parameters())) return defaults;
    apply(key, item, priority);
    reader.skip_optional_white_space();
    if (reader.at_end()) break;
    if (!reader.skip(',')) return defaults;
    reader.skip_optional_white_space();
    if (reader.at_end()) return defaults;  // a trailing comma
  }
  return priority;
}

}  // namespace equinox::http
