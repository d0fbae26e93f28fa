#include <cstring>
#include <memory>
#include <utility>

#include "http/headers.hpp"
#include "http/http2_frame_scanner.hpp"
#include "http/http2_session_library.hpp"

namespace equinox::http {
namespace {

std::size_t frame_slot(std::uint8_t type) noexcept {
  return std::min<std::size_t>(type, ProtocolCounters::kFrameTypes - 1);
}
std::string_view text_of(nghttp2_rcbuf* shared) noexcept {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(shared);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

/// One such text is kept with each connection; most peers name one authority, and name it again and again.
constexpr std::size_t kKnownAuthorityMaxBytes = 128;

Errc error_of_goaway(std::uint32_t code) noexcept {
  switch (code) {
    case NGHTTP2_FLOW_CONTROL_ERROR: return Errc::h2_flow_control;
    case NGHTTP2_COMPRESSION_ERROR: return Errc::h2_compression;
    case NGHTTP2_FRAME_SIZE_ERROR: return Errc::h2_frame_size;
    case NGHTTP2_ENHANCE_YOUR_CALM: return Errc::h2_flood_settings;
    case NGHTTP2_INTERNAL_ERROR: return Errc::h2_internal;
    default: return Errc::h2_protocol;
  }
}

constexpr std::size_t kBombFactor = 4;                // a head this many times its limit is no mistake any more
constexpr std::size_t kTinyBytes = 32;                // DATA below this carries less than it costs
constexpr std::size_t kPriorityUpdateMaxBytes = 256;  // "u=1, i" and what may be added to it one day

}  // namespace

// The library hands out the same text, not a copy, when the peer refers to its table.
bool Http2Session::is_valid(nghttp2_rcbuf* authority, std::string_view text) noexcept {
  if (authority == valid_authority_) return true;
  if (text.size() > kKnownAuthorityMaxBytes || !is_valid_authority(text)) return false;
  nghttp2_rcbuf_incref(authority);
  if (valid_authority_ != nullptr) release_shared(valid_authority_);
  valid_authority_ = authority;
  return true;
}

struct Http2Session::Callbacks::Receiving {
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    const auto id = static_cast<StreamId>(frame->hd.stream_id);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
      session.current_ = session.find(id);
      return 0;
    }
    Http2Stream* stream = Http2Stream::create(id, session.memory_, session.scheme_, &release_shared);
    nghttp2_session_set_stream_user_data(session.session_, frame->hd.stream_id, stream);
    session.open(*stream);
    session.current_ = stream;
    return 0;
  }

