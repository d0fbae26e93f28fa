#include <algorithm>
#include <new>
#include <utility>

#include "http/http2_session_library.hpp"

// What an observer may ask of a session: blocked time, streams, counters.

namespace equinox::http {

// Everything that may be sent has been: a response that is neither complete nor waiting for its source waits for the
// peer's window.
void Http2Session::mark_blocked() noexcept {
  const std::uint32_t waiting = answering_streams_ - deferred_streams_;
  if (waiting == 0 && blocked_streams_ == 0) return;
  blocked_streams_ = waiting;
  looked_at_ = now_;
  connection_is_blocked_ = connection_window() <= 0;
  waiting_bytes_ = 0;
  for (Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    stream->is_blocked = stream->is_answering && !stream->is_answered && !stream->is_deferred;
    if (stream->is_blocked) waiting_bytes_ += stream->body.remaining_bytes();
  }
}

void Http2Session::count_blocked_time(TimePoint now) noexcept {
  if (blocked_streams_ == 0 || now <= looked_at_) return;
  const auto elapsed = static_cast<std::uint64_t>((now - looked_at_).count());
  looked_at_ = now;
  ProtocolCounters& counted = counters();
  if (connection_is_blocked_) {
    counted.connection_blocked_ns += elapsed;
  } else {
    counted.stream_blocked_ns += elapsed * blocked_streams_;
  }
  for (Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    if (stream->is_blocked) stream->blocked_ns += elapsed;
  }
}

void Http2Session::describe(std::vector<StreamDescription>& into, TimePoint now) const {
  if (is_fatal_) return;
  for (const Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    const std::int32_t id = library_id(stream->id);
    StreamDescription shown;
    shown.stream = stream->id;
    shown.method = stream->head.method;
    shown.urgency = stream->priority.urgency;
    shown.incremental = stream->priority.incremental;
    shown.is_local_closed = stream->is_answered;
    shown.is_remote_closed = stream->is_remote_closed;
    shown.send_window_bytes = nghttp2_session_get_stream_remote_window_size(session_, id);
    shown.receive_window_bytes = nghttp2_session_get_stream_local_window_size(session_, id);
    shown.pending_bytes = stream->body.remaining_bytes();
    shown.blocked_ns = stream->blocked_ns;
    if (stream->is_blocked) {
      shown.blocked_ns += static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - looked_at_).count()));
    }
    shown.target.assign(stream->head.target);
    into.push_back(std::move(shown));
  }
}

std::size_t Http2Session::memory_bytes() const noexcept {
  const bool has_table = memory_.page() != nullptr && !table_rests_;
  return memory_.used_bytes() + (has_table ? Http2Pages::kPageBytes : 0) + control_.capacity() +
         wishes_.memory_bytes() + late_events_.capacity() * sizeof(CodecEvent);
}

ProtocolCounters& Http2Session::counters() {
  if (counters_ == nullptr) counters_ = new (memory_.allocate(sizeof(ProtocolCounters))) ProtocolCounters{};
  return *counters_;
}

bool Http2Session::take_counters(ProtocolCounters& into, TimePoint now) noexcept {
  // A peer that is silent brings no transmit() to count it.
  count_blocked_time(now);
  if (closed_ != nullptr) free_closed();
  if (counters_ == nullptr) return false;
  const ProtocolCounters& from = *counters_;
  for (std::size_t i = 0; i < ProtocolCounters::kFrameTypes; ++i) {
    into.frames_received[i] += from.frames_received[i];
    into.frames_sent[i] += from.frames_sent[i];
  }
  for (std::size_t i = 0; i < ProtocolCounters::kErrorCodes; ++i) {
    into.resets_received[i] += from.resets_received[i];
    into.resets_sent[i] += from.resets_sent[i];
    into.goaways_received[i] += from.goaways_received[i];
    into.goaways_sent[i] += from.goaways_sent[i];
  }
  into.streams_opened += from.streams_opened;
  into.last_goaway_code = from.last_goaway_code != 0 ? from.last_goaway_code : into.last_goaway_code;
  into.last_stream = from.last_stream != 0 ? from.last_stream : into.last_stream;
  into.ping_rtt_ns = from.ping_rtt_ns != 0 ? from.ping_rtt_ns : into.ping_rtt_ns;
  into.stream_blocked_ns += from.stream_blocked_ns;
  into.connection_blocked_ns += from.connection_blocked_ns;
  memory_.release(counters_);
  counters_ = nullptr;
  return true;
}

}  // namespace equinox::http
