#include "server/request_identity.hpp"

#include <cstring>

namespace equinox::server {

namespace {

constexpr bool is_lower_hex(char c) noexcept { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool equals_lower(std::string_view name, std::string_view lower) noexcept {
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = name[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != lower[i]) return false;
  }
  return true;
}

constexpr bool is_all(std::string_view text, char c) noexcept {
  return text.find_first_not_of(c) == std::string_view::npos;
}

/// The last `count` digits of a number to the base of 62.
void write_digits(std::uint64_t number, char* into, std::size_t count) noexcept {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  while (count-- > 0) {
    into[count] = kDigits[number % kDigits.size()];
    number /= kDigits.size();
  }
}

}  // namespace

IdentityFields identity_fields(std::span<const Field> fields) noexcept {
  constexpr std::string_view kRequestId = "x-request-id";
  constexpr std::string_view kTraceparent = "traceparent";
  IdentityFields out;
  for (const Field& field : fields) {
    // Lengths first: nearly every field is done with one comparison.
    if (field.name.size() == kRequestId.size()) {
      if (out.request_id.empty() && equals_lower(field.name, kRequestId)) out.request_id = field.value;
    } else if (field.name.size() == kTraceparent.size()) {
      if (out.traceparent.empty() && equals_lower(field.name, kTraceparent)) out.traceparent = field.value;
    }
  }
  return out;
}

std::string_view request_id_in(std::string_view head) noexcept {
  constexpr std::string_view kName = "\r\nx-request-id:";
  head = head.substr(0, head.find("\r\n\r\n"));
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    std::string_view value = head.substr(at);
    if (value.size() < kName.size() || !equals_lower(value, kName)) continue;
    value.remove_prefix(kName.size());
    value = value.substr(0, value.find("\r\n"));
    constexpr std::string_view kBlank = " \t";
    const std::size_t begin = value.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return {};
    return value.substr(begin, value.find_last_not_of(kBlank) + 1 - begin);
  }
  return {};
}

bool is_acceptable_request_id(std::string_view text) noexcept {
  if (text.empty() || text.size() > 64) return false;
  for (const char c : text) {
    const bool is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                         std::string_view{"._:/+=-"}.find(c) != std::string_view::npos;
    if (!is_fine) return false;
  }
  return true;
}

RequestIds::RequestIds(std::uint64_t process, ReactorIndex reactor) noexcept {
  next_.fill('0');
  write_digits(process, next_.data(), kProcessDigits);
  write_digits(reactor, next_.data() + kProcessDigits, kReactorDigits);
}

void RequestIds::advance() noexcept {
  for (std::size_t i = kSize; i-- > kPrefixDigits;) {
    char& digit = next_[i];
    switch (digit) {
      case '9': digit = 'A'; return;
      case 'Z': digit = 'a'; return;
      case 'z': digit = '0'; break;
      default: ++digit; return;
    }
  }
}

std::string_view trace_id_of(std::string_view traceparent) noexcept {
  // version "-" trace-id "-" parent-id "-" flags; later versions may append (W3C Trace Context §4.3).
  if (traceparent.size() < 55 || traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  const std::string_view version = traceparent.substr(0, 2);
  if (version == "ff" || (version == "00" && traceparent.size() != 55)) return {};
  if (traceparent.size() > 55 && traceparent[55] != '-') return {};
  for (std::size_t i = 0; i < 55; ++i) {
    if (i != 2 && i != 35 && i != 52 && !is_lower_hex(traceparent[i])) return {};
  }
  const std::string_view trace = traceparent.substr(3, 32);
  if (is_all(trace, '0') || is_all(traceparent.substr(36, 16), '0')) return {};
  return trace;
}

}  // namespace equinox::server
