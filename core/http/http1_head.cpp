#include "http/http1_head.hpp"

#include <charconv>
#include <cstring>

#include "http/headers.hpp"
#include "http/target.hpp"

namespace equinox::http {
namespace {

/// The fields that mean something to the connection, as found in one pass.
struct Found {
  unsigned hosts{0};
  unsigned lengths{0};
  unsigned codings{0};
  bool has_close{false};
  bool has_keep_alive{false};
  bool has_other_expectation{false};
  std::string_view host;
  std::string_view length;
  std::string_view coding;
};

void note_connection(Found& found, std::string_view value) noexcept {
  if (equals_ignoring_case(value, "keep-alive")) {
    found.has_keep_alive = true;
    return;
  }
  while (const auto option = next_member(value)) {
    if (equals_ignoring_case(*option, "close")) found.has_close = true;
    if (equals_ignoring_case(*option, "keep-alive")) found.has_keep_alive = true;
  }
}

/// Dispatches on the length of the name first: most fields are none of these.
void note(Found& found, RequestHead& head, const Field& field) noexcept {
  switch (field.name.size()) {
    case 4:
      if (!is_literal_name(field.name, "host")) return;
      ++found.hosts;
      found.host = field.value;
      return;
    case 6:
      if (!is_literal_name(field.name, "expect")) return;
      if (equals_ignoring_case(field.value, "100-continue")) {
        head.expects_continue = true;
      } else {
        found.has_other_expectation = true;
      }
      return;
    case 7:
      if (is_literal_name(field.name, "upgrade") && list_has(field.value, "h2c")) head.upgrades_to_h2c = true;
      return;
    case 10:
      if (is_literal_name(field.name, "connection")) note_connection(found, field.value);
      return;
    case 14:
      if (!is_literal_name(field.name, "content-length")) return;
      ++found.lengths;
      found.length = field.value;
      return;
    case 17:
      if (!is_literal_name(field.name, "transfer-encoding")) return;
      ++found.codings;
      found.coding = field.value;
      return;
    default: return;
  }
}

Result<void> settle_framing(const Found& found, RequestHead& head) {
  if (found.codings != 0) {
    // RFC 9112 §6.1: a coding in HTTP/1.0, or beside a length, is how requests are smuggled.
    if (head.version == HttpVersion::http10 || found.lengths != 0) return Errc::conflicting_framing;
    if (found.codings > 1 || found.coding.empty()) return Errc::conflicting_framing;
    if (!equals_ignoring_case(found.coding, "chunked")) return Errc::transfer_coding_unknown;
    head.has_body = true;
    return {};
  }
  if (found.lengths == 0) return {};
  if (found.lengths > 1 || found.length.empty()) return Errc::conflicting_framing;
  std::uint64_t length = 0;
  for (const char c : found.length) {
    if (c < '0' || c > '9') return Errc::conflicting_framing;
  }
  const char* const last = found.length.data() + found.length.size();
  const auto [end, error] = std::from_chars(found.length.data(), last, length);
  if (error != std::errc{} || end != last) return Errc::content_too_large;
  head.content_length = length;
  head.has_body = length != 0;
  return {};
}

Result<void> settle_host(const Found& found, RequestHead& head, KnownAuthority& known) {
  if (found.hosts > 1) return Errc::bad_host;
  if (found.hosts == 0) return head.version == HttpVersion::http10 ? Result<void>{} : Result<void>{Errc::bad_host};
  if (!known.is_valid(found.host)) return Errc::bad_host;
  if (head.authority.empty()) head.authority = found.host;  // the absolute-form's goes first (RFC 9112 §3.2.2)
  return {};
}

}  // namespace

bool KnownAuthority::is_valid(std::string_view authority) noexcept {
  if (size_ != 0 && authority == std::string_view{text_.data(), size_}) return true;
  if (!is_valid_authority(authority)) return false;
  if (authority.size() <= text_.size()) {
    std::memcpy(text_.data(), authority.data(), authority.size());
    size_ = static_cast<std::uint8_t>(authority.size());
  }
  return true;
}

Result<void> interpret_head(RequestHead& head, std::string& scratch, KnownAuthority& known) {
  auto target = parse_target(head.method, head.target, scratch);
  if (!target) return target.error();
  // Half by half, as they were just written.
  const auto halves = [](std::string_view text) { return std::string_view{text.data(), text.size()}; };
  head.path = halves(target->path);
  head.query = halves(target->query);
  head.authority = halves(target->authority);

  Found found;
  for (const Field& field : head.fields) note(found, head, field);
  if (auto framing = settle_framing(found, head); !framing) return framing;
  if (auto host = settle_host(found, head, known); !host) return host;

  const bool is_http11 = head.version == HttpVersion::http11;
  head.keep_alive = !found.has_close && (is_http11 || found.has_keep_alive);
  if (is_http11 && found.has_other_expectation) return Errc::expectation_failed;
  head.expects_continue = head.expects_continue && is_http11 && head.has_body;
  return {};
}

}  // namespace equinox::http
