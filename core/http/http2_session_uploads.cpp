#include <algorithm>

#include "http/http2_session_library.hpp"

// The windows that this side opens: what uploads may send before the application has taken what came (RFC 9113 §6.9).

namespace equinox::http {

void Http2Session::note_upload(Http2Stream& stream, std::size_t bytes) noexcept {
  stream.unconsumed_bytes += bytes;
  unconsumed_bytes_ += static_cast<std::int64_t>(bytes);
}

void Http2Session::consume(Http2Stream& stream, std::size_t bytes) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, stream.unconsumed_bytes));
  if (taken == 0) return;
  stream.unconsumed_bytes -= taken;
  expect_success(nghttp2_session_consume(session_, library_id(stream.id), taken));
  unconsumed_bytes_ -= static_cast<std::int64_t>(taken);
  stream.consumed_bytes += taken;
  if (stream.unconsumed_bytes == 0) widen(stream);
  give_back();
}

// A window is a bound of bytes a round trip: 64 KiB would hold an upload from afar to a hundredth of what HTTP/1 gets.
// An application that has taken all of a whole window so far will do so again. Half of the connection's window is left
// to others, if it stops after all: however many grow, they share the other half.
void Http2Session::widen(Http2Stream& stream) {
  const std::uint32_t widest = limits_.h2_connection_window_bytes / 2;
  const std::uint32_t window = std::max(stream.window_bytes, limits_.h2_stream_window_bytes);
  const std::uint32_t in_use = limits_.h2_stream_window_bytes + widened_bytes_;
  if (stream.consumed_bytes < window || in_use >= widest) return;
  if (stream.is_remote_closed || stream.is_answering || stream.is_given_up) return;
  const std::uint32_t more = std::min(window, widest - in_use);
  stream.consumed_bytes = 0;
  stream.window_bytes = window + more;
  widened_bytes_ += more;
  expect_success(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, library_id(stream.id),
                                                       static_cast<std::int32_t>(stream.window_bytes)));
}

// The library gives the connection's window back once half of it was taken. Of what uploads that stopped leave of it,
// that may be all and more: then nobody would get anything any more.
void Http2Session::give_back() {
  constexpr std::int64_t kLeastBytes = 16 * 1024;
  const std::int64_t left = nghttp2_session_get_local_window_size(session_);
  const std::int64_t taken = nghttp2_session_get_effective_recv_data_length(session_) - unconsumed_bytes_;
  if (taken < std::max(left, kLeastBytes)) return;
  expect_success(nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(taken)));
}

// What nobody will take any more is the connection's again.
void Http2Session::forget_upload(Http2Stream& stream) {
  if (stream.unconsumed_bytes != 0) {
    expect_success(nghttp2_session_consume_connection(session_, stream.unconsumed_bytes));
    unconsumed_bytes_ -= static_cast<std::int64_t>(stream.unconsumed_bytes);
  }
  if (stream.window_bytes != 0) widened_bytes_ -= stream.window_bytes - limits_.h2_stream_window_bytes;
}

}  // namespace equinox::http
