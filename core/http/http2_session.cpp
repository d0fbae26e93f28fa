#include "http/http2_session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "http/http2_frame_scanner.hpp"
#include "http/http2_response.hpp"
#include "http/http2_session_library.hpp"

namespace equinox::http {
namespace {

Errc error_of_library(int code) noexcept {
  switch (code) {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC: return Errc::h2_preface;
    case NGHTTP2_ERR_FLOODED: return Errc::h2_flood_ping;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: return Errc::h2_flood_continuation;
    case NGHTTP2_ERR_FLOW_CONTROL: return Errc::h2_flow_control;
    case NGHTTP2_ERR_HEADER_COMP: return Errc::h2_compression;
    default: return Errc::h2_internal;
  }
}

constexpr std::size_t kControlFrameBytes = 64;
constexpr std::size_t kControlKeepBytes = 256;
constexpr Duration kIndexIdEvery = std::chrono::seconds{10};  // the Date of each second pushes it towards the end

}  // namespace

Http2Session::Http2Session(const Limits& limits, Scheme scheme, Http2Memory& memory, TimePoint now)
    : limits_{limits}, memory_{memory}, scheme_{scheme}, budget_{limits, now}, now_{now}, events_{&late_events_} {
  nghttp2_mem mem = Callbacks::hooks(memory_);
  nghttp2_option* option = Callbacks::make_options(limits);
  {
    const Http2Memory::SharesFrameBuffer sharing{memory};
    expect_success(nghttp2_session_server_new3(&session_, Callbacks::shared(), this, option, &mem));
    memory_.adopt_page(sharing.page());
  }
  nghttp2_option_del(option);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.h2_concurrent_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.h2_stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits.head_max_bytes)},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  };
  expect_success(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings)));
  expect_success(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                                       static_cast<std::int32_t>(limits.h2_connection_window_bytes)));
}

Http2Session::~Http2Session() {
  if (valid_authority_ != nullptr) release_shared(valid_authority_);
  nghttp2_session_del(session_);
  free_closed();
  while (streams_ != nullptr) {
    Http2Stream* next = streams_->next;
    Http2Stream::destroy(streams_);
    streams_ = next;
  }
  memory_.release(counters_);
}

Http2Stream* Http2Session::upgrade(std::string_view settings_payload, const RequestHead& head) {
  const int result = nghttp2_session_upgrade2(session_, reinterpret_cast<const std::uint8_t*>(settings_payload.data()),
                                              settings_payload.size(), head.method == Method::head ? 1 : 0, nullptr);
  if (result != 0) return nullptr;
  Http2Stream* stream = Http2Stream::create(1, memory_, scheme_, &release_shared);
  nghttp2_session_set_stream_user_data(session_, 1, stream);  // a server's session takes none with the upgrade
  stream->adopt_head(head);
  open(*stream);
  return stream;
}

void Http2Session::begin_turn(TimePoint now) noexcept {
  now_ = now;
  if (closed_ != nullptr) free_closed();
}

void Http2Session::receive(std::span<const std::byte> bytes, std::vector<CodecEvent>& events) {
  if (is_fatal_ || failure_ || bytes.empty()) return;
  events_ = &events;
  const std::size_t queued = nghttp2_session_get_outbound_queue_size(session_);
  const ssize_t used =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    end_fatally(static_cast<int>(used));
  } else {
    settle();
    // The library does not say that it has given up on a connection; it queues a GOAWAY. Sending control frames ahead
    // finds that now, and keeps a peer that makes us answer from filling the queue. A stream that ends with it is told
    // now, too: what knows of it must not outlive it.
    if (nghttp2_session_get_outbound_queue_size(session_) > queued) send_queued_control();
    if (current_streams_ == 0) rest();
  }
  events_ = &late_events_;
}

void Http2Session::send_queued_control() {
  const std::uint8_t* data = nullptr;
  while (control_.size() < limits_.h2_output_backlog_max_bytes) {
    const ssize_t size = nghttp2_session_mem_send(session_, &data);  // without a batch: stops before DATA
    if (size < 0) return end_fatally(static_cast<int>(size));
    if (size == 0) break;
    control_.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
  settle();
}

void Http2Session::transmit(EgressBatch& batch, std::size_t high_watermark, std::vector<CodecEvent>& events) {
  count_blocked_time(now_);
  if (!late_events_.empty()) {
    events.insert(events.end(), late_events_.begin(), late_events_.end());
    late_events_.clear();
    late_events_.shrink_to_fit();
  }
  if (!control_.empty()) {
    batch.append(control_);
    control_.clear();
    if (control_.capacity() > kControlKeepBytes) control_.shrink_to_fit();
  }
  events_ = &events;
  batch_ = &batch;
  high_watermark_ = high_watermark;
  const std::uint8_t* data = nullptr;
  while (!is_fatal_ && batch.pending_bytes() < high_watermark) {
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) {
      end_fatally(static_cast<int>(size));
    } else if (size != 0) {
      batch.append({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)});
    } else if (noted_) {
      settle();  // queues a GOAWAY: once more
    } else {
      break;
    }
  }
  batch_ = nullptr;
  events_ = &late_events_;
  settle();
  if (batch.pending_bytes() < high_watermark) {
    mark_blocked();
  } else {
    waiting_bytes_ = 0;  // what goes on as soon as the batch has room is not held up by a window
  }
  if (current_streams_ == 0) rest();
}

