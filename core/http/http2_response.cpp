#include "http/http2_response.hpp"

#include <algorithm>
#include <charconv>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

bool has_upper_case(std::string_view name) noexcept {
  return std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Set by the codec, or about a connection HTTP/2 does not have (RFC 9113 §8.2.2). Told apart by length first: this runs
// for every field of every response.
bool is_left_out(std::string_view name) noexcept {
  switch (name.size()) {
    case 4: return equals_ignoring_case(name, "date");
    case 7: return equals_ignoring_case(name, "upgrade");
    case 10: return equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "keep-alive");
    case 14: return equals_ignoring_case(name, "content-length");
    case 16: return equals_ignoring_case(name, "proxy-connection");
    case 17: return equals_ignoring_case(name, "transfer-encoding");
    default: return name.empty() || name.front() == ':';
  }
}

std::string_view status_text(Http2Stream& stream) noexcept {
  const int code = stream.response.status().code();
  if (code == 200) return "200";
  const auto end = std::to_chars(stream.status_digits.data(), stream.status_digits.data() + 4, code).ptr;
  return {stream.status_digits.data(), static_cast<std::size_t>(end - stream.status_digits.data())};
}

}  // namespace

void ResponseLines::add_beyond(const nghttp2_nv& line) {
  if (more_.empty()) more_.assign(inline_, inline_ + count_);
  more_.push_back(line);
}

void ResponseLines::add_application_field(std::string_view name, std::string_view value) {
  if (name == "x-request-id") {
    // A different value in every response: in the dynamic table it would only push out what comes again, and the search
    // for the next one would have to pass all those before it.
    add(name, value, kKept | NGHTTP2_NV_FLAG_NO_INDEX);
    return;
  }
  if (is_left_out(name)) return;
  if (name.size() == 6 && equals_ignoring_case(name, "server")) has_server_ = true;
  add(name, value, has_upper_case(name) ? std::uint8_t{NGHTTP2_NV_FLAG_NO_COPY_VALUE} : kKept);
}

void ResponseLines::add_length(Http2Stream& stream) {
  const auto length = stream.response.body_length();
  if (!length || stream.response.status().forbids_body()) return;
  char* const first = stream.length_digits.data();
  const auto end = std::to_chars(first, first + stream.length_digits.size(), *length).ptr;
  add("content-length", {first, static_cast<std::size_t>(end - first)});
}

ResponseLines::ResponseLines(Http2Stream& stream, const DateCache* date) {
  Response& response = stream.response;
  add(":status", status_text(stream));
  if (!response.content_type().empty()) add("content-type", response.content_type());
  add_length(stream);
  if (date != nullptr)
    add("date", date->date(), NGHTTP2_NV_FLAG_NO_COPY_NAME);  // rendered again while this one may still wait
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
