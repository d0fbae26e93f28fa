#include <algorithm>

#include "http/http2_error.hpp"
#include "http/refusal.hpp"
#include "net/tcp_transport.hpp"
#include "server/connection.hpp"
#include "server/lending.hpp"

namespace equinox::server {

namespace {

/// Before a drain or its age closes an idle connection, a request that is already on its way has this long to arrive.
constexpr Duration kLastSilence = std::chrono::seconds{1};

/// Bytes that must move within `window`.
std::uint64_t window_need(const Settings& settings, Duration window) noexcept {
  const std::uint64_t rate = settings.bounds.minimum_rate;
  if (rate == 0) return 1;
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(window).count();
  return std::max<std::uint64_t>(1, rate * static_cast<std::uint64_t>(milliseconds) / 1000);
}

/// When a drain closes who has said nothing since `silent_since`.
TimePoint end_of_silence(const Lending& lent, TimePoint silent_since) noexcept {
  return std::max(silent_since, lent.drain_began) + kLastSilence;
}

}  // namespace

const Settings& Connection::oldest_settings(const Lending& lent) const noexcept {
  return exchanges_ == nullptr ? *lent.settings : *exchanges_->settings;
}

Connection::Deadline Connection::next_deadline(const Lending& lent) const {
  const TimeoutConfig& timeouts = lent.settings->timeouts;
  Deadline next;
  if (ending_ == Ending::lingering) return {DeadlineKind::none, phase_start_ + timeouts.linger, nullptr};
  if (is_shaking_hands_) {
    next.offer(DeadlineKind::handshake, phase_start_ + timeouts.handshake);
    // A peer that has not even begun has no more to lose than one without TLS.
    if (got_bytes_) return next;
    if (lent.drain == DrainStage::closing) {
      next.offer(DeadlineKind::idle, end_of_silence(lent, phase_start_));
    } else if (planned_ == CloseReason::admin_drain) {
      next.offer(DeadlineKind::idle, phase_start_ + kLastSilence);
    }
    return next;
  }
  if (timeouts.max_age.count() != 0 && !closes_after_response_ && !is_ending())
    next.offer(DeadlineKind::max_age, opened_at() + timeouts.max_age);
  if (h2_ != nullptr && !is_ending()) next.offer(DeadlineKind::none, std::min(goaway_due(lent), codec_->next_due()));
  if (is_behind()) {
    next.offer(DeadlineKind::write, aside_->write_window.start() + oldest_settings(lent).timeouts.write);
  }
  for (Exchange* x = exchanges_; x != nullptr; x = x->next) {
    if (x->state == ExchangeState::receiving && x->body_window.is_running()) {
      next.offer(DeadlineKind::body, x->body_window.start + x->settings->timeouts.body, x);
    } else if (x->state == ExchangeState::handling || (x->state == ExchangeState::receiving && x->sink_waits)) {
      next.offer(DeadlineKind::handler, x->handler_due, x);
    }
  }
  // What is ending waits for no head any more, and half of one must not stand before the time its answers have.
  if ((head_started_ || awaits_preface_) && !is_ending()) {
    TimePoint due = phase_start_ + timeouts.header;
    // The first one counts from accept, or the end of the handshake: what was armed then still holds.
    const bool was_armed = deadline_kind_ == DeadlineKind::first_request || deadline_kind_ == DeadlineKind::head;
    if (request_count_ == 0 && was_armed && (h2_ == nullptr || !h2_->has_greeted)) due = std::min(due, deadline_due());
    next.offer(DeadlineKind::head, due);
  } else if (exchanges_ == nullptr && (egress_ == nullptr || egress_->empty())) {
    const bool is_first = request_count_ == 0;
    if (lent.drain == DrainStage::closing && !is_http2()) {
      next.offer(DeadlineKind::idle, end_of_silence(lent, phase_start_));
    } else if (closes_after_response_ && planned_ == CloseReason::max_age && !is_http2()) {
      next.offer(DeadlineKind::max_age, std::max(phase_start_, opened_at() + timeouts.max_age) + kLastSilence);
    } else if (planned_ == CloseReason::admin_drain && !is_http2()) {
      next.offer(DeadlineKind::idle, phase_start_ + kLastSilence);
    } else if (is_first && (!is_http2() || !got_bytes_)) {
      next.offer(DeadlineKind::first_request, phase_start_ + timeouts.header);
    } else {
      next.offer(DeadlineKind::idle, phase_start_ + timeouts.idle);
    }
  }
  if (may_be_asked() && !peer_finished_) {
    if (h2_->ping_sent != kNever) {
      next.offer(DeadlineKind::ping, h2_->ping_sent + timeouts.ping);
    } else if (timeouts.ping_after.count() != 0) {
      next.offer(DeadlineKind::ping, h2_->last_alive + timeouts.ping_after + timeouts.ping);
    }
  }
  return next;
}

/// When a PING is to ask a quiet peer whether it is there: no deadline yet, that is its answer's. One that has sent its
/// last byte cannot answer, but where it has gone altogether, its kernel does, by a reset.
TimePoint Connection::ping_due(const Lending& lent) const noexcept {
  const auto after = lent.settings->timeouts.ping_after;
  if (!may_be_asked() || h2_->ping_sent != kNever || after.count() == 0) return kNever;
  return h2_->last_alive + after;
}

/// A PING says something about a peer only where it gets to it: not behind all that a slow reader has still to take,
/// whose time is that of the write window, and not before a client has followed its upgrade.
bool Connection::may_be_asked() const noexcept {
  if (h2_ == nullptr || exchanges_ == nullptr || awaits_preface_) return false;
  return is_writable_ || egress_ == nullptr || egress_->empty();
}

/// What the kernel still holds stands before the PING. Who has taken some of it meanwhile is there and has to get to
/// it.
bool Connection::comes_nearer_to_the_ping(Lending& lent) {
  const std::uint64_t acknowledged = acknowledged_bytes(lent);
  if (net::unacknowledged_bytes(descriptor()) == 0 || acknowledged <= h2_->ping_acknowledged) return false;
  h2_->ping_acknowledged = acknowledged;
  h2_->ping_sent = lent.now;
  return true;
}

/// Of the armed deadline; the timer may come earlier, to look or to ask.
TimePoint Connection::deadline_due() const noexcept {
  if (h2_ != nullptr) return h2_->deadline_due;
  return is_behind() ? aside_->deadline_due : timer_.due;
}

void Connection::arm(Lending& lent) {
  const Deadline next = next_deadline(lent);
  deadline_kind_ = next.kind;
  TimePoint wake = next.due;
  if (is_behind()) {
    aside_->deadline_due = next.due;
    wake = std::min({wake, aside_->sample_at, aside_->write_window.settles_at()});
  }
  if (h2_ != nullptr) {
    h2_->deadline_due = next.due;
    wake = std::min(wake, ping_due(lent));
  }
  lent.wheel.schedule(timer_, wake);
}

Turn Connection::expire(Lending& lent) {
  if (ending_ == Ending::dead) return Turn::finished;
  if (ping_due(lent) <= lent.now) {
    h2_->ping_sent = lent.now;
    h2_->ping_acknowledged = acknowledged_bytes(lent);
    codec_->ping(lent.now);
    return settle(lent);
  }
  if (is_behind() && aside_->write_window.settles_at() <= lent.now) {
    aside_->write_window.settle(net::unacknowledged_bytes(descriptor()));
  }
  const Deadline due = next_deadline(lent);
  if (due.due > lent.now) {  // the wheel looked early, or the obligation was met meanwhile
    if (is_behind() && aside_->sample_at <= lent.now) {
      refresh_sample(lent);
      if (window_blocked_) account_counters(lent);
    }
    arm(lent);
    return Turn::waiting;
  }
  lent.telemetry.stats().timer_lag((lent.now - due.due).count());
  if (ending_ == Ending::lingering) {
    ending_ = Ending::dead;
    return Turn::finished;
  }
  on_deadline(lent, due);
  return settle(lent);
}

void Connection::on_deadline(Lending& lent, const Deadline& deadline) {
  switch (deadline.kind) {
    case DeadlineKind::none:
      codec_->give_up_due(lent.now);
      if (goaway_due(lent) > lent.now) return;
      if (h2_->was_announced) {
        finish_retiring(lent);
      } else {
        announce_drain(lent);
      }
      return;
    case DeadlineKind::body:
    case DeadlineKind::write: on_window_end(lent, deadline); return;
    case DeadlineKind::idle:
      if (is_shaking_hands_) {
        end_now(lent, lent.drain == DrainStage::closing ? lent.drain_reason : CloseReason::admin_drain);
        return;
      }
      if (lent.drain == DrainStage::closing && !is_http2()) {
        end_after_flush(lent.drain_reason, false);
        return;
      }
      if (planned_ == CloseReason::admin_drain && !is_http2()) {
        end_after_flush(CloseReason::admin_drain, false);
        return;
      }
      evict(lent, timer_verdict(DeadlineKind::idle, is_http2()), deadline.kind, lent.settings->timeouts.idle, 0);
      return;
    case DeadlineKind::handshake:
      evict(lent, timer_verdict(deadline.kind, false), deadline.kind, lent.settings->timeouts.handshake, 0);
      return;
    case DeadlineKind::first_request: {
      const bool has_begun = got_bytes_ && !awaits_proxy_header_;
      if (has_begun) account_rejected(lent, RequestRejectReason::header_timeout);
      evict(lent, timer_verdict(deadline.kind, is_http2()), deadline.kind, lent.settings->timeouts.header,
            has_begun ? 408 : 0);
      return;
    }
    case DeadlineKind::head:
      awaits_preface_ = false;  // whoever has not followed the upgrade may still be told that it is over
      // Of HTTP/2 it may be the preface or half a frame that was no request.
      if (!is_http2() || request_head_started_) account_rejected(lent, RequestRejectReason::header_timeout);
      evict(lent, timer_verdict(deadline.kind, is_http2()), deadline.kind, lent.settings->timeouts.header, 408);
      return;
    case DeadlineKind::handler: on_handler_timeout(lent, *deadline.exchange); return;
    case DeadlineKind::ping:
      if (comes_nearer_to_the_ping(lent)) return;
      evict(lent, timer_verdict(deadline.kind, true), deadline.kind, lent.settings->timeouts.ping, 0);
      return;
    case DeadlineKind::max_age: on_max_age(lent); return;
  }
}

void Connection::on_handler_timeout(Lending& lent, Exchange& exchange) {
  // Over HTTP/2 the stream ends alone: no connection is closed, so there is no eviction.
  if (!is_http2()) {
    lent.telemetry.stats().evicted(protocol_, EvictionPhase::handler);
    fired_ = DeadlineKind::handler;
    aside().fired_ms = static_cast<std::uint32_t>(exchange.settings->timeouts.handler.count());
    note(CloseReason::handler_timeout);
    closes_after_response_ = true;
  }
  exchange.abort_sink();
  exchange.error = ErrorType::handler_timeout;
  if (exchange.link != nullptr) exchange.link->is_gone.store(true, std::memory_order_relaxed);
  respond(lent, exchange, http::refusal_response(Status{503}));
  apply_events(lent);
  if (!is_http2()) end_after_flush(CloseReason::handler_timeout, false);
}

void Connection::on_window_end(Lending& lent, const Deadline& deadline) {
  if (deadline.kind == DeadlineKind::write) {
    const Settings& settings = oldest_settings(lent);
    refresh_sample(lent);  // the last look, should this be its end
    // A peer that reads all there is, and asks for what only answers its own frames, still has its windows closed. One
    // that is still at what the kernel holds for it has not come to them yet.
    const bool is_window_closed = window_blocked_ && (egress_ == nullptr || egress_->empty());
    const std::uint64_t held = net::unacknowledged_bytes(descriptor());
    const std::uint64_t drained = aside_->write_window.drained(held);
    const std::uint64_t moved = is_window_closed ? codec_->moved_bytes() + drained : aside_->write_window.taken(held);
    const std::uint64_t need = window_need(settings, settings.timeouts.write);
    if (moved >= need || (is_window_closed && serves_others())) {
      if (is_http2() && (codec_->moved_bytes() >= need || drained < need)) cut_stalled(lent, need);
      begin_write_window(lent);
      return;
    }
    Progress progress = moved == 0 ? Progress::silent : Progress::too_slow;
    if (is_window_closed) progress = Progress::window_closed;
    evict(lent, timer_verdict(DeadlineKind::write, is_http2(), progress), deadline.kind, settings.timeouts.write, 0);
    return;
  }
  Exchange& exchange = *deadline.exchange;
  if (exchange.body_window.bytes >= window_need(*exchange.settings, exchange.settings->timeouts.body)) {
    exchange.body_window.begin(lent.now);
    return;
  }
  account_rejected(lent, RequestRejectReason::body_timeout);
  exchange.refused = RequestRejectReason::body_timeout;
  exchange.error = ErrorType::body_timeout;
  exchange.abort_sink();
  if (!is_http2()) {
    const Progress progress = exchange.body_window.bytes == 0 ? Progress::silent : Progress::too_slow;
    const TimerVerdict verdict = timer_verdict(DeadlineKind::body, false, progress);
    evict(lent, verdict, deadline.kind, exchange.settings->timeouts.body, 408);
    return;
  }
  // One slow upload must not cost the other streams of the connection their answers.
  respond(lent, exchange, http::refusal_response(Status{408}));
  apply_events(lent);
}

/// HTTP/2: some request is not behind the peer's windows: it still comes, or is being worked on. An upload must not end
/// with a download that is paused beside it. Who is held back waits for those windows, too; and a peer that has sent
/// its last byte opens none.
bool Connection::serves_others() const {
  if (peer_finished_) return false;
  const http::CodecState state = codec_->state();
  return state.open_streams > state.window_blocked + h2_->held_back;
}

/// One stream that moves must not keep those alive whose windows stay closed.
void Connection::cut_stalled(Lending& lent, std::uint64_t need) {
  std::vector<StreamId> stalled;
  codec_->stalled_streams(stalled, need);
  for (const StreamId stream : stalled) {
    if (Exchange* exchange = find(stream)) {
      cut(lent, *exchange, ErrorType::write_timeout);
    } else {
      codec_->reset(stream, http::kH2Cancel);
    }
  }
}

void Connection::on_max_age(Lending& lent) {
  if (closes_after_response_) {  // no further request has come
    end_after_flush(planned_.value_or(CloseReason::max_age), false);
    return;
  }
  fired_ = DeadlineKind::max_age;
  aside().fired_ms = static_cast<std::uint32_t>(lent.settings->timeouts.max_age.count());
  lent.telemetry.stats().evicted(protocol_, EvictionPhase::max_age);
  closes_after_response_ = true;
  if (is_http2()) {
    note(CloseReason::max_age);
    retire(lent, CloseReason::max_age);
  } else {
    plan(CloseReason::max_age);
  }
}

/// HTTP/2: no more requests are wanted on this connection. Two steps, so that none that is on its way is lost.
void Connection::retire(Lending& lent, CloseReason reason) {
  plan(reason);
  if (h2_->was_finalised || h2_->final_due != kNever) return;
  if (!h2_->was_announced) codec_->begin_drain(http::DrainStep::announce);
  h2_->was_announced = true;
  h2_->final_due = lent.now + kBetweenGoaways;
}

/// HTTP/2: when the next GOAWAY is to be sent; the second a second after the first, so that what crossed it is
/// answered.
TimePoint Connection::goaway_due(const Lending& lent) const noexcept {
  if (h2_->was_announced || lent.drain == DrainStage::none) return h2_->final_due;
  // Not before its first stream: some clients give up a request that waits for its stream when a GOAWAY comes. Only one
  // that has asked for nothing in a second is taken to have no request on its way.
  return std::max(h2_->began, lent.drain_final_at - 2 * kBetweenGoaways) + kBetweenGoaways;
}

void Connection::finish_retiring(Lending& lent) {
  h2_->final_due = kNever;
  if (h2_->was_finalised) return;
  if (lent.drain != DrainStage::none) plan(lent.drain_reason);
  h2_->was_finalised = true;
  codec_->begin_drain(http::DrainStep::final);
  // A request whose head has begun was counted among those that GOAWAY says are answered.
  if (exchanges_ == nullptr && !request_head_started_) end_after_flush(planned_.value_or(reason_), true);
}

void Connection::evict(Lending& lent, const TimerVerdict& verdict, DeadlineKind kind, Duration after, int status) {
  // Who has reached its age goes on being served.
  const bool is_evicted_already = has_reason_ && fired_ != DeadlineKind::none && fired_ != DeadlineKind::max_age;
  fired_ = kind;
  aside().fired_ms = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(after).count());
  note(verdict.reason);
  if (!is_evicted_already) lent.telemetry.stats().evicted(protocol_, verdict.phase);
  const bool is_unread = kind == DeadlineKind::write && egress_ != nullptr && !egress_->empty();
  if (is_http2() && !is_unread) {
    head_started_ = request_head_started_ = false;
    codec_->terminate(http::kH2NoError);  // nothing was wrong with the requests
    discard_all(lent, kind == DeadlineKind::write ? ErrorType::write_timeout : ErrorType::client_gone);
    end_after_flush(verdict.reason, true);
    return;
  }
  if (status == 0 || kind == DeadlineKind::write) {
    if (kind == DeadlineKind::write) discard_all(lent, ErrorType::write_timeout);
    if (is_unread) net::drop_unsent(descriptor());
    end_now(lent, verdict.reason);
    return;
  }
  Exchange* current = last_exchange();
  if (current != nullptr && current->state != ExchangeState::receiving) current = nullptr;
  if (current != nullptr) {
    respond(lent, *current, http::refusal_response(Status{status}));
    apply_events(lent);
  } else {
    // Bytes may have come that do not tell the protocol yet: HTTP/1 text is the best guess there is.
    if (codec_ == nullptr) use_http1(lent);
    refuse_late(lent, Status{status});
  }
  head_started_ = request_head_started_ = false;
  end_after_flush(verdict.reason, true);
}

}  // namespace equinox::server