  static int header(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name, nghttp2_rcbuf* value,
                    std::uint8_t, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    Http2Stream* stream = session.current_;
    if (stream == nullptr || session.noted_) return 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
      if (stream->add_trailer(text_of(name), text_of(value), session.limits_)) {
        nghttp2_rcbuf_incref(value);
        stream->hold(value);
      }
      if (stream->trailer_bytes() > kBombFactor * session.limits_.trailers_max_bytes) {
        session.note(Errc::h2_header_bomb);
      }
      return 0;
    }
    const std::string_view name_text = text_of(name);
    const std::string_view value_text = text_of(value);
    if (name_text.starts_with(':') && name_text == ":authority" && session.is_valid(value, value_text)) {
      stream->trust_authority();
    }
    if (stream->add_field(name_text, value_text, session.limits_)) {
      nghttp2_rcbuf_incref(value);
      stream->hold(value);
    }
    if (stream->head_bytes() > kBombFactor * session.limits_.head_max_bytes) session.note(Errc::h2_header_bomb);
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    switch (frame->hd.type) {
      case NGHTTP2_DATA: data_received(session, *frame); break;
      case NGHTTP2_HEADERS: headers_received(session, *frame); break;
      case NGHTTP2_RST_STREAM: ++session.counters().resets_received[error_slot(frame->rst_stream.error_code)]; break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) pong_received(session, *frame);
        break;
      case NGHTTP2_GOAWAY: {
        ProtocolCounters& counters = session.counters();
        ++counters.goaways_received[error_slot(frame->goaway.error_code)];
        counters.last_goaway_code = frame->goaway.error_code;
        counters.last_stream = static_cast<std::uint32_t>(frame->goaway.last_stream_id);
        break;
      }
      default: break;
    }
    return 0;
  }

  static void headers_received(Http2Session& session, const nghttp2_frame& frame) {
    Http2Stream* stream = std::exchange(session.current_, nullptr);
    if (stream == nullptr || session.noted_) return;
    const bool is_end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
      session.finish_head(*stream, is_end);
    } else if (is_end) {
      session.finish_body(*stream);
    }
  }

  static void data_received(Http2Session& session, const nghttp2_frame& frame) {
    const bool is_end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const std::size_t content = frame.hd.length - std::min(frame.hd.length, frame.data.padlen);
    session.budget_.earn_received(content);
    if (is_end) {
      if (Http2Stream* stream = session.find(static_cast<StreamId>(frame.hd.stream_id))) session.finish_body(*stream);
    } else if (content < kTinyBytes) {
      session.spend(content == 0 ? BudgetKind::empty : BudgetKind::tiny_data);
    }
  }

  static void pong_received(Http2Session& session, const nghttp2_frame& frame) {
    const std::int64_t sent = session.ping_sent_.time_since_epoch().count();
    if (!session.ping_is_out_ || std::memcmp(frame.ping.opaque_data, &sent, sizeof sent) != 0) return;
    session.ping_is_out_ = false;
    session.counters().ping_rtt_ns =
        static_cast<std::uint64_t>(std::max<std::int64_t>(1, (session.now_ - session.ping_sent_).count()));
  }

  static int extension_chunk(nghttp2_session*, const nghttp2_frame_hd*, const std::uint8_t* data, std::size_t size,
                             void* user_data) noexcept {
    std::string& payload = self(user_data).priority_update_;
    const std::size_t room = kPriorityUpdateMaxBytes + 1 - payload.size();
    payload.append(reinterpret_cast<const char*>(data), std::min(size, room));
    return 0;
  }

  static int extension_whole(nghttp2_session*, void**, const nghttp2_frame_hd*, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    // One that is too long for any wish says nothing.
    if (session.priority_update_.size() <= kPriorityUpdateMaxBytes) session.update_priority(session.priority_update_);
    session.priority_update_.clear();
    session.priority_update_.shrink_to_fit();
    return 0;
  }

  static int data_chunk(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size,
                        void* user_data) noexcept {
    Http2Session& session = self(user_data);
    Http2Stream* stream = session.find(static_cast<StreamId>(id));
    if (stream == nullptr || size == 0) return 0;
    session.note_upload(*stream, size);
    session.give_back();
    if (stream->is_refused || stream->is_answered || stream->is_given_up || !stream->is_announced) {
      session.consume(*stream, size);  // nobody will: the window must not stay shut for the other streams
      return 0;
    }
    CodecEvent event;
    event.kind = EventKind::body;
    event.stream = stream->id;
    event.data = reinterpret_cast<const std::byte*>(data);
    event.size = size;
    session.events_->push_back(event);
    return 0;
  }

  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t error_code, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    if (Http2Stream* stream = session.find_sending(static_cast<StreamId>(id))) session.close(*stream, error_code);
    return 0;
  }
};

struct Http2Session::Callbacks::Sending {
  static int frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    ++session.counters().frames_sent[frame_slot(frame->hd.type)];
    Http2Stream* stream = nullptr;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS: session.moved_bytes_ += frame->hd.length; [[fallthrough]];
      case NGHTTP2_DATA:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) break;
        stream = session.find_sending(static_cast<StreamId>(frame->hd.stream_id));
        if (stream != nullptr) session.finish_response(*stream);
        break;
      case NGHTTP2_RST_STREAM: reset_sent(session, *frame); break;
      case NGHTTP2_GOAWAY: goaway_sent(session, *frame); break;
      default: break;
    }
    return 0;
  }

  /// Fields that the library finds too large, of an answer or its trailers: without them the answer has no end.
  static int frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int error, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    if (frame->hd.type != NGHTTP2_HEADERS || error != NGHTTP2_ERR_FRAME_SIZE_ERROR) return 0;
    Http2Stream* stream = session.find(static_cast<StreamId>(frame->hd.stream_id));
    if (stream == nullptr || stream->is_given_up) return 0;
    session.append(session.batch_ == nullptr ? session.late_events_ : *session.events_, *stream, EventKind::failed);
    stream->is_given_up = true;
    expect_success(
        nghttp2_submit_rst_stream(session.session_, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR));
    return 0;
  }

  static void reset_sent(Http2Session& session, const nghttp2_frame& frame) {
    const std::uint32_t code = frame.rst_stream.error_code;
    ++session.counters().resets_sent[error_slot(code)];
    Http2Stream* stream = session.find(static_cast<StreamId>(frame.hd.stream_id));
    if (stream != nullptr) stream->is_refused_here = code != NGHTTP2_NO_ERROR;
    // Only what the peer provoked counts against it (CVE-2025-8671).
    if (code != NGHTTP2_NO_ERROR && (stream == nullptr || !stream->is_given_up)) session.spend(BudgetKind::own_reset);
  }

  static void goaway_sent(Http2Session& session, const nghttp2_frame& frame) {
    ProtocolCounters& counters = session.counters();
    const std::uint32_t code = frame.goaway.error_code;
    ++counters.goaways_sent[error_slot(code)];
    counters.last_goaway_code = code;
    counters.last_stream = static_cast<std::uint32_t>(frame.goaway.last_stream_id);
    if (code != NGHTTP2_NO_ERROR && !session.failure_) session.failure_ = Error{error_of_goaway(code), 0, code};
  }

  static int send_data(nghttp2_session*, nghttp2_frame*, const std::uint8_t* header, std::size_t length,
                       nghttp2_data_source* source, void* user_data) noexcept {
    Http2Session& session = self(user_data);
    auto& stream = *static_cast<Http2Stream*>(source->ptr);
    session.sending_ = &stream;
    stream.moved_bytes += length;
    session.moved_bytes_ += length;
    const std::size_t owned_bytes = stream.body.owned_bytes();
    stream.body.emit({reinterpret_cast<const char*>(header), kFrameHeaderBytes}, length, *session.batch_);
    session.memory_.discharge(owned_bytes - stream.body.owned_bytes());
    if (!session.sends_forced_tiny_) session.budget_.earn_sent(length);
    return session.batch_->pending_bytes() >= session.high_watermark_ ? NGHTTP2_ERR_PAUSE : 0;
  }
};

