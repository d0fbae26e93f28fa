#include "server/connection.hpp"
#include "server/lending.hpp"
#include "server/thrown.hpp"

namespace equinox::server {

namespace {

std::int64_t nanoseconds(TimePoint at) noexcept { return at.time_since_epoch().count(); }

/// Runs `work` where the stall detector can see it; a handler's exception stops here.
template <typename F>
bool guarded(Lending& lent, const Exchange& exchange, ConnectionId id, RouteId route, F&& work) {
  lent.telemetry.begin_activity(StallCause::handler, route, static_cast<std::uint8_t>(exchange.method), id,
                                exchange.stream, nanoseconds(lent.fine));
  bool is_fine = true;
  try {
    work();
  } catch (...) {
    is_fine = false;
    log_thrown(lent.log, "handler threw", std::current_exception(), exchange, id);
  }
  lent.fine = lent.clock.now();
  lent.telemetry.end_activity(nanoseconds(lent.fine));
  return is_fine;
}

Response page(const Exchange& exchange, const Request& request, int status) {
  const SyncHandler* custom = exchange.settings->router.status_page(status);
  return custom != nullptr ? (*custom)(request) : Response::error(status);
}

/// The first answer that one of them gives in the handler's place.
std::optional<Response> run_before(const http::Route& route, const Request& request) {
  for (const Before& before : route.before) {
    if (std::optional<Response> early = before(request)) return early;
  }
  return std::nullopt;
}

/// Answers for requests no route takes (RFC 9110 §15.5.5, §15.5.6, §9.3.7).
Response unrouted(const Exchange& exchange, const Request& request) {
  switch (exchange.match) {
    case http::MatchStatus::options: return Response::empty(204).with("Allow", to_string(exchange.allow));
    case http::MatchStatus::method_not_allowed:
      return page(exchange, request, 405).with("Allow", to_string(exchange.allow));
    case http::MatchStatus::not_implemented: return page(exchange, request, 501);
    default: return page(exchange, request, 404);
  }
}

}  // namespace

/// The page for `status`; the plain answer where there is none, when it throws, and for a request that is not known.
Response Connection::failure(Lending& lent, Exchange& exchange, int status) {
  Response response = Response::error(status);
  if (exchange.head == nullptr) return response;
  const Request request = exchange.request();
  if (!guarded(lent, exchange, id(), exchange.route_id, [&] { response = page(exchange, request, status); })) {
    response = Response::error(status);
  }
  return response;
}

void Connection::fail_exchange(Lending& lent, Exchange& exchange, int status, ErrorType error) {
  exchange.error = error;
  Response response = failure(lent, exchange, status);
  respond(lent, exchange, std::move(response));
}

bool Connection::open_sink(Lending& lent, Exchange& exchange) {
  exchange.phases.enter(RequestPhase::handler, lent.fine);
  std::optional<Response> early;
  const Request request = exchange.request();
  const bool is_fine = guarded(lent, exchange, id(), exchange.route_id, [&] {
    early = run_before(*exchange.route, request);
    if (!early) make_sink(lent, exchange, request);
  });
  if (is_fine && !early && exchange.sink != nullptr) {
    exchange.phases.enter(RequestPhase::body, lent.fine);
    return true;
  }
  if (early) {
    respond(lent, exchange, std::move(*early));
  } else {
    fail_exchange(lent, exchange, 500, ErrorType::handler_exception);
  }
  return false;
}

bool Connection::push_to_sink(Lending& lent, Exchange& exchange, std::span<const std::byte> bytes) {
  if (exchange.sink_waits) {
    exchange.backlog.insert(exchange.backlog.end(), bytes.begin(), bytes.end());
    count_held(lent, exchange);
    return true;
  }
  if (bytes.empty()) return true;
  exchange.phases.enter(RequestPhase::handler, lent.fine);
  SinkStatus status = SinkStatus::more;
  if (!guarded(lent, exchange, id(), exchange.route_id, [&] { status = exchange.sink->receive(bytes); })) {
    fail_exchange(lent, exchange, 500, ErrorType::handler_exception);
    return false;
  }
  codec_->consume(exchange.stream, bytes.size());
  if (status == SinkStatus::wait) {
    exchange.sink_waits = true;
    exchange.body_window.end();  // the application is the one that waits now
    exchange.handler_due = lent.fine + exchange.settings->timeouts.handler;
  } else {
    exchange.phases.enter(RequestPhase::body, lent.fine);
  }
  return true;
}

/// What the route answers; nothing where it has no sink to give.
void Connection::produce(Lending& lent, Exchange& exchange, const Request& request, Late<Response>& response) {
  const http::Route& route = *exchange.route;
  const bool is_streaming = route.handler.streaming() != nullptr;
  if (exchange.sink == nullptr) {  // with a sink they ran before the body came
    if (std::optional<Response> early = run_before(route, request)) {
      response.make([&] { return std::move(*early); });
      return;
    }
    if (is_streaming) make_sink(lent, exchange, request);  // no body came: the sink sees an empty one
  }
  if (!is_streaming) {
    response.make([&] { return (*route.handler.sync())(request); });
  } else if (exchange.sink != nullptr) {
    if (!exchange.trailers.empty()) exchange.sink->trailers(exchange.trailers);
    response.make([&] { return exchange.sink->finish(); });
  } else {
    return;
  }
  for (const After& after : route.after) after(request, *response);
}

void Connection::make_sink(Lending& lent, Exchange& exchange, const Request& request) {
  exchange.sink = (*exchange.route->handler.streaming())(request);
  if (exchange.sink != nullptr) exchange.sink->attach(Resumer{link(lent, exchange)});
}

void Connection::run_handler(Lending& lent, Exchange& exchange) {
  exchange.body_window.end();
  if (exchange.phases.current() == RequestPhase::body) exchange.phases.enter(RequestPhase::queue, lent.ready_at);
  if (exchange.is_complete && !has_room_for_answer(lent, exchange)) return hold_back(lent, exchange);
  exchange.phases.enter(RequestPhase::handler, lent.fine);
  if (exchange.route != nullptr && exchange.route->handler.async() != nullptr) {
    run_async(lent, exchange, *exchange.route->handler.async());
    return;
  }
  Late<Response> response;
  const Request request = exchange.request();
  const bool is_fine = guarded(lent, exchange, id(), exchange.route_id, [&] {
    if (exchange.route == nullptr) {
      response.make([&] { return unrouted(exchange, request); });
    } else {
      produce(lent, exchange, request, response);
    }
  });
  if (!is_fine || !response) {
    fail_exchange(lent, exchange, 500, ErrorType::handler_exception);
    return;
  }
  respond(lent, exchange, std::move(*response));
}

/// HTTP/1 gives its one answer before the next request is read; streams would each have one made, whatever the peer's
/// windows take.
bool Connection::has_room_for_answer(const Lending& lent, const Exchange& exchange) const noexcept {
  return !is_http2() || codec_->may_answer(exchange.head->urgency, lent.settings->bounds.output_buffer);
}

void Connection::hold_back(Lending& lent, Exchange& exchange) {
  exchange.is_held_back = true;
  ++h2_->held_back;
  lent.telemetry.stats().request_held();
  if (exchange.body_view.empty()) return;
  exchange.body.append(exchange.body_view, exchange.body_max_bytes);  // its bytes end with the turn
  exchange.body_view = {};
  count_held(lent, exchange);
}

/// The most urgent first, then the oldest. What made them wait is behind a window or in the socket, so that the write
/// deadline ends it at last.
void Connection::run_held_back(Lending& lent) {
  while (h2_->held_back != 0) {
    Exchange* next = nullptr;
    for (Exchange* x = exchanges_; x != nullptr; x = x->next) {
      if (x->is_held_back && (next == nullptr || x->head->urgency < next->head->urgency)) next = x;
    }
    if (next == nullptr || !has_room_for_answer(lent, *next)) return;
    next->is_held_back = false;
    --h2_->held_back;
    owes_egress_ = true;
    run_handler(lent, *next);
  }
}

void Connection::run_async(Lending& lent, Exchange& exchange, const AsyncHandler& handler) {
  std::optional<Response> early;
  exchange.state = ExchangeState::handling;
  exchange.handler_due = lent.fine + exchange.settings->timeouts.handler;
  const bool is_fine = guarded(lent, exchange, id(), exchange.route_id, [&] {
    const Request request = exchange.request();
    early = run_before(*exchange.route, request);
    if (early) return;
    Request owned = request.to_owned();
    const bool is_shown_again = !exchange.route->after.empty() || exchange.settings->router.status_page(500) != nullptr;
    if (exchange.settings->access_log) exchange.remember_for_log();
    if (is_shown_again) exchange.keep_anew();  // the views of `request` may end here
    handler(std::move(owned), Responder{link(lent, exchange)});
  });
  if (early) {
    respond(lent, exchange, std::move(*early));
  } else if (!is_fine) {
    // The Responder died with the exception and has said so by mail; that mail finds the exchange answered, or gone.
    fail_exchange(lent, exchange, 500, ErrorType::handler_exception);
  } else if (exchange.kept == nullptr) {
    exchange.head = nullptr;  // its views end with the turn; the handler has its own copy
  }
}

Turn Connection::answer(Lending& lent, const http::ExchangeLink& link, std::optional<Response>&& answer) {
  Exchange* exchange = find(link);
  if (exchange == nullptr || exchange->state != ExchangeState::handling || ending_ == Ending::dead) return settle(lent);
  lent.fine = lent.clock.now();
  Response response = answer ? std::move(*answer) : failure(lent, *exchange, 500);
  bool is_fine = true;
  // An answer of ours, because there is none, has not come from the handler.
  if (answer && exchange->head != nullptr && exchange->route != nullptr && !exchange->route->after.empty()) {
    is_fine = guarded(lent, *exchange, id(), exchange->route_id, [&] {
      const Request request = exchange->request();
      for (const After& after : exchange->route->after) after(request, response);
    });
  }
  if (!is_fine) {
    fail_exchange(lent, *exchange, 500, ErrorType::handler_exception);
  } else {
    respond(lent, *exchange, std::move(response));
  }
  apply_events(lent);
  pump(lent);
  return turn(lent);  // what waited behind this answer, in the buffer or the socket, can go on
}

}  // namespace equinox::server