// What callbacks noted is acted upon here, outside the library.
void Http2Session::settle() {
  if (!noted_) return;
  const Errc error = *noted_;
  noted_.reset();
  fail(error, noted_h2_error_);
}

void Http2Session::fail(Errc code, std::uint32_t h2_error) {
  if (failure_) return;
  failure_ = Error{code, 0, h2_error};
  if (!is_fatal_) expect_success(nghttp2_session_terminate_session(session_, h2_error));
}

// The library must not be used after such an error, so this one GOAWAY is written by hand.
void Http2Session::end_fatally(int library_error) {
  expect_success(library_error);
  is_fatal_ = true;
  next_asked_ = nullptr;
  const Errc code = error_of_library(library_error);
  const std::uint32_t h2_error = code == Errc::h2_internal ? kH2InternalError : kH2EnhanceYourCalm;
  const auto last = static_cast<std::uint32_t>(nghttp2_session_get_last_proc_stream_id(session_));
  std::array<char, 17> frame{0, 0, 8, kFrameGoaway};
  for (std::size_t i = 0; i < 4; ++i) {
    frame[9 + i] = static_cast<char>(last >> (24U - 8U * i));
    frame[13 + i] = static_cast<char>(h2_error >> (24U - 8U * i));
  }
  control_.append(frame.data(), frame.size());
  ++counters().goaways_sent[error_slot(h2_error)];
  counters().last_goaway_code = h2_error;
  counters().last_stream = last;
  if (!failure_) failure_ = Error{code, 0, h2_error};
}

void Http2Session::note(Errc error, std::uint32_t h2_error) noexcept {
  if (noted_ || failure_) return;
  noted_ = error;
  noted_h2_error_ = h2_error;
}

void Http2Session::spend(BudgetKind kind) {
  if (!budget_.take(kind, now_)) note(error_of(kind));
}

Http2Stream* Http2Session::look_up(StreamId stream) noexcept {
  if (is_fatal_) return nullptr;
  auto* found = static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, library_id(stream)));
  if (found != nullptr) next_asked_ = found->previous;
  return found;
}

// Four of the nine kilobytes of an idle session are the library's table of streams, all zeros while there are none.
// When that grows it is elsewhere, and its page is free or another session's.
void Http2Session::rest() noexcept {
  if (table_rests_ || memory_.page() == nullptr) return;
  table_rests_ = true;
  memory_.shared().pages().rest(memory_.page());
}

void Http2Session::open(Http2Stream& stream) noexcept {
  if (table_rests_) {
    table_rests_ = false;
    if (memory_.page() != nullptr) memory_.shared().pages().wake(memory_.page());
  }
  stream.next = streams_;
  if (streams_ != nullptr) streams_->previous = &stream;
  streams_ = &stream;
  highest_opened_ = stream.id;
  peak_streams_ = std::max(peak_streams_, ++current_streams_);
  ++counters().streams_opened;
}

void Http2Session::close(Http2Stream& stream, std::uint32_t error_code) {
  if (current_ == &stream) current_ = nullptr;
  if (sending_ == &stream) sending_ = nullptr;
  if (next_asked_ == &stream) next_asked_ = stream.previous;
  if (stream.next != nullptr) stream.next->previous = stream.previous;
  (stream.previous != nullptr ? stream.previous->next : streams_) = stream.next;
  --current_streams_;
  forget_upload(stream);
  if (stream.is_deferred) --deferred_streams_;
  forget_spent(stream);
  if (stream.is_answering && !stream.is_answered) --answering_streams_;
  if (stream.is_announced && !stream.is_answered) {
    uncount(stream);
    if (!stream.is_given_up) {
      append(*events_, stream, EventKind::reset, error_code);
      events_->back().size = static_cast<std::size_t>(stream.body.remaining_bytes());
      if (stream.is_refused_here) events_->back().error = Errc::h2_protocol;
    }
  } else if (!stream.is_announced && stream.is_refused_here && !stream.is_given_up) {
    // The library's verdict about a head, which nobody has been told of.
    append(*events_, stream, EventKind::malformed);
    events_->back().error = Errc::h2_protocol;
    events_->back().head = &stream.head;
  }
  if (stream.is_answered && stream.is_remote_closed) {
    completed_[completed_next_] = stream.id;
    completed_next_ = static_cast<std::uint8_t>((completed_next_ + 1U) % kCompletedKept);
  }
  stream.next = closed_;
  closed_ = &stream;
}

