#include "http/h2c_upgrade.hpp"

#include "http/headers.hpp"

namespace equinox::http {
namespace {

constexpr std::size_t kSettingBytes = 6;
constexpr std::size_t kSettingsMaxCount = 32;

int base64url_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  return c == '_' ? 63 : -1;
}

/// RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1.
bool is_in_range(unsigned id, std::uint32_t value) noexcept {
  switch (id) {
    case 2:
    case 8:
    case 9: return value <= 1;
    case 4: return value <= 0x7fffffffU;
    case 5: return value >= 16384 && value <= 0xffffffU;
    default: return true;
  }
}

std::uint32_t big_endian(std::string_view bytes) noexcept {
  std::uint32_t value = 0;
  for (const char c : bytes) value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int value = base64url_value(c);
    if (value < 0) return std::nullopt;
    bits = ((bits << 6U) | static_cast<std::uint32_t>(value)) & 0xffffU;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xffU));
    }
  }
  if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;  // two texts for one payload
  return out;
}

bool is_valid_settings_payload(std::string_view payload) noexcept {
  if (payload.size() % kSettingBytes != 0 || payload.size() > kSettingBytes * kSettingsMaxCount) return false;
  for (; !payload.empty(); payload.remove_prefix(kSettingBytes)) {
    if (!is_in_range(big_endian(payload.substr(0, 2)), big_endian(payload.substr(2, 4)))) return false;
  }
  return true;
}

std::optional<std::string> h2c_settings(const RequestHead& head) {
  if (head.version != HttpVersion::http11 || head.scheme != Scheme::http || head.has_body) return std::nullopt;
  if (!any_list_has(head.fields, "upgrade", "h2c") || !any_list_has(head.fields, "connection", "upgrade")) {
    return std::nullopt;
  }
  if (!any_list_has(head.fields, "connection", "http2-settings")) return std::nullopt;
  if (count_fields(head.fields, "http2-settings") != 1) return std::nullopt;
  auto payload = decode_base64url(*find_field(head.fields, "http2-settings"));
  if (!payload || !is_valid_settings_payload(*payload)) return std::nullopt;
  return payload;
}

}  // namespace equinox::http
