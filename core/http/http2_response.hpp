#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "http/date.hpp"
#include "http/http2_stream.hpp"

// Internal to the implementation of Http2Session: no other file may include this one, or nghttp2.

namespace equinox::http {

/// The field lines of the response kept in a stream, in the order they are sent: :status, content-type,
/// content-length, date, the application's, and server unless it is among these. Built on the stack for the library,
/// which copies names that are not in lower case; all else points into the stream or at literals and is not copied.
///
/// Left out is an Upgrade (RFC 9113 §8.2.2); nothing else that belongs to a connection gets into a response. HEAD, 1xx,
/// 204, 205 and 304 have no body here (RFC 9110 §6.4.1); HEAD still announces the length of what it would have been.
class ResponseLines {
 public:
  /// @param indexes_id  the request id goes into the peer's table
  ResponseLines(Http2Stream& stream, const DateCache* date, bool indexes_id);
  [[nodiscard]] const nghttp2_nv* data() const noexcept { return more_.empty() ? inline_ : more_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return more_.empty() ? count_ : more_.size(); }
  /// The application's Priority field (RFC 9218 §8).
  [[nodiscard]] const std::optional<std::string_view>& priority() const noexcept { return priority_; }
  /// DATA or trailers follow.
  [[nodiscard]] bool has_body() const noexcept { return has_body_; }

 private:
  static constexpr std::size_t kInline = 20;
  static constexpr std::uint8_t kKept = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE;
  void add(std::string_view name, std::string_view value, std::uint8_t flags = kKept) {
    if (count_ == kInline) {
      set(more_line(), name, value, flags);
    } else {
      set(inline_[count_++], name, value, flags);
    }
  }
  /// In place: what was just put together is not copied.
  static void set(nghttp2_nv& line, std::string_view name, std::string_view value, std::uint8_t flags) {
    line.name = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
    line.value = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
    line.namelen = name.size();
    line.valuelen = value.size();
    line.flags = flags;
  }
  nghttp2_nv& more_line();
  void add_application_field(std::string_view name, std::string_view value);
  void add_length(Http2Stream& stream);
  void add_date(Http2Stream& stream, std::string_view date);

  nghttp2_nv inline_[kInline];  // only live elements are written
  std::size_t count_{0};
  std::vector<nghttp2_nv> more_;
  std::optional<std::string_view> priority_;
  const bool indexes_id_;
  bool has_body_{false};
  bool has_server_{false};
};

}  // namespace equinox::http
