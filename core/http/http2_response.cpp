#include "http/http2_response.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

bool has_upper_case(std::string_view name) noexcept {
  return std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string_view status_text(Http2Stream& stream) noexcept {
  const int code = stream.response.status().code();
  if (code == 200) return "200";
  const auto end = std::to_chars(stream.status_digits.data(), stream.status_digits.data() + 4, code).ptr;
  return {stream.status_digits.data(), static_cast<std::size_t>(end - stream.status_digits.data())};
}

}  // namespace

nghttp2_nv& ResponseLines::more_line() {
  if (more_.empty()) more_.assign(inline_, inline_ + count_);
  return more_.emplace_back();
}

// Told apart by length first: this runs for every field of every response. What speaks of a connection HTTP/2 does not
// have (RFC 9113 §8.2.2) a response cannot hold, but for an Upgrade.
void ResponseLines::add_application_field(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 6:
      if (equals_ignoring_case(name, "server")) has_server_ = true;
      break;
    case 7:
      if (equals_ignoring_case(name, "upgrade")) return;
      break;
    case 8:
      if (!priority_ && equals_ignoring_case(name, "priority")) priority_ = value;
      break;
    case 12:
      if (name == "x-request-id") {
        // A different value in every response: in the dynamic table it would only push out what comes again, and the
        // search for the next one would have to pass all those before it.
        add(name, value, indexes_id_ ? kKept : std::uint8_t{kKept | NGHTTP2_NV_FLAG_NO_INDEX});
        return;
      }
      break;
    default: break;
  }
  add(name, value, has_upper_case(name) ? std::uint8_t{NGHTTP2_NV_FLAG_NO_COPY_VALUE} : kKept);
}

void ResponseLines::add_length(Http2Stream& stream) {
  constexpr std::uint64_t kUnknown = UINT64_MAX;
  const std::uint64_t length = stream.response.body_length().value_or(kUnknown);
  if (length == kUnknown || stream.response.status().forbids_body()) return;
  char* const first = stream.length_digits.data();
  const auto end = std::to_chars(first, first + stream.length_digits.size(), length).ptr;
  add("content-length", {first, static_cast<std::size_t>(end - first)});
}

// Rendered again each second while this response may still wait: the stream keeps its own.
void ResponseLines::add_date(Http2Stream& stream, std::string_view date) {
  if (date.size() > stream.date.size()) return;
  std::memcpy(stream.date.data(), date.data(), date.size());
  add("date", {stream.date.data(), date.size()});
}

ResponseLines::ResponseLines(Http2Stream& stream, const DateCache* date, bool indexes_id) : indexes_id_{indexes_id} {
  Response& response = stream.response;
  add(":status", status_text(stream));
  if (!response.content_type().empty()) add("content-type", response.content_type());
  add_length(stream);
  if (date != nullptr) add_date(stream, date->date());
  for (std::size_t i = 0; i < response.inline_field_count(); ++i) {
    add_application_field(response.inline_field(i).name, response.inline_field(i).view());
  }
  for (const auto& [name, value] : response.more_fields()) add_application_field(name, value);
  if (date != nullptr && !has_server_ && !date->server().empty()) add("server", date->server());
  if (stream.head.method == Method::head || response.status().forbids_body()) return;
  stream.body.start(response);
  has_body_ = stream.body.has_bytes() || !response.trailers().empty();
}

}  // namespace equinox::http