void Http2Session::free_closed() noexcept {
  while (closed_ != nullptr) {
    Http2Stream* next = closed_->next;
    Http2Stream::destroy(closed_);
    closed_ = next;
  }
}

bool Http2Session::was_completed(StreamId stream) const noexcept {
  return std::find(completed_.begin(), completed_.end(), stream) != completed_.end();
}

void Http2Session::append(std::vector<CodecEvent>& events, const Http2Stream& stream, EventKind kind,
                          std::uint64_t error_code) {
  CodecEvent& event = events.emplace_back();
  event.kind = kind;
  event.stream = stream.id;
  event.error_code = error_code;
}

void Http2Session::announce(Http2Stream& stream, std::vector<CodecEvent>& events) {
  stream.is_announced = true;
  count(stream);
  if (next_asked_ == nullptr) next_asked_ = &stream;
  CodecEvent& event = events.emplace_back();
  event.kind = EventKind::head;
  event.stream = stream.id;
  event.head = &stream.head;
  event.end_of_message = stream.is_remote_closed;
}

void Http2Session::refuse(Http2Stream& stream, Errc error) {
  if (!stream.is_announced) count(stream);
  stream.is_announced = true;
  stream.is_refused = true;
  CodecEvent event;
  event.kind = EventKind::refused;
  event.stream = stream.id;
  event.error = error;
  event.end_of_message = stream.is_remote_closed;
  event.head = &stream.head;
  events_->push_back(event);
}

void Http2Session::finish_head(Http2Stream& stream, bool end_of_stream) {
  const auto sound = stream.finish_head(end_of_stream, limits_);
  if (!wishes_.empty()) {
    if (const auto wish = wishes_.take(stream.id)) {
      prioritize(stream, *wish);
      stream.head.urgency = wish->urgency;
      stream.head.incremental = wish->incremental;
    }
  }
  if (!sound) {
    refuse(stream, sound.error().code);
  } else {
    announce(stream, *events_);
  }
}

void Http2Session::finish_body(Http2Stream& stream) {
  if (!stream.is_remote_closed && stream.is_announced && !stream.is_answered) ++half_closed_streams_;
  stream.is_remote_closed = true;
  if (stream.is_refused || stream.is_answered || stream.is_given_up) return;
  if (stream.trailers_exceed(limits_)) {
    if (stream.is_answering) {
      // Not reset(), whose caller knows: here the exchange is still to hear that its answer ends.
      expect_success(
          nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, library_id(stream.id), NGHTTP2_ENHANCE_YOUR_CALM));
      return;
    }
    return refuse(stream, Errc::trailers_too_large);
  }
  if (events_->empty() || events_->back().kind != EventKind::body || events_->back().stream != stream.id) {
    CodecEvent event;
    event.kind = EventKind::body;
    event.stream = stream.id;
    event.data = nullptr;
    events_->push_back(event);
  }
  events_->back().end_of_message = true;
  events_->back().trailer_fields = stream.finish_trailers();
}

void Http2Session::finish_response(Http2Stream& stream) {
  if (stream.is_answered) return;
  stream.is_answered = true;
  uncount(stream);
  --answering_streams_;
  // Without a batch its last bytes are among the control frames, which have no place in one yet.
  if (!stream.is_given_up) append(batch_ == nullptr ? late_events_ : *events_, stream, EventKind::sent);
  if (!stream.is_remote_closed) note_spent(stream);
}

void Http2Session::submit_response(Http2Stream& stream, const DateCache* date) {
  // Its name alone would cost as much as all other fields: from the second response on it is in the peer's table.
  const bool indexes_id = responses_ != 0 && now_ - id_indexed_at_ >= kIndexIdEvery;
  if (indexes_id) id_indexed_at_ = now_;
  ++responses_;
  const ResponseLines lines{stream, date, indexes_id};
  memory_.charge(stream.body.owned_bytes());
  if (lines.priority()) prioritize(stream, parse_priority(*lines.priority(), stream.priority));
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = &Callbacks::read_data;
  stream.is_answering = true;
  ++answering_streams_;
  expect_success(nghttp2_submit_response(session_, library_id(stream.id), lines.data(), lines.size(),
                                         lines.has_body() ? &provider : nullptr));
}

