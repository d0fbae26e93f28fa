// The answering half of Http1Codec.

#include <algorithm>
#include <type_traits>

#include "http/http1_codec.hpp"

namespace equinox::http {
namespace {

/// The content that is small enough to be copied behind the head; empty when there is none or it is too large.
std::string_view copyable(const Body& body) noexcept {
  std::string_view bytes;
  if (const auto* view = std::get_if<std::string_view>(&body)) {
    bytes = *view;
  } else if (const auto* text = std::get_if<std::string>(&body)) {
    bytes = *text;
  } else if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) {
    if (*shared != nullptr) bytes = **shared;
  }
  return bytes.size() < Http1Codec::kCopyMaxBytes ? bytes : std::string_view{};
}

PullResult pull_safely(BodySource& source, std::span<char> into) noexcept {
  try {
    const PullResult result = source.pull(into);
    return result.count <= into.size() ? result : PullResult{PullStatus::failed, 0};
  } catch (...) {
    return {PullStatus::failed, 0};
  }
}

}  // namespace

void Http1Codec::respond(StreamId stream, Response&& response, EgressBatch& batch, std::vector<CodecEvent>& events) {
  if (egress_ != Egress::none) return;
  // Stream 0: the connection refuses whatever is coming, also when no error of ours is the cause (a deadline).
  if (stream == 0 && ingress_ == Ingress::head) static_cast<void>(fail(Error{Errc::timed_out}));
  const bool is_awaited = ingress_ == Ingress::body || ingress_ == Ingress::complete;
  if (!is_refusing_ && (stream != stream_ || !is_awaited)) return;

  keep_alive_ = decide_keep_alive(response);
  const Framing framing = decide_framing(response);  // may end keep-alive
  const auto connection = !keep_alive_ ? ConnectionField::close
                          : is_http10_ ? ConnectionField::keep_alive
                                       : ConnectionField::none;
  const bool has_content = !is_head_request_ && !response.status().forbids_body();
  const std::string_view copied = has_content ? copyable(response.body()) : std::string_view{};
  write_head(batch, response, framing, connection, shared_->date, copied);
  egress_ = Egress::done;
  if (ingress_ == Ingress::body) leave_body_unread();
  if (has_content && copied.empty()) start_body(std::move(response), framing, batch);
  if (egress_ == Egress::done) finish_answer(events);
}

bool Http1Codec::can_discard_rest() const noexcept {
  // A client that waits for 100 may send its body or not: what comes next could be read two ways (RFC 9110 §10.1.1).
  if (expects_continue_ && !continue_sent_ && parser_->body_bytes() == 0) return false;
  const auto length = parser_->head().content_length;
  return !length || *length - parser_->body_bytes() <= kDrainMaxBytes;
}

bool Http1Codec::decide_keep_alive(const Response& response) const noexcept {
  if (!peer_keeps_alive_ || is_draining_ || is_refusing_ || response.closes_connection()) return false;
  return ingress_ == Ingress::complete || can_discard_rest();
}

Framing Http1Codec::decide_framing(const Response& response) noexcept {
  const Status status = response.status();
  if (status == Status{205}) return {Framing::Kind::length, 0};  // RFC 9110 §15.3.6
  if (status.forbids_body()) return {};
  constexpr std::uint64_t kUnknown = UINT64_MAX;
  const std::uint64_t length = response.body_length().value_or(kUnknown);
  const bool has_trailers = response.has_more() && !response.trailers().empty() && !is_http10_ && !is_head_request_ &&
                            std::holds_alternative<std::unique_ptr<BodySource>>(response.body());
  if (length != kUnknown && !has_trailers) return {Framing::Kind::length, length};
  if (is_head_request_) return {};
  if (!is_http10_) return {Framing::Kind::chunked, 0};
  keep_alive_ = false;  // only the end of the connection can end this body
  return {};
}

void Http1Codec::leave_body_unread() noexcept {
  if (!keep_alive_) {
    ingress_ = Ingress::closed;
    return;
  }
  ingress_ = Ingress::discard;
  parser_->answer.discard_until = parser_->body_bytes() + kDrainMaxBytes;
}

