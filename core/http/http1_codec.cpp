#include "http/http1_codec.hpp"

#include "http/h2c_upgrade.hpp"

namespace equinox::http {

Result<std::size_t> Http1Codec::receive(std::span<const std::byte> input, std::vector<CodecEvent>& events,
                                        TimePoint /*now*/) {
  switch (ingress_) {
    case Ingress::head: return receive_head({reinterpret_cast<const char*>(input.data()), input.size()}, events);
    case Ingress::body: return receive_body(input, events);
    case Ingress::discard: return discard_body(input);
    case Ingress::complete: return std::size_t{0};  // the next request waits for this one's answer
    case Ingress::closed: break;
  }
  return input.size();  // whatever comes now is read by nobody
}

Result<std::size_t> Http1Codec::receive_head(std::string_view input, std::vector<CodecEvent>& events) {
  rest_seen_ = true;
  std::size_t skipped = 0;
  if (guard_.scanned == 0 && !blank_line_skipped_ && !input.empty() && input.front() == '\r') {
    head_started_ = true;
    if (input.size() == 1) return std::size_t{0};
    if (input[1] == '\n') {  // one empty line before a request line is ignored (RFC 9112 §2.2)
      blank_line_skipped_ = true;
      skipped = 2;
      input.remove_prefix(skipped);
    }
  }
  head_started_ = !input.empty();
  if (input.empty()) return skipped;
  auto head_size = scan_head(input, guard_, shared_->limits);
  if (!head_size) return fail(head_size.error(), input);
  if (*head_size == 0) return skipped;

  if (parser_ == nullptr) parser_ = shared_->parsers.borrow();
  if (auto parsed = parser_->parse_head(input.substr(0, *head_size), options_.scheme, shared_->limits); !parsed) {
    return fail(parsed.error(), input);
  }
  RequestHead& head = parser_->head();
  if (head.upgrades_to_h2c) {
    head.upgrades_to_h2c = options_.h2c_upgrade_allowed && h2c_settings(head).has_value();
  }
  note_head(head);
  CodecEvent& event = events.emplace_back();
  event.kind = EventKind::head;
  event.stream = stream_;
  event.end_of_message = !head.has_body;
  event.head = &head;

  const std::size_t used = skipped + *head_size;
  const std::string_view rest = input.substr(*head_size);
  rest_seen_ = false;
  if (!head.has_body || rest.empty()) return used;
  auto body = receive_body(std::as_bytes(std::span{rest}), events);
  return body ? Result<std::size_t>{used + *body} : body;
}

void Http1Codec::note_head(const RequestHead& head) noexcept {
  guard_ = {};
  head_started_ = false;
  is_head_request_ = head.method == Method::head;
  is_http10_ = head.version == HttpVersion::http10;
  peer_keeps_alive_ = head.keep_alive;
  expects_continue_ = head.expects_continue;
  continue_sent_ = false;
  ingress_ = head.has_body ? Ingress::body : Ingress::complete;
}

Result<std::size_t> Http1Codec::receive_body(std::span<const std::byte> input, std::vector<CodecEvent>& events) {
  if (input.empty()) return std::size_t{0};
  auto used = parser_->parse_body(input, stream_, events, shared_->limits);
  if (!used) return fail(used.error());
  if (parser_->is_complete()) ingress_ = Ingress::complete;
  return used;
}

Result<std::size_t> Http1Codec::discard_body(std::span<const std::byte> input) {
  if (input.empty()) return std::size_t{0};
  std::vector<CodecEvent> unread;
  auto used = parser_->parse_body(input, stream_, unread, shared_->limits);
  if (!used || parser_->body_bytes() > parser_->answer.discard_until) {
    // The answer is given; what follows cannot be told from a request any more, so nothing of it is read.
    keep_alive_ = false;
    ingress_ = Ingress::closed;
    if (egress_ == Egress::done) release();
    return input.size();
  }
  if (parser_->is_complete()) {
    ingress_ = Ingress::complete;
    if (egress_ == Egress::done) next_message();
  }
  return used;
}

Error Http1Codec::fail(Error error, std::string_view head) noexcept {
  is_refusing_ = true;
  keep_alive_ = false;
  ingress_ = Ingress::closed;
  if (!head.empty()) is_head_request_ = head.starts_with("HEAD ");
  if (egress_ != Egress::streaming) release();
  return error;
}

void Http1Codec::next_message() {
  release();
  ++stream_;
  ingress_ = Ingress::head;
  egress_ = Egress::none;
  guard_ = {};
  blank_line_skipped_ = head_started_ = is_waiting_ = rest_seen_ = is_head_request_ = false;
  if (is_final_) close();
}

void Http1Codec::close() noexcept {
  ingress_ = Ingress::closed;
  egress_ = Egress::done;
  keep_alive_ = false;
  release();
}

void Http1Codec::release() noexcept {
  if (parser_ == nullptr) return;
  if (parser_->answer.source != nullptr) parser_->answer = {};
  shared_->parsers.give_back(parser_);
  parser_ = nullptr;
}

void Http1Codec::consume(StreamId /*stream*/, std::size_t /*bytes*/) {}  // TCP's window is the socket's

void Http1Codec::reset(StreamId stream, std::uint32_t /*error_code*/) {
  if (stream == stream_ || stream == 0) close();
}

bool Http1Codec::end_of_input() {
  peer_ended_ = true;
  switch (ingress_) {
    case Ingress::head: ingress_ = Ingress::closed; return head_started_;
    case Ingress::body:
      ingress_ = Ingress::closed;  // never complete; an answer that has not started is pointless
      keep_alive_ = false;
      if (egress_ == Egress::none) egress_ = Egress::done;
      return true;
    case Ingress::discard:
      ingress_ = Ingress::closed;
      keep_alive_ = false;
      if (egress_ == Egress::done) release();
      return true;
    case Ingress::complete:
    case Ingress::closed: return false;
  }
  return false;
}

void Http1Codec::begin_drain(DrainStep step) {
  is_draining_ = true;
  if (step != DrainStep::final) return;
  is_final_ = true;
  if (ingress_ == Ingress::head && !head_started_) close();
}

CodecState Http1Codec::state() const {
  CodecState state{input_state()};
  const bool is_streaming = egress_ == Egress::streaming;
  state.is_finished = is_finished();
  state.wants_transmit = is_streaming && !is_waiting_;
  state.open_streams = ingress_ == Ingress::body || ingress_ == Ingress::complete || is_streaming ? 1 : 0;
  return state;
}

}  // namespace equinox::http
