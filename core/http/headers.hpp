#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <equinox/request.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace equinox::http {

/// What one octet may be part of; combine with `|`, ask with is_octet().
enum Octet : std::uint8_t {
  kToken = 1,        ///< tchar, RFC 9110 §5.6.2
  kTargetPath = 2,   ///< may stand in the path of a request target: RFC 3986 pchar and '/', and ^ ` { | } [ ] which
                     ///< browsers send unencoded
  kTargetQuery = 4,  ///< the same for the query, which may also hold '?' and '\'
  kRegName = 8,      ///< may stand in a host that is not an IP literal: RFC 3986 §3.2.2 without percent signs
  kHexDigit = 16,
  kPlainPath = 64,   ///< kTargetPath without '%' and '.': nothing to decode, no dot segment
  kFieldValue = 32,  ///< field-value, RFC 9110 §5.5: visible, space, tab and obs-text
};
extern const std::array<std::uint8_t, 256> kOctets;

inline bool is_octet(char c, std::uint8_t classes) noexcept {
  return (kOctets[static_cast<unsigned char>(c)] & classes) != 0;
}
/// True when `text` consists of such octets only; also for an empty text.
bool all_octets(std::string_view text, std::uint8_t classes) noexcept;
inline bool is_token(std::string_view text) noexcept { return !text.empty() && all_octets(text, kToken); }
/// True when a field value can be written as it is: no CR, LF or NUL (RFC 9110 §5.5), and no other control character
/// but a tab either, for which HTTP/2 clients refuse the whole answer.
bool is_safe_value(std::string_view value) noexcept;
/// 0–15, or -1.
int hex_value(char c) noexcept;

constexpr char to_lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
/// Compared without ASCII case (RFC 9110 §5.1).
bool same_ignoring_case(const char* a, const char* b, std::size_t size) noexcept;
inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && same_ignoring_case(a.data(), b.data(), a.size());
}
/// Whether `name`, a token, is the lower-case literal but for case. The lengths must be equal: ask for them first.
/// Octets that only share the other five bits with a letter or '-' are no tokens.
template <std::size_t N>
bool is_literal_name(std::string_view name, const char (&literal)[N]) noexcept {
  constexpr std::size_t kSize = N - 1;
  static_assert(kSize >= 4);
  const auto word_at = [](const char* at, auto zero) {
    auto word = zero;
    std::memcpy(&word, at, sizeof word);
    return word;
  };
  if constexpr (kSize >= 8) {
    constexpr std::uint64_t kLower = 0x2020'2020'2020'2020ULL;
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < kSize; i += 8) {
      const std::size_t from = i + 8 <= kSize ? i : kSize - 8;
      difference |= (word_at(name.data() + from, std::uint64_t{0}) | kLower) ^
                    (word_at(literal + from, std::uint64_t{0}) | kLower);
    }
    return difference == 0;
  } else {
    constexpr std::uint32_t kLower = 0x2020'2020U;
    constexpr std::size_t kTail = kSize - 4;
    return (((word_at(name.data(), std::uint32_t{0}) | kLower) ^ (word_at(literal, std::uint32_t{0}) | kLower)) |
            ((word_at(name.data() + kTail, std::uint32_t{0}) | kLower) ^
             (word_at(literal + kTail, std::uint32_t{0}) | kLower))) == 0;
  }
}
/// SP or HTAB at an end, which no value in HTTP/2 has (RFC 9113 §8.2.1). Of a safe value: nothing else is as low.
inline bool has_outer_blank(std::string_view value) noexcept {
  return !value.empty() &&
         (static_cast<unsigned char>(value.front()) <= ' ' || static_cast<unsigned char>(value.back()) <= ' ');
}
/// Without surrounding SP and HTAB (OWS, RFC 9110 §5.6.3).
std::string_view trim(std::string_view text) noexcept;

/// First field of that name, without case.
std::optional<std::string_view> find_field(std::span<const Field> fields, std::string_view name) noexcept;
/// How many fields have that name.
std::size_t count_fields(std::span<const Field> fields, std::string_view name) noexcept;
/// True when a comma-separated list (RFC 9110 §5.6.1) holds `token`, without case.
bool list_has(std::string_view list, std::string_view token) noexcept;
/// The same over all fields of that name.
bool any_list_has(std::span<const Field> fields, std::string_view name, std::string_view token) noexcept;

/// Takes the next member off a comma-separated list: trimmed, empty members skipped; nothing at the end.
/// Quoted strings are kept whole (RFC 9110 §5.6.4).
std::optional<std::string_view> next_member(std::string_view& list) noexcept;

/// "0.75" → 750: a weight (RFC 9110 §12.4.2) in thousandths; 0 when it cannot be read.
int weight_of(std::string_view value) noexcept;

/// Fields that must not arrive as trailers: framing, routing, authentication, content (RFC 9110 §6.5.1).
bool is_forbidden_in_trailers(std::string_view name) noexcept;

/// Fields of an answer that describe the message on its connection: the codec writes them, or they do not exist in
/// HTTP/2.
inline bool is_codecs_own(std::string_view name) noexcept {
  switch (name.size()) {
    case 4: return equals_ignoring_case(name, "date");
    case 10: return equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive");
    case 14: return equals_ignoring_case(name, "content-length");
    case 16: return equals_ignoring_case(name, "proxy-connection");
    case 17: return equals_ignoring_case(name, "transfer-encoding");
    default: return false;
  }
}
/// What no route can have on all its answers. A single answer over HTTP/1 may have an Upgrade (RFC 9110 §15.5.22).
inline bool is_no_field_of_routes(std::string_view name) noexcept {
  return is_codecs_own(name) || equals_ignoring_case(name, "upgrade");
}

/// Host or authority without userinfo: reg-name, IPv4 or [IPv6], with an optional port (RFC 9110 §7.2). Not empty.
bool is_valid_authority(std::string_view authority) noexcept;
/// The host part of an authority: "a.example" of "a.example:80", "[::1]" of "[::1]:80".
std::string_view host_of(std::string_view authority) noexcept;

}  // namespace equinox::http