void Http1Codec::start_body(Response&& response, const Framing& framing, EgressBatch& batch) {
  Body& body = response.body();
  if (auto* view = std::get_if<std::string_view>(&body)) {
    batch.append_borrowed(*view, {});
  } else if (auto* text = std::get_if<std::string>(&body)) {
    if (text->empty()) return;
    auto keeper = std::make_shared<const std::string>(std::move(*text));
    const std::string_view bytes = *keeper;
    const std::size_t owned_bytes = keeper->capacity();
    batch.append_borrowed(bytes, std::move(keeper), owned_bytes);
  } else if (auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) {
    if (*shared == nullptr) return;
    const std::string_view bytes = **shared;
    batch.append_borrowed(bytes, std::move(*shared));
  } else if (auto* file = std::get_if<FileBody>(&body)) {
    if (file->file != nullptr) batch.append_file(std::move(file->file), file->offset, file->length);
  } else if (auto* source = std::get_if<std::unique_ptr<BodySource>>(&body); source != nullptr && *source != nullptr) {
    if (parser_ == nullptr) parser_ = shared_->parsers.borrow();
    Http1Parser::Answer& answer = parser_->answer;
    answer.trailers = response.trailers();
    answer.is_chunked = framing.kind == Framing::Kind::chunked;
    answer.has_length = framing.kind == Framing::Kind::length;
    answer.remaining_bytes = framing.length;
    answer.source = std::move(*source);
    egress_ = Egress::streaming;
    is_waiting_ = false;
  }
}

void Http1Codec::finish_answer(std::vector<CodecEvent>& events) {
  CodecEvent& event = events.emplace_back();
  event.kind = EventKind::sent;
  event.stream = stream_;
  event.error_code = 0;
  egress_ = Egress::done;
  if (!keep_alive_) {
    close();
  } else if (ingress_ == Ingress::complete) {
    next_message();
  } else if (parser_->answer.source != nullptr) {
    parser_->answer.source.reset();  // still discarding the request's body
  }
}

void Http1Codec::fail_answer(std::vector<CodecEvent>& events) {
  CodecEvent event;
  event.kind = EventKind::failed;
  event.stream = stream_;
  event.error_code = 0;
  event.error = Errc::body_failed;
  events.push_back(event);
  close();  // a cut body must not look complete (RFC 9112 §8)
}

void Http1Codec::send_continue(StreamId stream, EgressBatch& batch) {
  if (stream != stream_ || ingress_ != Ingress::body || egress_ != Egress::none) return;
  if (!expects_continue_ || continue_sent_ || parser_->body_bytes() != 0) return;
  continue_sent_ = true;
  batch.append("HTTP/1.1 100 Continue\r\n\r\n");
}

void Http1Codec::transmit(EgressBatch& batch, std::size_t high_watermark, std::vector<CodecEvent>& events,
                          TimePoint /*now*/) {
  while (egress_ == Egress::streaming && !is_waiting_ && batch.pending_bytes() < high_watermark) {
    pull_once(batch, high_watermark - static_cast<std::size_t>(batch.pending_bytes()), events);
  }
}

void Http1Codec::pull_once(EgressBatch& batch, std::size_t room, std::vector<CodecEvent>& events) {
  Http1Parser::Answer& answer = parser_->answer;
  const std::size_t around = answer.is_chunked ? kChunkHeadBytes : 0;
  room = std::clamp(room, std::size_t{512}, kChunkMaxBytes);
  if (answer.has_length) room = static_cast<std::size_t>(std::min<std::uint64_t>(room, answer.remaining_bytes));
  if (answer.has_length && room == 0) return finish_answer(events);

  char* const block = batch.reserve(around + room + kChunkTailBytes);
  const PullResult pulled = pull_safely(*answer.source, {block + around, room});
  const bool says_nothing = pulled.status == PullStatus::bytes && pulled.count == 0;
  if (pulled.status == PullStatus::failed || says_nothing) return fail_answer(events);
  if (pulled.count != 0) {
    batch.commit(answer.is_chunked ? frame_chunk(block, pulled.count) : pulled.count);
    if (answer.has_length) answer.remaining_bytes -= pulled.count;
  }
  is_waiting_ = pulled.status == PullStatus::pending;
  const bool is_whole = answer.has_length && answer.remaining_bytes == 0;
  if (pulled.status != PullStatus::end && !is_whole) return;
  if (answer.has_length && !is_whole) return fail_answer(events);  // less than was announced
  if (answer.is_chunked) write_last_chunk(batch, answer.trailers);
  finish_answer(events);
}

void Http1Codec::resume(StreamId stream) {
  if (stream == stream_) is_waiting_ = false;
}

}  // namespace equinox::http
