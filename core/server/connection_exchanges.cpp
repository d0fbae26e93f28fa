#include <algorithm>
#include <cstring>

#include "http/forwarded.hpp"
#include "http/headers.hpp"
#include "http/http1_codec.hpp"
#include "http/http2_error.hpp"
#include "http/response_access.hpp"
#include "server/connection.hpp"
#include "server/lending.hpp"
#include "server/request_identity.hpp"
#include "server/thrown.hpp"
#include "server/watched_source.hpp"

namespace equinox::server {
namespace {

constexpr std::uint32_t kIndexAbove = 64;  ///< exchanges walked past to find one

/// A handler's is not joined by its route's.
bool is_only_once(std::string_view name) noexcept {
  return http::equals_ignoring_case(name, "server") || http::equals_ignoring_case(name, "x-request-id");
}

}  // namespace

void Connection::apply_events(Lending& lent) {
  if (lent.is_applying) return;  // the loop below, further up, reaches what was appended
  lent.is_applying = true;
  Exchange* next_sent = nullptr;  // answers mostly end in the order of their requests
  // By index: answering appends `sent` events to the list that is being read.
  for (std::size_t i = 0; i < lent.events.size() && ending_ != Ending::dead; ++i) {
    const http::CodecEvent& next = lent.events[i];
    // The two that every request brings, without a copy of the event that was just written.
    if (next.kind == http::EventKind::sent || next.kind == http::EventKind::failed) {
      next_sent = on_response_end(lent, next.kind, next.stream, next_sent);
      continue;
    }
    next_sent = nullptr;  // whatever comes now may end exchanges
    if (next.kind == http::EventKind::head) {
      on_head(lent, next.stream, *next.head, next.end_of_message);
      continue;
    }
    const http::CodecEvent event = next;
    switch (event.kind) {
      case http::EventKind::body: on_body(lent, event); break;
      case http::EventKind::announced: on_announced(lent, event); break;
      case http::EventKind::reset: on_reset(lent, event); break;
      case http::EventKind::malformed: on_malformed(lent, event); break;
      case http::EventKind::refused: on_refused(lent, event); break;
      case http::EventKind::head:
      case http::EventKind::sent:
      case http::EventKind::failed: break;  // above
    }
  }
  lent.events.clear();
  lent.is_applying = false;
}

Exchange* Connection::find(StreamId stream) noexcept {
  if (exchanges_ == nullptr) return nullptr;
  // HTTP/1 speaks of its newest request only; those before it wait to be sent.
  if (Exchange* newest = exchanges_->last; newest->stream == stream) {
    return newest->state == ExchangeState::sent ? nullptr : newest;
  }
  if (h2_ != nullptr && h2_->index != nullptr) {
    const auto found = h2_->index->find(stream);
    return found == h2_->index->end() || found->second->state == ExchangeState::sent ? nullptr : found->second;
  }
  Exchange* found = exchanges_;
  std::uint32_t passed = 0;
  for (; found != nullptr && (found->stream != stream || found->state == ExchangeState::sent); found = found->next)
    ++passed;
  if (passed > kIndexAbove && h2_ != nullptr) index_exchanges();
  return found;
}

Exchange* Connection::find(const http::ExchangeLink& link) noexcept {
  Exchange* exchange = find(link.stream);
  return exchange != nullptr && exchange->link.get() == &link ? exchange : nullptr;
}

/// HTTP/2: a peer that keeps many streams open, and writes to the later ones, would have all be walked past each time.
void Connection::index_exchanges() {
  h2_->index = std::make_unique<std::unordered_map<StreamId, Exchange*>>();
  // The newest of an id counts: a request of HTTP/1 before an upgrade may have it, too, until its answer is sent.
  for (Exchange* x = exchanges_; x != nullptr; x = x->next) (*h2_->index)[x->stream] = x;
}

Exchange& Connection::add_exchange(Lending& lent, StreamId stream) {
  Exchange* exchange = lent.exchanges.take();
  exchange->stream = stream;
  exchange->settings = lent.settings.get();
  if (exchanges_ == nullptr) {
    exchanges_ = exchange;
  } else {
    exchange->previous = exchanges_->last;
    exchange->previous->next = exchange;
    if (h2_ != nullptr && h2_->index != nullptr) (*h2_->index)[stream] = exchange;
  }
  exchanges_->last = exchange;
  return *exchange;
}

void Connection::unlink(Exchange& exchange) noexcept {
  if (exchanges_ == &exchange) {
    if (exchange.next != nullptr) exchange.next->last = exchange.last;
    exchanges_ = exchange.next;
  } else {
    exchange.previous->next = exchange.next;
    (exchange.next != nullptr ? exchange.next->previous : exchanges_->last) = exchange.previous;
  }
  if (h2_ == nullptr || h2_->index == nullptr) return;
  const auto found = h2_->index->find(exchange.stream);
  if (found != h2_->index->end() && found->second == &exchange) h2_->index->erase(found);
  if (exchanges_ == nullptr) h2_->index.reset();
}

void Connection::on_head(Lending& lent, StreamId stream, const RequestHead& head, bool is_complete) {
  if (head.upgrades_to_h2c && is_complete && !closes_after_response_ && upgrade_to_h2c(lent, head)) return;
  Exchange& exchange = add_exchange(lent, stream);
  begin_exchange(lent, exchange, head);
  if (is_tls_ && is_misdirected(exchange)) {
    exchange.is_complete = is_complete;
    refuse_request(lent, &exchange, Errc::misdirected);
  } else if (is_complete) {
    exchange.is_complete = true;
    run_handler(lent, exchange);
  } else {
    start_body(lent, exchange);
  }
}

void Connection::begin_exchange(Lending& lent, Exchange& exchange, const RequestHead& head) {
  exchange.head = &head;
  exchange.method = head.method;
  exchange.version = head.version;
  exchange.scheme = head.scheme;
  exchange.peer_keeps_alive = head.keep_alive;
  exchange.state = ExchangeState::receiving;
  exchange.phases.start(request_head_started_ ? phase_start_ : lent.ready_at);
  exchange.phases.enter(head.has_body ? RequestPhase::body : RequestPhase::queue, lent.ready_at);
  head_started_ = request_head_started_ = false;
  ++request_count_;
  exchange.target_size = static_cast<std::uint8_t>(std::min(head.target.size(), exchange.target.size()));
  std::memcpy(exchange.target.data(), head.target.data(), exchange.target_size);
  identify(lent, exchange);
  const ListenerSettings& listener = exchange.settings->listeners[listener_];
  const http::Match match = exchange.settings->router.match(head, listener.name, exchange.parameter_store);
  exchange.match = match.status;
  exchange.allow = match.allow;
  exchange.route = match.route;
  if (match.route != nullptr) exchange.route_id = exchange.settings->route_ids[match.route->id];
  exchange.parameters = {match.parameters.data(), match.parameters.size()};
  exchange.body_max_bytes = match.route != nullptr && match.route->options.request_body_max_bytes
                                ? *match.route->options.request_body_max_bytes
                                : exchange.settings->limits.body_max_bytes;
  account_request_started(lent, exchange);
}

/// Whether the client has asked for one certificate's name and now asks for another's (RFC 9110 §15.5.20): what it was
/// shown says nothing about that one.
bool Connection::is_misdirected(const Exchange& exchange) const noexcept {
  const net::TlsContext* context = exchange.settings->listeners[listener_].tls.get();
  const net::TlsFacts* facts = transport_->tls();
  if (context == nullptr || facts == nullptr || facts->sni.empty()) return false;
  const std::string_view host = http::host_of(exchange.head->authority);
  if (http::equals_ignoring_case(host, facts->sni)) return false;
  const std::string_view wanted = context->certificate_for(host);
  if (wanted == facts->certificate) return false;
  if (context->is_strict()) return true;
  // Since the handshake the certificates may have got other names.
  return !wanted.empty() && wanted != context->certificate_for(facts->sni);
}

void Connection::identify(Lending& lent, Exchange& exchange) {
  RequestContext& context = exchange.context;
  record_->copy_own_peer(context.peer);
  if (known_aside().is_proxied) {
    context.client = aside_->proxied_client;
  } else {
    record_->copy_own_peer(context.client);
  }
  context.connection = id();
  context.stream = exchange.stream;
  context.listener = exchange.settings->listeners[listener_].name;
  context.request_id = {};
  context.trace_id = {};
  const IdentityFields named = identity_fields(exchange.head->fields);
  if (!exchange.settings->trusted_proxies.empty()) {
    context.client = http::client_of(exchange.head->fields, context.client, exchange.settings->trusted_proxies);
    account_request_client(context.client);
  }
  if (!named.traceparent.empty()) {
    const std::string_view trace = trace_id_of(named.traceparent);
    std::memcpy(exchange.trace_id.data(), trace.data(), trace.size());
    context.trace_id = {exchange.trace_id.data(), trace.size()};
  }
  if (!exchange.settings->request_ids) return;
  if (is_acceptable_request_id(named.request_id)) {
    exchange.request_id_size = static_cast<std::uint8_t>(named.request_id.size());
    std::memcpy(exchange.request_id.data(), named.request_id.data(), named.request_id.size());
  } else {
    exchange.request_id_size = RequestIds::kSize;
    lent.request_ids.make(exchange.request_id.data());
  }
  context.request_id = {exchange.request_id.data(), exchange.request_id_size};
}

void Connection::on_reset(Lending& lent, const http::CodecEvent& event) {
  if (Exchange* exchange = find(event.stream); exchange != nullptr) {
    exchange->sent_bytes -= std::min<std::uint64_t>(exchange->sent_bytes, event.size);
    discard(lent, *exchange, event.error == Errc::h2_protocol ? ErrorType::protocol : ErrorType::client_gone);
    return;
  }
  // Its last byte may be queued already: then it counts as finished when that leaves.
}

void Connection::decide_persistence(Lending& lent, Exchange& exchange, Response& response) {
  if (is_http2()) return;
  const std::uint32_t most = exchange.settings->bounds.requests_per_connection;
  std::optional<CloseReason> reason;
  if (closes_after_response_) {
    reason = planned_.value_or(reason_);  // a timer has noted its own already
  } else if (response.closes_connection()) {
    reason = CloseReason::response_connection_close;
  } else if (!exchange.peer_keeps_alive) {
    reason = CloseReason::client_connection_close;
  } else if (lent.drain != DrainStage::none) {
    reason = lent.drain_reason;
  } else if (most != 0 && request_count_ >= most) {
    reason = CloseReason::max_requests;
  }
  if (!reason) return;
  plan(*reason);
  response.close_connection();
  closes_after_response_ = true;
}

/// False for what cannot be sent: the application's mistake, which is 500.
bool Connection::make_ready(Lending& lent, Exchange& exchange, Response& response) {
  if (!http::is_sound(response)) {
    lent.log.write(LogRecord{LogLevel::error, LogComponent::handler, "a response that cannot be sent"}
                       .about(id())
                       .add("target", exchange.target_view())
                       .add("status", static_cast<std::uint64_t>(response.status().code()))
                       .add("content_type", response.content_type()));
    return false;
  }
  http::trim_content_type(response);
  auto* source = std::get_if<std::unique_ptr<BodySource>>(&response.body());
  if (source == nullptr || *source == nullptr) return true;
  exchange.streamed = std::make_shared<Streamed>();
  *source = std::make_unique<WatchedSource>(std::move(*source), exchange.streamed);
  try {
    (*source)->attach(Resumer{link(lent, exchange)});
  } catch (...) {
    log_thrown(lent.log, "body threw", std::current_exception(), exchange, id());
    exchange.streamed.reset();
    return false;
  }
  return true;
}

void Connection::respond(Lending& lent, Exchange& exchange, Response&& response) {
  if (!make_ready(lent, exchange, response)) {
    exchange.error = ErrorType::handler_exception;
    response = Response::error(500);
  }
  if (exchange.route != nullptr) {
    // Here, so that the server's own answers have them too.
    for (const auto& [name, value] : exchange.route->options.response_fields) {
      if (!is_only_once(name) || !http::has_field(response, name)) response.with_dynamic(name, value);
    }
  }
  if (exchange.request_id_size != 0 && exchange.settings->request_ids) {
    const std::string_view name = is_http2() ? std::string_view{"x-request-id"} : "X-Request-Id";
    if (!http::has_field(response, name)) {
      http::append_sound(response, name, {exchange.request_id.data(), exchange.request_id_size});
    }
  }
  decide_persistence(lent, exchange, response);
  if (exchange.settings->access_log) exchange.remember_for_log();
  exchange.status = static_cast<std::uint16_t>(response.status().code());
  exchange.state = ExchangeState::responding;
  exchange.phases.enter(RequestPhase::write, lent.fine);
  exchange.body_window.end();
  exchange.handler_due = kNever;
  if (exchange.streamed == nullptr && exchange.method != Method::head && !response.status().forbids_body()) {
    exchange.sent_bytes = response.body_length().value_or(0);
  }
  EgressBatch& out = batch(lent);
  exchange.egress_begin = out.appended_total();
  const bool cut_short = !exchange.is_complete && !is_http2();
  codec_->respond(exchange.stream, std::move(response), out, lent.events);
  if (is_http2()) exchange.head = nullptr;  // its stream may be gone before the exchange is
  if (cut_short && codec_->is_finished()) {
    plan(CloseReason::response_connection_close);
    ending_ = std::max(ending_, Ending::after_flush_linger);
  }
}

/// @param expected  the exchange it probably is, or none
/// @return the one that probably ends next, or none
Exchange* Connection::on_response_end(Lending& lent, http::EventKind kind, StreamId stream, Exchange* expected) {
  const bool is_expected = expected != nullptr && expected->stream == stream && expected->state != ExchangeState::sent;
  Exchange* exchange = is_expected ? expected : find(stream);
  if (exchange == nullptr) return nullptr;
  if (kind == http::EventKind::failed) {
    exchange->is_cut = true;
    const bool has_thrown = exchange->streamed != nullptr && exchange->streamed->thrown != nullptr;
    if (has_thrown) log_thrown(lent.log, "body threw", exchange->streamed->thrown, *exchange, id());
    exchange->error = has_thrown ? ErrorType::handler_exception : ErrorType::handler_abort;
    if (!is_http2()) {
      end_after_flush(has_thrown ? CloseReason::handler_exception_after_start : CloseReason::handler_abort, false);
    }
  }
  exchange->state = ExchangeState::sent;
  exchange->head = nullptr;  // HTTP/2 frees it with the stream, HTTP/1 lends its parser again
  exchange->egress_end = (egress_ != nullptr ? *egress_ : batch(lent)).appended_total();
  return exchange->next;
}

void Connection::complete(Lending& lent, Exchange& exchange) {
  if (exchange.streamed != nullptr) exchange.sent_bytes = exchange.streamed->bytes;
  exchange.phases.enter(RequestPhase::write, lent.fine);
  account_request(lent, exchange);
  if (exchange.link != nullptr) exchange.link->is_gone.store(true, std::memory_order_relaxed);
  unlink(exchange);
  // HTTP/1: the answer that was to be the last is out, whatever the client does now.
  if (planned_ && exchanges_ == nullptr && !is_http2() && !exchange.is_cut) note(*planned_);
  lent.input_bytes -= exchange.held_bytes;
  if (h2_ != nullptr) h2_->held_bytes -= exchange.held_bytes;
  if (exchange.is_held_back) --h2_->held_back;
  lent.exchanges.give_back(&exchange);
  if (!request_head_started_) phase_start_ = lent.fine;  // a head that has begun keeps its time
  if (h2_ != nullptr) h2_->idle_since = lent.fine;
}

/// HTTP/1: what of the newest answer is still in the batch has not been sent.
void Connection::take_off_unsent(Exchange& exchange) const noexcept {
  const bool has_begun = exchange.state == ExchangeState::responding || exchange.state == ExchangeState::sent;
  if (is_http2() || !has_begun || egress_ == nullptr) return;
  const std::uint64_t end = exchange.state == ExchangeState::sent ? exchange.egress_end : egress_->appended_total();
  const std::uint64_t left = end - std::min(end, egress_->consumed_total());
  std::uint64_t& sent = exchange.streamed != nullptr ? exchange.streamed->bytes : exchange.sent_bytes;
  sent -= std::min(sent, left);
}

/// HTTP/2: what no frame has taken of an answer that ends here was not sent.
void Connection::take_off_unframed(Exchange& exchange) const {
  if (!is_http2() || codec_ == nullptr || exchange.state != ExchangeState::responding) return;
  exchange.sent_bytes -= std::min(exchange.sent_bytes, codec_->unframed_bytes(exchange.stream));
}

void Connection::discard(Lending& lent, Exchange& exchange, ErrorType error) {
  exchange.abort_sink();
  take_off_unsent(exchange);
  exchange.error = error;
  exchange.is_cut = true;
  if (exchange.settings->access_log) exchange.remember_for_log();
  complete(lent, exchange);
}

/// HTTP/2: one stream of many.
void Connection::cut(Lending& lent, Exchange& exchange, ErrorType error) {
  codec_->reset(exchange.stream, http::kH2Cancel);
  take_off_unframed(exchange);
  discard(lent, exchange, error);
}

void Connection::discard_all(Lending& lent, ErrorType error) {
  while (exchanges_ != nullptr) {
    take_off_unframed(*exchanges_);
    discard(lent, *exchanges_,
            exchanges_->state == ExchangeState::sent && error == ErrorType::none ? ErrorType::client_gone : error);
  }
}

std::shared_ptr<http::ExchangeLink> Connection::link(Lending& lent, Exchange& exchange) {
  if (exchange.link == nullptr) {
    exchange.link = std::make_shared<http::ExchangeLink>();
    exchange.link->mail = lent.mail;
    exchange.link->connection = id();
    exchange.link->stream = exchange.stream;
  }
  return exchange.link;
}

}  // namespace equinox::server
