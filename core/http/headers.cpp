#include "http/headers.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace equinox::http {
namespace {

constexpr void mark(std::array<std::uint8_t, 256>& table, std::string_view octets, std::uint8_t bits) {
  for (const char c : octets) {
    std::uint8_t& entry = table[static_cast<unsigned char>(c)];
    entry = static_cast<std::uint8_t>(entry | bits);
  }
}

constexpr std::array<std::uint8_t, 256> make_octets() {
  constexpr std::string_view kAlphaNumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::array<std::uint8_t, 256> table{};
  mark(table, kAlphaNumeric, kToken | kTargetPath | kTargetQuery | kRegName | kPlainPath);
  mark(table, "!#$%&'*+-.^_`|~", kToken);
  // Unreserved and sub-delims (RFC 3986 §3.2.2) but for the comma: "a,b" is how two Host fields look when joined.
  mark(table, "-._~!$&'()*+;=", kRegName);
  mark(table, "-._~!$&'()*+,;=:@/%^`{|}[]", kTargetPath | kTargetQuery);
  mark(table, "-_~!$&'()*+,;=:@/^`{|}[]", kPlainPath);
  mark(table, "?\\", kTargetQuery);
  mark(table, "0123456789abcdefABCDEF", kHexDigit);
  for (unsigned c = 0; c < 256; ++c) {
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) table[c] = static_cast<std::uint8_t>(table[c] | kFieldValue);
  }
  return table;
}

bool is_port(std::string_view text) noexcept {
  if (text.empty()) return true;  // RFC 3986 §3.2.3: "a.example:" is the default port
  if (text.size() > 5) return false;
  unsigned port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port <= 65535;
}

// Eight octets at once: fields and their values are looked at for every request.
constexpr std::uint64_t kEach = 0x0101'0101'0101'0101ULL;
constexpr std::uint64_t kHighBits = kEach * 0x80;

std::uint64_t eight_octets(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Four to eight octets; both halves may overlap.
std::uint64_t up_to_eight_octets(const char* at, std::size_t size) noexcept {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::memcpy(&first, at, sizeof first);
  std::memcpy(&last, at + size - sizeof last, sizeof last);
  return std::uint64_t{first} | std::uint64_t{last} << 32U;
}

/// A control character is in there, or a tab, which is fine: below 0x20, or 0x7f. None is missed.
bool may_be_unsafe(std::uint64_t word) noexcept {
  return (((word - kEach * 0x20) | (word + kEach)) & ~word & kHighBits) != 0;
}

/// Octet by octet, out of the way of values in which nothing may be unsafe.
[[gnu::noinline]] bool is_safe_throughout(std::string_view value) noexcept { return all_octets(value, kFieldValue); }

std::uint64_t lower(std::uint64_t word) noexcept {
  const std::uint64_t seven_bits = word & ~kHighBits;
  const std::uint64_t from_a = seven_bits + kEach * (0x80 - 'A');
  const std::uint64_t past_z = seven_bits + kEach * (0x7f - 'Z');
  return word | (((from_a ^ past_z) & ~word & kHighBits) >> 2U);
}

/// Most names that differ do so in more than case.
bool words_match(std::uint64_t a, std::uint64_t b) noexcept {
  return a == b || (((a ^ b) & ~(kEach * 0x20)) == 0 && lower(a) == lower(b));
}

bool is_ipv6_literal(std::string_view text) noexcept {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy) return false;
  copy[text.copy(copy, text.size())] = '\0';
  in6_addr parsed{};
  return ::inet_pton(AF_INET6, copy, &parsed) == 1;
}

}  // namespace

constinit const std::array<std::uint8_t, 256> kOctets = make_octets();

bool all_octets(std::string_view text, std::uint8_t classes) noexcept {
  return std::all_of(text.begin(), text.end(), [classes](char c) { return is_octet(c, classes); });
}

