#include "base/log_format.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <ctime>

namespace equinox {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void append_hex_escape(std::string& out, std::string_view prefix, unsigned char byte) {
  out += prefix;
  out += kHex[byte >> 4U];
  out += kHex[byte & 15U];
}

// The letter of a short escape that both formats share; 0 when there is none.
char short_escape(unsigned char byte) noexcept {
  switch (byte) {
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '"': return '"';
    case '\\': return '\\';
    default: return '\0';
  }
}

bool is_continuation(std::string_view bytes, std::size_t index) noexcept {
  return index < bytes.size() && (static_cast<unsigned char>(bytes[index]) & 0xc0U) == 0x80U;
}

// Length of the well-formed UTF-8 sequence (RFC 3629 §4) at the start of `bytes`, whose first byte is ≥ 0x80; 0: none.
std::size_t utf8_length(std::string_view bytes) noexcept {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = bytes.size() > 1 ? static_cast<unsigned char>(bytes[1]) : 0U;
  if (first >= 0xc2 && first <= 0xdf) return is_continuation(bytes, 1) ? 2 : 0;
  if (!is_continuation(bytes, 1) || !is_continuation(bytes, 2)) return 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool is_overlong = first == 0xe0 && second < 0xa0;
    const bool is_surrogate = first == 0xed && second > 0x9f;
    return is_overlong || is_surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4 && is_continuation(bytes, 3)) {
    const bool is_outside = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return is_outside ? 0 : 4;
  }
  return 0;
}

template <typename N>
void append_number(std::string& out, N value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

bool needs_quotes(std::string_view text) noexcept {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || byte == '"' || byte == '\\' || byte == '=') return true;
  }
  return false;
}

}  // namespace

void append_text_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (const char letter = short_escape(byte)) {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte >= 0x7f) {
      append_hex_escape(out, "\\x", byte);
    } else {
      out += c;
    }
  }
}

void append_controls_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      append_text_escaped(out, {&c, 1});
    }
  }
}

void append_json_escaped(std::string& out, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    std::size_t used = 1;
    if (const char letter = short_escape(byte)) {
      out += '\\';
      out += letter;
    } else if (byte < 0x20 || byte == 0x7f) {
      append_hex_escape(out, "\\u00", byte);
    } else if (byte < 0x80) {
      out += bytes.front();
    } else if (const std::size_t length = utf8_length(bytes); length != 0) {
      out.append(bytes.substr(0, length));
      used = length;
    } else {
      append_hex_escape(out, "\\\\x", byte);
    }
    bytes.remove_prefix(used);
  }
}

// JSON knows neither infinity nor NaN.
void append_value(std::string& out, const LogRecord::Field& field) {
  switch (field.kind) {
    case LogRecord::Kind::integer: append_number(out, static_cast<std::int64_t>(field.bits)); break;
    case LogRecord::Kind::unsigned_integer: append_number(out, field.bits); break;
    case LogRecord::Kind::boolean: out += field.bits != 0 ? "true" : "false"; break;
    case LogRecord::Kind::real: {
      const auto value = std::bit_cast<double>(field.bits);
      if (std::isfinite(value)) {
        append_number(out, value);
      } else {
        out += "null";
      }
      break;
    }
    case LogRecord::Kind::text: out += field.text; break;
  }
}

void append_text_fields(std::string& out, const LogRecord& record) {
  std::size_t position = 0;
  LogRecord::Field field;
  while (record.next_field(position, field)) {
    out += ' ';
    out += field.key;
    out += '=';
    if (field.kind != LogRecord::Kind::text) {
      append_value(out, field);
    } else if (needs_quotes(field.text)) {
      out += '"';
      append_text_escaped(out, field.text);
      out += '"';
    } else {
      out += field.text;
    }
  }
  if (record.is_cut()) out += " cut=true";
}

void append_json(std::string& out, const LogRecord& record) {
  out += R"({"time":")";
  append_time(out, record.at());
  out += R"(","level":")";
  out += to_string(record.level());
  out += R"(","component":")";
  out += to_string(record.component());
  out += '"';
  if (!record.message().empty()) {
    out += R"(,"message":")";
    append_json_escaped(out, record.message());
    out += '"';
  }
  std::size_t position = 0;
  LogRecord::Field field;
  while (record.next_field(position, field)) {
    out += ",\"";
    append_json_escaped(out, field.key);
    out += "\":";
    if (field.kind == LogRecord::Kind::text) {
      out += '"';
      append_json_escaped(out, field.text);
      out += '"';
    } else {
      append_value(out, field);
    }
  }
  if (record.is_cut()) out += ",\"cut\":true";
  out += '}';
}

void append_time(std::string& out, std::chrono::system_clock::time_point at) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
  std::int64_t seconds = milliseconds / 1000;
  std::int64_t rest = milliseconds % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  const auto calendar_seconds = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&calendar_seconds, &parts);
  std::array<char, 40> text;
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  out.append(text.data(), size);
  out += '.';
  out += static_cast<char>('0' + rest / 100);
  out += static_cast<char>('0' + rest / 10 % 10);
  out += static_cast<char>('0' + rest % 10);
  out += 'Z';
}

}  // namespace equinox