ssize_t Http2Session::Callbacks::read_data(nghttp2_session*, std::int32_t, std::uint8_t*, std::size_t length,
                                           std::uint32_t* flags, nghttp2_data_source* source,
                                           void* user_data) noexcept {
  Http2Session& session = self(user_data);
  auto& stream = *static_cast<Http2Stream*>(source->ptr);
  if (session.batch_ == nullptr || session.batch_->pending_bytes() >= session.high_watermark_) {
    return NGHTTP2_ERR_PAUSE;
  }
  const Http2BodyCursor::Plan plan = stream.body.plan(length, *session.batch_);
  if (plan.step == Http2BodyCursor::Step::pending) {
    stream.is_deferred = true;
    ++session.deferred_streams_;
    return NGHTTP2_ERR_DEFERRED;
  }
  if (plan.step == Http2BodyCursor::Step::failed) {
    session.append(*session.events_, stream, EventKind::failed);
    stream.is_given_up = true;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  session.sends_forced_tiny_ = plan.count == length && length < kTinyBytes && !plan.is_last;
  if (session.sends_forced_tiny_) session.spend(BudgetKind::tiny_answer);
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (plan.is_last) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.response.trailers().empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      session.submit_trailers(stream);
    }
  }
  return static_cast<ssize_t>(plan.count);
}

const nghttp2_session_callbacks* Http2Session::Callbacks::shared() {
  const auto make = [] {
    nghttp2_session_callbacks* callbacks = nullptr;
    expect_success(nghttp2_session_callbacks_new(&callbacks));
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Receiving::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, &Receiving::header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Receiving::frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Receiving::data_chunk);
    nghttp2_session_callbacks_set_on_extension_chunk_recv_callback(callbacks, &Receiving::extension_chunk);
    nghttp2_session_callbacks_set_unpack_extension_callback(callbacks, &Receiving::extension_whole);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Receiving::stream_closed);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, &Sending::frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, &Sending::frame_not_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, &Sending::send_data);
    return callbacks;
  };
  static const std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)> kCallbacks{
      make(), &nghttp2_session_callbacks_del};
  return kCallbacks.get();
}

nghttp2_option* Http2Session::Callbacks::make_options(const Limits& limits) {
  nghttp2_option* option = nullptr;
  expect_success(nghttp2_option_new(&option));
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_user_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
  nghttp2_option_set_max_settings(option, kMaxSettingsEntries);
  // Behind the budgets, which fire first and leave a reason: these end a session without one.
  nghttp2_option_set_max_outbound_ack(option, std::size_t{limits.h2_control_burst} * 2 + 1000);
#ifdef EQUINOX_NGHTTP2_STREAM_RESET_RATE_LIMIT
  nghttp2_option_set_stream_reset_rate_limit(option, std::uint64_t{limits.h2_reset_burst} * 4 + 1000,
                                             std::uint64_t{limits.h2_reset_per_second} * 4 + 33);
#endif
#ifdef EQUINOX_NGHTTP2_MAX_CONTINUATIONS
  nghttp2_option_set_max_continuations(option, std::size_t{limits.h2_max_continuations} * 2);
#endif
  return option;
}

nghttp2_mem Http2Session::Callbacks::hooks(Http2SessionMemory& memory) noexcept {
  nghttp2_mem mem{};
  mem.mem_user_data = &memory;
  mem.malloc = [](std::size_t size, void* user) noexcept -> void* {
    return static_cast<Http2SessionMemory*>(user)->allocate(size);
  };
  mem.free = [](void* block, void* user) noexcept { static_cast<Http2SessionMemory*>(user)->release(block); };
  mem.calloc = [](std::size_t count, std::size_t size, void* user) noexcept -> void* {
    return static_cast<Http2SessionMemory*>(user)->allocate_zeroed(count * size);
  };
  mem.realloc = [](void* block, std::size_t size, void* user) noexcept -> void* {
    return static_cast<Http2SessionMemory*>(user)->reallocate(block, size);
  };
  return mem;
}

}  // namespace equinox::http
