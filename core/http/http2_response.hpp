#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/date.hpp"
#include "http/http2_session.hpp"
#include "http/http2_stream.hpp"

namespace equinox::http {

/// The field lines of the response kept in a stream, in the order they are sent: :status, content-type,
/// content-length, date, server, then the application's. Built on the stack; views point into the stream, into literals
/// and, for what is marked as copied, into the date cache.
///
/// Left out is what belongs to a connection (RFC 9113 §8.2.2) and what the codec itself sets. HEAD, 1xx, 204, 205 and
/// 304 have no body here (RFC 9110 §6.4.1); HEAD still announces the length of what it would have been.
class ResponseLines {
 public:
  ResponseLines(Http2Stream& stream, const DateCache* date);
  [[nodiscard]] std::span<const Http2Session::Line> lines() const noexcept {
    if (!more_.empty()) return more_;
    return {inline_.data(), count_};
  }
  /// DATA or trailers follow.
  [[nodiscard]] bool has_body() const noexcept { return has_body_; }

 private:
  static constexpr std::size_t kInline = 16;
  void add(const Http2Session::Line& line);
  void add_application_field(std::string_view name, std::string_view value);
  void add_length(Http2Stream& stream);

  std::array<Http2Session::Line, kInline> inline_;
  std::size_t count_{0};
  std::vector<Http2Session::Line> more_;
  bool has_body_{false};
  bool has_server_{false};
};

}  // namespace equinox::http
