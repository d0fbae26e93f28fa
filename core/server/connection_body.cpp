// How the body of a request comes in: counted, held or handed to its sink.

#include <algorithm>

#include "server/admission.hpp"
#include "server/connection.hpp"
#include "server/lending.hpp"

namespace equinox::server {

void Connection::start_body(Lending& lent, Exchange& exchange) {
  const RequestHead& head = *exchange.head;
  if (head.content_length && *head.content_length > exchange.body_max_bytes) {
    refuse_request(lent, &exchange, Errc::content_too_large);
    return;
  }
  // Nobody will read it: the client is told before it sends it (RFC 9110 §10.1.1). A CONNECT over HTTP/2 has no end
  // before its answer (RFC 9113 §8.5).
  if (exchange.route == nullptr && (head.expects_continue || head.method == Method::connect)) {
    run_handler(lent, exchange);
    return;
  }
  exchange.body_window.begin(lent.now);
  if (exchange.route != nullptr && exchange.route->handler.streaming() != nullptr) {
    if (!open_sink(lent, exchange)) return;
  }
  if (head.expects_continue) codec_->send_continue(exchange.stream, batch(lent));
}

void Connection::on_body(Lending& lent, const http::CodecEvent& event) {
  request_head_started_ = false;  // what had begun like a head were trailers
  Exchange* exchange = find(event.stream);
  if (exchange == nullptr || exchange->state != ExchangeState::receiving || exchange->is_complete) {
    // Answered early or given up: the bytes are dropped, but the windows they used must open again.
    if (codec_ != nullptr && event.size != 0) codec_->consume(event.stream, event.size);
    return;
  }
  if (event.end_of_message) exchange->trailers = event.trailers();
  take_body(lent, *exchange, event.bytes(), event.end_of_message);
}

void Connection::take_body(Lending& lent, Exchange& exchange, std::span<const std::byte> bytes, bool is_last) {
  exchange.body_bytes += bytes.size();
  exchange.body_window.bytes += bytes.size();
  if (exchange.body_bytes > exchange.body_max_bytes) {
    codec_->consume(exchange.stream, bytes.size());
    refuse_request(lent, &exchange, Errc::content_too_large);
    return;
  }
  exchange.is_complete = is_last;
  if (exchange.sink != nullptr) {
    if (!push_to_sink(lent, exchange, bytes)) return;
    if (is_last && !exchange.sink_waits) {
      run_handler(lent, exchange);
    } else if (!exchange.trailers.empty()) {
      exchange.keep_anew();  // the sink gets them in a later turn, when their views are gone
    }
    return;
  }
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  if (exchange.route == nullptr) {
    // Nobody will read it: 404 and 405 are given when the request is complete, so that the connection lives on.
  } else if (is_last && exchange.body.empty() && exchange.body_view.empty()) {
    exchange.body_view = text;  // came in one piece: no copy
  } else if (!may_hold_more(lent)) {
    codec_->consume(exchange.stream, bytes.size());
    refuse_request(lent, &exchange, Errc::memory_limit);
    return;
  } else {
    // What a peer announces costs it nothing: room is made for what has come, and a little ahead.
    if (exchange.body.empty() && exchange.head->content_length) {
      exchange.body.expect(*exchange.head->content_length);
    }
    exchange.body.append(text, exchange.body_max_bytes);
    count_held(lent, exchange);
  }
  codec_->consume(exchange.stream, bytes.size());
  if (is_last) run_handler(lent, exchange);
}

bool Connection::may_hold_more(const Lending& lent) const noexcept {
  return lent.admission->may_hold(h2_ != nullptr ? h2_->held_bytes : held_by_exchanges(),
                                  lent.input_bytes - lent.input_told);
}

std::uint64_t Connection::held_by_exchanges() const noexcept {
  std::uint64_t held = 0;
  for (const Exchange* x = exchanges_; x != nullptr; x = x->next) held += x->held_bytes;
  return held;
}

void Connection::count_held(Lending& lent, Exchange& exchange) noexcept {
  const std::uint64_t held = (exchange.body.empty() ? 0 : exchange.body.capacity()) + exchange.backlog.capacity();
  lent.input_bytes += held - exchange.held_bytes;  // wraps, as it should
  if (h2_ != nullptr) h2_->held_bytes += held - exchange.held_bytes;
  exchange.held_bytes = held;
}

void Connection::on_announced(Lending& lent, const http::CodecEvent& event) {
  Exchange* exchange = find(event.stream);
  if (exchange == nullptr || exchange->state != ExchangeState::receiving) return;
  if (event.size > exchange->body_max_bytes - std::min(exchange->body_max_bytes, exchange->body_bytes)) {
    refuse_request(lent, exchange, Errc::content_too_large);
  }
}

}  // namespace equinox::server
