#include <algorithm>

#include "http/http2_session_library.hpp"

// Streams that wait for their peer: those that were answered before their requests were complete, and those behind a
// window that stays closed.

namespace equinox::http {
namespace {

/// How long who is answered before its request is complete may go on sending.
constexpr Duration kSpentPatience = std::chrono::milliseconds{200};

}  // namespace

bool Http2Session::may_answer_beyond(std::uint8_t urgency, std::size_t bound) const noexcept {
  std::size_t largest = 0;
  bool is_most_urgent = true;
  for (const Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    const std::size_t bytes = stream->body.owned_bytes();
    largest = std::max(largest, bytes);
    // As it was asked for: a PRIORITY_UPDATE that comes later must not make the next one more urgent than all.
    if (bytes != 0 && stream->head.urgency <= urgency) is_most_urgent = false;
  }
  return is_most_urgent || memory_.charged_bytes() - largest <= bound;
}

void Http2Session::note_spent(Http2Stream& stream) noexcept {
  stream.spent_at = now_;
  if (spent_streams_++ == 0) oldest_spent_at_ = now_;
}

void Http2Session::give_up_spent(TimePoint now) {
  if (spent_due() > now || is_fatal_) return;
  oldest_spent_at_ = now;
  for (Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    if (stream->spent_at == kNever) continue;
    if (now - stream->spent_at < kSpentPatience) {
      oldest_spent_at_ = std::min(oldest_spent_at_, stream->spent_at);
      continue;
    }
    forget_spent(*stream);
    stream->is_given_up = true;
    expect_success(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, library_id(stream->id), NGHTTP2_NO_ERROR));
  }
}

void Http2Session::forget_spent(Http2Stream& stream) noexcept {
  if (stream.spent_at == kNever) return;
  stream.spent_at = kNever;
  --spent_streams_;
}

TimePoint Http2Session::spent_due() const noexcept {
  return spent_streams_ == 0 || is_fatal_ ? kNever : oldest_spent_at_ + kSpentPatience;
}

void Http2Session::begin_write_window() noexcept {
  for (Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    stream->was_blocked = stream->is_blocked;
    stream->moved_bytes = 0;
  }
  moved_bytes_ = 0;
}

void Http2Session::stalled_streams(std::vector<StreamId>& into, std::uint64_t need) const {
  if (is_fatal_) return;
  const bool connection_moves = moved_bytes_ >= need;
  for (const Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    if (!stream->is_blocked || !stream->was_blocked || stream->moved_bytes >= need) continue;
    // Who waits for the connection's window only has its turn behind others, and that order is ours.
    const bool has_window = nghttp2_session_get_stream_remote_window_size(session_, library_id(stream->id)) > 0;
    if (!has_window || !connection_moves) into.push_back(stream->id);
  }
}

}  // namespace equinox::http
