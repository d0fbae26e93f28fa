#include "http/http2_codec.hpp"

#include <algorithm>

#include "http/h2c_upgrade.hpp"

namespace equinox::http {

Http2Codec::Http2Codec(const Limits& limits, const Http2Options& options)
    : limits_{limits},
      date_{options.date},
      session_{limits_, options.scheme, options.memory, options.now},
      now_{options.now} {}

Result<std::unique_ptr<Http2Codec>> Http2Codec::upgraded(std::string_view settings_payload, const RequestHead& head,
                                                         const Limits& limits, const Http2Options& options) {
  if (!is_valid_settings_payload(settings_payload)) return Errc::invalid_argument;
  auto codec = std::make_unique<Http2Codec>(limits, options);
  codec->upgraded_ = codec->session_.upgrade(settings_payload, head);
  if (codec->upgraded_ == nullptr) return Errc::invalid_argument;
  codec->highest_stream_ = codec->highest_fed_ = 1;
  codec->opened_.open(1);
  return codec;
}

Result<std::size_t> Http2Codec::receive(std::span<const std::byte> input, std::vector<CodecEvent>& events,
                                        TimePoint now) {
  now_ = now;
  session_.begin_turn(now);
  if (session_.failure()) return *session_.failure();
  if (upgraded_ != nullptr) session_.announce(*std::exchange(upgraded_, nullptr), events);
  std::size_t fed = 0;
  if (const auto sound = scan(input, fed, events); !sound) {
    const Error error = sound.error();
    session_.fail(error.code, error.detail);
  }
  if (!session_.failure()) {
    session_.receive(input.subspan(fed), events);
    highest_fed_ = highest_stream_;
  }
  if (session_.failure()) return *session_.failure();
  return input.size();
}

namespace {

/// @param h2_error  what GOAWAY says (RFC 9113 §7)
Error connection_error(Errc code, std::uint32_t h2_error) noexcept { return {code, 0, h2_error}; }

}  // namespace

// Looks at every frame header before the library does. What stands before a frame that ends the connection is still
// fed, so that good requests ahead of it are seen; the frame itself is not.
Result<void> Http2Codec::scan(std::span<const std::byte> input, std::size_t& fed, std::vector<CodecEvent>& events) {
  std::size_t position = 0;
  while (position < input.size()) {
    FrameHeader frame;
    const auto found = scanner_.next(input, position, frame);
    if (found == Http2FrameScanner::Found::wrong_preface) {
      return connection_error(Errc::h2_preface, kH2ProtocolError);
    }
    if (found == Http2FrameScanner::Found::nothing) break;
    if (auto sound = judge(frame, input.subspan(position)); !sound) {
      if (position > kFrameHeaderBytes) session_.receive(input.first(position - kFrameHeaderBytes), events);
      fed = input.size();
      return sound;
    }
  }
  return {};
}

namespace {

/// PRIORITY is ignored (RFC 9113 §5.3.2) but still has a form: a stream, and one that does not depend on itself (RFC
/// 7540 §5.3.1). A payload that is cut off here is given the benefit of the doubt.
bool is_sound_priority(const FrameHeader& frame, std::span<const std::byte> payload) noexcept {
  if (frame.stream == 0) return false;
  if (frame.length != 5 || payload.size() < 4) return true;  // a wrong length is the library's to refuse
  std::uint32_t depends_on = 0;
  for (std::size_t i = 0; i < 4; ++i) depends_on = (depends_on << 8U) | static_cast<std::uint32_t>(payload[i]);
  return (depends_on & 0x7fff'ffffU) != frame.stream;
}

}  // namespace

Result<void> Http2Codec::spend(BudgetKind kind) {
  if (session_.budget().take(kind, now_)) return {};
  return connection_error(error_of(kind), kH2EnhanceYourCalm);
}

Result<void> Http2Codec::judge(const FrameHeader& frame, std::span<const std::byte> payload) {
  ++session_.counters().frames_received[std::min<std::size_t>(frame.type, ProtocolCounters::kFrameTypes - 1)];
  switch (frame.type) {
    case kFrameData: return judge_data(frame);
    case kFrameHeaders: continuations_ = 0; return judge_headers(frame);
    case kFrameContinuation:
      if (++continuations_ > limits_.h2_max_continuations)
        return connection_error(Errc::h2_flood_continuation, kH2EnhanceYourCalm);
      return {};
    case kFramePriority:
      if (!is_sound_priority(frame, payload)) return connection_error(Errc::h2_protocol, kH2ProtocolError);
      return spend(BudgetKind::priority);
    case kFramePriorityUpdate:
      if (frame.stream != 0) return connection_error(Errc::h2_protocol, kH2ProtocolError);
      if (frame.length < kStreamIdBytes) return connection_error(Errc::h2_frame_size, kH2FrameSizeError);
      return spend(BudgetKind::priority);
    case kFrameRstStream:
      if (frame.stream != 0 && frame.stream <= highest_stream_) {
        peer_has_reset_ = true;
        reset_by_peer_[reset_next_] = frame.stream;
        reset_next_ = static_cast<std::uint8_t>((reset_next_ + 1U) % reset_by_peer_.size());
      }
      return spend(BudgetKind::reset);
    case kFrameSettings:
      if (frame.length > kMaxSettingsEntries * 6) return connection_error(Errc::h2_flood_settings, kH2EnhanceYourCalm);
      return spend(BudgetKind::settings);
    case kFramePing: return spend(BudgetKind::ping);
    case kFrameWindowUpdate: return spend(BudgetKind::window_update);
    default: return spend(BudgetKind::empty);
  }
}

// RFC 9113 §5.1.1: ids only grow, and one that was jumped over is closed for good. The library ignores such frames; it
// has forgotten which streams it has seen.
Result<void> Http2Codec::judge_headers(const FrameHeader& frame) {
  if (frame.stream % 2 == 0) return {};  // the library refuses these
  if (was_reset_by_peer(frame.stream)) return connection_error(Errc::h2_protocol, kH2StreamClosed);
  if (frame.stream > highest_stream_) {
    opened_.open(frame.stream);
    highest_stream_ = frame.stream;
    session_.budget().earn_request();
    return {};
  }
  if (opened_.was_skipped(frame.stream)) return connection_error(Errc::h2_protocol, kH2ProtocolError);
  if (session_.was_completed(frame.stream)) return connection_error(Errc::h2_protocol, kH2StreamClosed);
  if (frame.stream > highest_fed_ || session_.find(frame.stream) != nullptr) return {};  // trailers
  return spend(BudgetKind::empty);  // on their way when the stream was reset: decoded for nobody, not for ever
}

Result<void> Http2Codec::judge_data(const FrameHeader& frame) {
  if (frame.stream == 0) return {};  // the library refuses it
  if (was_reset_by_peer(frame.stream)) return connection_error(Errc::h2_protocol, kH2StreamClosed);
  if (frame.stream > highest_fed_) return {};  // the library knows these
  if (session_.find(frame.stream) != nullptr) return {};
  if (opened_.was_skipped(frame.stream) || session_.was_completed(frame.stream)) {
    return connection_error(Errc::h2_protocol, kH2StreamClosed);
  }
  return spend(BudgetKind::empty);  // on its way when the stream was reset: tolerated, not for ever
}

// RFC 9113 §5.1: who has reset a stream sends nothing more on it. The last few are remembered; the library none.
bool Http2Codec::was_reset_by_peer(StreamId stream) const noexcept {
  return peer_has_reset_ && std::find(reset_by_peer_.begin(), reset_by_peer_.end(), stream) != reset_by_peer_.end();
}

void Http2Codec::respond(StreamId stream, Response&& response, EgressBatch& /*batch*/,
                         std::vector<CodecEvent>& /*events*/) {
  Http2Stream* target = session_.find(stream);
  if (target == nullptr || target->is_answering || target->is_given_up) return;
  target->response = std::move(response);
  session_.submit_response(*target, date_);
  target->release_head();
}

void Http2Codec::send_continue(StreamId stream, EgressBatch& /*batch*/) {
  Http2Stream* target = session_.find(stream);
  if (target == nullptr || target->is_answering || target->is_given_up || target->is_remote_closed) return;
  if (!target->head.expects_continue) return;
  target->head.expects_continue = false;  // once
  session_.submit_continue(*target);
}

void Http2Codec::transmit(EgressBatch& batch, std::size_t high_watermark, std::vector<CodecEvent>& events,
                          TimePoint now) {
  now_ = now;
  session_.begin_turn(now);
  session_.transmit(batch, high_watermark, events);
}

void Http2Codec::resume(StreamId stream) {
  if (Http2Stream* target = session_.find(stream)) session_.resume(*target);
}

void Http2Codec::consume(StreamId stream, std::size_t bytes) {
  if (Http2Stream* target = session_.find(stream)) session_.consume(*target, bytes);
}

void Http2Codec::reset(StreamId stream, std::uint32_t error_code) {
  if (Http2Stream* target = session_.find(stream)) session_.reset(*target, error_code);
}

bool Http2Codec::is_held_up(StreamId stream) {
  const Http2Stream* target = session_.find(stream);
  if (target == nullptr || !target->is_answering || target->is_answered) return false;
  return !target->is_deferred || session_.connection_window() <= 0;
}

std::uint64_t Http2Codec::unframed_bytes(StreamId stream) {
  const Http2Stream* target = session_.find(stream);
  return target == nullptr ? 0 : target->body.remaining_bytes();
}

bool Http2Codec::end_of_input() {
  peer_is_done_ = true;
  session_.forget_ping();
  return scanner_.is_inside_frame() || session_.has_unfinished_request();
}

void Http2Codec::begin_drain(DrainStep step) {
  if (step == DrainStep::announce) {
    session_.announce_shutdown();
  } else {
    session_.finish_shutdown();
  }
}

void Http2Codec::ping(TimePoint now) {
  session_.begin_turn(now);
  session_.ping();
}

TimePoint Http2Codec::next_due() const noexcept { return session_.spent_due(); }

void Http2Codec::give_up_due(TimePoint now) {
  session_.begin_turn(now);
  session_.give_up_spent(now);
}

void Http2Codec::begin_write_window() noexcept { session_.begin_write_window(); }

void Http2Codec::stalled_streams(std::vector<StreamId>& into, std::uint64_t need) const {
  session_.stalled_streams(into, need);
}

void Http2Codec::terminate(std::uint32_t error_code) { session_.terminate(error_code); }

bool Http2Codec::is_finished() const noexcept {
  return session_.is_finished() || (peer_is_done_ && session_.open_streams() == 0 && !session_.wants_transmit());
}

InputState Http2Codec::input_state() const noexcept {
  return {.can_receive = !session_.failure() && session_.backlog_bytes() <= limits_.h2_output_backlog_max_bytes,
          .head_started = scanner_.is_inside_head(),
          .request_head_started = scanner_.is_inside_request_head(),
          .preface_is_open = scanner_.preface_is_open()};
}

CodecState Http2Codec::state() const {
  CodecState state{input_state()};
  state.open_streams = session_.open_streams();
  state.half_closed_streams = session_.half_closed_streams();
  state.peak_streams = session_.peak_streams();
  state.wants_transmit = session_.wants_transmit();
  state.is_finished = is_finished();
  state.window_blocked = session_.blocked_streams();
  state.window_waiting_bytes = session_.waiting_bytes();
  state.connection_window = session_.connection_window();
  return state;
}

}  // namespace equinox::http