void Http2Session::submit_trailers(Http2Stream& stream) {
  const auto& trailers = stream.response.trailers();
  std::vector<nghttp2_nv> fields;
  fields.reserve(trailers.size());
  for (const auto& [name, value] : trailers) {  // copied, and so written in lower case, by the library
    fields.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                      NGHTTP2_NV_FLAG_NONE});
  }
  expect_success(nghttp2_submit_trailer(session_, library_id(stream.id), fields.data(), fields.size()));
}

void Http2Session::submit_continue(Http2Stream& stream) {
  static constexpr std::string_view kName = ":status";
  static constexpr std::string_view kValue = "100";
  const nghttp2_nv status{reinterpret_cast<std::uint8_t*>(const_cast<char*>(kName.data())),
                          reinterpret_cast<std::uint8_t*>(const_cast<char*>(kValue.data())), kName.size(),
                          kValue.size(), NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
  expect_success(
      nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, library_id(stream.id), nullptr, &status, 1, nullptr));
}

void Http2Session::prioritize(Http2Stream& stream, Priority priority) {
  stream.priority = priority;
  const nghttp2_extpri wish{priority.urgency, priority.incremental ? 1 : 0};
  // Over the request's own field, which the library would apply later.
  expect_success(nghttp2_session_change_extpri_stream_priority(session_, library_id(stream.id), &wish, 1));
}

// RFC 9218 §7.1.
void Http2Session::update_priority(std::string_view payload) {
  StreamId id = 0;
  for (const char octet : payload.substr(0, kStreamIdBytes)) id = (id << 8U) | static_cast<std::uint8_t>(octet);
  id &= 0x7fff'ffffU;
  if (id % 2 == 0) return note(Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR);  // 0, or a push that there was not
  const Priority wish = parse_priority(payload.substr(kStreamIdBytes));
  if (Http2Stream* stream = find(id)) {
    if (!stream->is_given_up) prioritize(*stream, wish);
  } else if (id > highest_opened_ && !wishes_.keep(id, wish, limits_.h2_concurrent_streams)) {
    note(Errc::h2_flood_priority, NGHTTP2_PROTOCOL_ERROR);
  }
}

void Http2Session::resume(Http2Stream& stream) {
  if (!stream.is_deferred) return;
  stream.is_deferred = false;
  --deferred_streams_;
  expect_success(nghttp2_session_resume_data(session_, library_id(stream.id)));
}

void Http2Session::reset(Http2Stream& stream, std::uint32_t error_code) {
  if (stream.is_given_up) return;
  stream.is_given_up = true;
  expect_success(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, library_id(stream.id), error_code));
}

void Http2Session::terminate(std::uint32_t error_code) {
  if (!is_fatal_) expect_success(nghttp2_session_terminate_session(session_, error_code));
}

void Http2Session::announce_shutdown() {
  if (!is_fatal_) expect_success(nghttp2_submit_shutdown_notice(session_));
}

void Http2Session::finish_shutdown() {
  if (is_fatal_) return;
  expect_success(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                                       NGHTTP2_NO_ERROR, nullptr, 0));
}

void Http2Session::ping() {
  if (is_fatal_ || ping_is_out_) return;
  ping_is_out_ = true;
  ping_sent_ = now_;
  std::array<std::uint8_t, 8> opaque{};
  const std::int64_t sent = now_.time_since_epoch().count();
  std::memcpy(opaque.data(), &sent, sizeof sent);
  expect_success(nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, opaque.data()));
}

bool Http2Session::wants_transmit() const noexcept {
  if (!control_.empty() || !late_events_.empty()) return true;
  return !is_fatal_ && nghttp2_session_want_write(session_) != 0;
}

bool Http2Session::is_finished() const noexcept {
  if (wants_transmit()) return false;
  return is_fatal_ || nghttp2_session_want_read(session_) == 0;
}

std::size_t Http2Session::backlog_bytes() const noexcept {
  if (is_fatal_) return control_.size();
  return control_.size() + nghttp2_session_get_outbound_queue_size(session_) * kControlFrameBytes;
}

std::int64_t Http2Session::connection_window() const noexcept {
  return is_fatal_ ? 0 : nghttp2_session_get_remote_window_size(session_);
}

std::int64_t Http2Session::receive_window() const noexcept {
  return is_fatal_ ? 0 : nghttp2_session_get_local_window_size(session_);
}

bool Http2Session::has_unfinished_request() const noexcept {
  for (const Http2Stream* stream = streams_; stream != nullptr; stream = stream->next) {
    if (!stream->is_remote_closed && !stream->is_answered) return true;
  }
  return false;
}

}  // namespace equinox::http