bool is_safe_value(std::string_view value) noexcept {
  if (value.size() < 4) return is_safe_throughout(value);
  if (value.size() < 8) {
    return !may_be_unsafe(up_to_eight_octets(value.data(), value.size())) || is_safe_throughout(value);
  }
  const char* const last = value.data() + value.size() - 8;
  for (const char* at = value.data(); at < last; at += 8) {
    if (may_be_unsafe(eight_octets(at))) return is_safe_throughout(value);
  }
  return !may_be_unsafe(eight_octets(last)) || is_safe_throughout(value);
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool same_ignoring_case(const char* a, const char* b, std::size_t size) noexcept {
  if (size < 4) {
    for (std::size_t i = 0; i < size; ++i) {
      if (to_lower(a[i]) != to_lower(b[i])) return false;
    }
    return true;
  }
  if (size < 8) return words_match(up_to_eight_octets(a, size), up_to_eight_octets(b, size));
  const std::size_t last = size - 8;
  for (std::size_t i = 0; i < last; i += 8) {
    if (!words_match(eight_octets(a + i), eight_octets(b + i))) return false;
  }
  return words_match(eight_octets(a + last), eight_octets(b + last));
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> find_field(std::span<const Field> fields, std::string_view name) noexcept {
  for (const Field& field : fields) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t count_fields(std::span<const Field> fields, std::string_view name) noexcept {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(), [name](const Field& field) { return equals_ignoring_case(field.name, name); }));
}

std::optional<std::string_view> next_member(std::string_view& list) noexcept {
  while (!list.empty()) {
    std::size_t end = 0;
    bool is_quoted = false;
    while (end < list.size() && (is_quoted || list[end] != ',')) {
      if (list[end] == '"') is_quoted = !is_quoted;
      if (is_quoted && list[end] == '\\' && end + 1 < list.size()) ++end;
      ++end;
    }
    const std::string_view member = trim(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (!member.empty()) return member;
  }
  return std::nullopt;
}

bool list_has(std::string_view list, std::string_view token) noexcept {
  while (const auto member = next_member(list)) {
    if (equals_ignoring_case(*member, token)) return true;
  }
  return false;
}

bool any_list_has(std::span<const Field> fields, std::string_view name, std::string_view token) noexcept {
  return std::any_of(fields.begin(), fields.end(), [name, token](const Field& field) {
    return equals_ignoring_case(field.name, name) && list_has(field.value, token);
  });
}

bool is_forbidden_in_trailers(std::string_view name) noexcept {
  static constexpr std::string_view kForbidden[] = {"authorization",
                                                    "cache-control",
                                                    "connection",
                                                    "content-encoding",
                                                    "content-length",
                                                    "content-range",
                                                    "content-type",
                                                    "cookie",
                                                    "expect",
                                                    "host",
                                                    "http2-settings",
                                                    "keep-alive",
                                                    "max-forwards",
                                                    "proxy-authenticate",
                                                    "proxy-authorization",
                                                    "proxy-connection",
                                                    "range",
                                                    "set-cookie",
                                                    "te",
                                                    "trailer",
                                                    "transfer-encoding",
                                                    "upgrade",
                                                    "www-authenticate"};
  return std::any_of(std::begin(kForbidden), std::end(kForbidden),
                     [name](std::string_view forbidden) { return equals_ignoring_case(name, forbidden); });
}

bool is_valid_authority(std::string_view authority) noexcept {
  if (authority.empty()) return false;
  if (authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos || !is_ipv6_literal(authority.substr(1, close - 1))) return false;
    const std::string_view rest = authority.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const char* at = authority.data();
  const char* const end = at + authority.size();
  while (at != end && (kOctets[static_cast<unsigned char>(*at)] & kRegName) != 0) ++at;
  if (at == authority.data()) return false;
  if (at == end) return true;
  if (*at != ':' || end - at > 6) return false;
  // RFC 3986 §3.2.3: "a.example:" is the default port
  unsigned port = 0;
  while (++at != end) {
    const unsigned digit = static_cast<unsigned char>(*at) - unsigned{'0'};
    if (digit > 9) return false;
    port = port * 10 + digit;
  }
  return port <= 65535;
}

int weight_of(std::string_view value) noexcept {
  if (value.empty() || (value[0] != '0' && value[0] != '1') || value.size() > 5) return 0;
  int weight = (value[0] - '0') * 1000;
  int scale = 100;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (i == 1 ? value[i] != '.' : value[i] < '0' || value[i] > '9') return 0;
    if (i == 1) continue;
    weight += (value[i] - '0') * scale;
    scale /= 10;
  }
  return std::min(weight, 1000);
}

std::string_view host_of(std::string_view authority) noexcept {
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    return close == std::string_view::npos ? authority : authority.substr(0, close + 1);
  }
  return authority.substr(0, authority.find(':'));
}

}  // namespace equinox::http
