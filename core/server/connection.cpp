#include "server/connection.hpp"

#include <sys/socket.h>

#include <algorithm>

#include "server/lending.hpp"

namespace equinox::server {

Connection::Connection(const Origin& origin, Lending& lent)
    : phase_start_{lent.now},
      listener_{origin.listener},
      counted_in_{origin.counted_in},
      is_tls_{origin.is_tls},
      is_shaking_hands_{origin.is_tls},
      awaits_proxy_header_{origin.expects_proxy_header} {
  timer_.token = origin.id.packed();
  state_ = is_tls_ ? ConnectionState::handshake : ConnectionState::reading_head;
  account_opened(lent, origin.peer);
}

Connection::Connection(const Origin& origin, UniqueFd socket, Lending& lent) : Connection{origin, lent} {
  transport_.emplace<net::TcpTransport>(std::move(socket));
}

Connection::Connection(const Origin& origin, std::unique_ptr<net::Transport> transport, Lending& lent)
    : Connection{origin, lent} {
  transport_.adopt(std::move(transport));
}

Connection::~Connection() = default;

Turn Connection::advance(Lending& lent, const net::ReadyEvent& ready) {
  if (ready.peer_closed || ready.error_or_hangup) {
    saw_hangup_ = true;
    transport_->note_hang_up();
  }
  if (ready.readable || ready.peer_closed || ready.error_or_hangup) is_readable_ = true;
  if (ready.writable) {
    if (!is_writable_) note_alive(lent.now);  // it has taken some of what the socket was full of
    is_writable_ = true;
    if (is_tls_) transport_->note_writable();
  }
  // Nothing may be read now, but a reset must not wait until something may: the handler's work is for nobody. Behind
  // the peer's last byte a read would tell of nothing else.
  const bool is_read_of_use = wants_input(lent) && !peer_finished_;
  if (ready.error_or_hangup && ending_ == Ending::none && !is_read_of_use && find_reset(lent)) return settle(lent);
  return turn(lent);
}

bool Connection::find_reset(Lending& lent) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error == 0) return false;
  on_io_failure(lent, net::io_error(error));
  return true;
}

Turn Connection::run_again(Lending& lent) { return turn(lent); }

Turn Connection::run_queued(Lending& lent) {
  // What is still in the socket may have come during the handlers of this turn; what is held was here before them.
  lent.ready_at = has_fresh_input() ? lent.now : lent.fine;
  return turn(lent);
}

Turn Connection::turn(Lending& lent) {
  if (ending_ == Ending::lingering) {
    const Turn next = linger(lent);
    publish_record(lent);
    return next;
  }
  if (is_shaking_hands_ && !shake_hands(lent)) return settle(lent);
  take_input(lent);
  return settle(lent);
}

bool Connection::shake_hands(Lending& lent) {
  if (awaits_proxy_header_ && !take_proxy_header_before_tls(lent)) return false;
  lent.telemetry.doing(StallCause::tls);
  const net::IoResult result = transport_->handshake();
  if (count_socket_bytes(lent) != 0) got_bytes_ = moved_ = true;
  switch (result.status) {
    case net::IoStatus::ok: after_handshake(lent); return true;
    case net::IoStatus::would_block:
    case net::IoStatus::closed:
    case net::IoStatus::failed: on_handshake_halt(lent, result); return false;
  }
  return false;
}

void Connection::on_handshake_halt(Lending& lent, const net::IoResult& result) {
  if (result.status == net::IoStatus::would_block) {
    is_readable_ = false;
  } else if (result.status == net::IoStatus::closed) {
    // A client that sends nothing only looks whether somebody listens: no handshake of its own has failed.
    if (got_bytes_) note_detail(CloseDetail::handshake_left);
    end_now(lent, got_bytes_ ? CloseReason::tls_handshake_failed : CloseReason::client_fin_idle,
            Error{Errc::peer_closed});
  } else {
    on_io_failure(lent, result.error);
  }
}

void Connection::after_handshake(Lending& lent) {
  is_shaking_hands_ = false;
  got_bytes_ = false;   // of a request there are none yet
  is_readable_ = true;  // the first request may already be inside OpenSSL
  phase_start_ = lent.fine = lent.clock.now();
  account_handshake(lent);
  // What ALPN has said needs no first byte; HTTP/2 begins with our own SETTINGS.
  if (transport_->tls()->alpn.empty()) return;
  publish_record(lent);  // the handshake's bytes are of no protocol yet
  std::size_t used = 0;
  static_cast<void>(choose_codec(lent, {}, used));
  if (is_http2() && planned_ == CloseReason::admin_drain) retire(lent, CloseReason::admin_drain);
}

Turn Connection::settle(Lending& lent) {
  if (ending_ != Ending::dead) {
    pump(lent);
    if (ending_ != Ending::dead && !is_ending() && peer_finished_) on_input_end(lent);
    if (ending_ != Ending::dead && is_behind_shut_windows()) leave_shut_windows(lent);
    if (ending_ != Ending::dead) end_flushed(lent);
  }
  // Of a dead connection, too: it is reaped at the end of the turn, and before that new settings may have come.
  if (exchanges_ != nullptr) keep_settings(lent);
  if (ending_ == Ending::dead) {
    publish_record(lent);  // the bytes of its last turn
    return Turn::finished;
  }
  update_state(lent);
  arm(lent);
  account_turn(lent);
  // What it has had no share for in this turn brings no further edge.
  if (ending_ == Ending::lingering) {
    return is_readable_ || transport_->has_pending() ? Turn::runnable : Turn::waiting;
  }
  const bool has_input = has_fresh_input() || is_readable_ || transport_->has_pending();
  const bool can_write = is_writable_ && egress_ != nullptr && !egress_->empty();
  return (has_input && !is_ending() && wants_input(lent)) || can_write || owes_egress_ ? Turn::runnable : Turn::waiting;
}

bool Connection::wants_input(const Lending& lent) const noexcept {
  if (is_shaking_hands_) return is_readable_;
  if (egress_ != nullptr && egress_->pending_bytes() > lent.settings->bounds.output_buffer) return false;
  if (codec_ == nullptr) return true;
  if (is_http2()) return codec_accepts_;
  // A peer that does not take its answers gets no further ones made: pipelining must not cost memory without bound.
  if (egress_ != nullptr && !egress_->empty() && !is_writable_) return false;
  // HTTP/1 has one request at a time: its sink may ask to wait, and nothing follows before it is answered.
  if (exchanges_ == nullptr) return true;
  const Exchange& current = *last_exchange();
  if (current.state == ExchangeState::receiving) return !current.sink_waits;
  return current.state == ExchangeState::sent;
}

void Connection::update_state(Lending& lent) {
  ConnectionState to = ConnectionState::idle;
  if (is_shaking_hands_) {
    to = ConnectionState::handshake;
  } else if (ending_ == Ending::lingering) {
    to = ConnectionState::closing;
  } else if ((lent.drain != DrainStage::none || planned_ == CloseReason::admin_drain) &&
             (exchanges_ != nullptr || is_ending())) {
    to = ConnectionState::draining;
  } else if (is_ending()) {
    to = ConnectionState::closing;
  } else if (egress_ != nullptr && !egress_->empty()) {
    to = ConnectionState::writing;
  } else if (exchanges_ != nullptr) {
    to = ConnectionState::reading_body;
    for (const Exchange* x = exchanges_; x != nullptr; x = x->next) {
      if (x->state == ExchangeState::receiving) continue;
      to = ConnectionState::handling;
      if (x->state == ExchangeState::responding && window_blocked_) {
        to = ConnectionState::writing;
        break;
      }
    }
  } else if (codec_ == nullptr || head_started_ || (request_count_ == 0 && (!is_http2() || !got_bytes_))) {
    to = ConnectionState::reading_head;
  }
  state_ = to;  // the record and the gauges follow in account_turn
}

Turn Connection::resume(Lending& lent, const http::ExchangeLink& link) {
  Exchange* exchange = find(link);
  if (exchange == nullptr || ending_ == Ending::dead) return settle(lent);
  if (exchange->state == ExchangeState::receiving && exchange->sink_waits) {
    exchange->sink_waits = false;
    exchange->handler_due = kNever;
    exchange->phases.enter(RequestPhase::body, lent.fine);
    exchange->body_window.begin(lent.now);
    std::vector<std::byte> backlog;
    backlog.swap(exchange->backlog);
    count_held(lent, *exchange);
    push_to_sink(lent, *exchange, backlog);
    exchange = find(link);
    if (exchange != nullptr && exchange->is_complete && !exchange->sink_waits &&
        exchange->state == ExchangeState::receiving) {
      run_handler(lent, *exchange);
    }
    apply_events(lent);
    held_is_fresh_ = true;
  } else if (exchange->state == ExchangeState::responding && codec_ != nullptr) {
    codec_->resume(link.stream);
  }
  return turn(lent);
}

Turn Connection::drain_step(Lending& lent) {
  if (ending_ != Ending::none || codec_ == nullptr) return settle(lent);
  if (is_http2()) announce_drain(lent);
  return settle(lent);
}

/// The first GOAWAY of a drain, and when the second is due.
void Connection::announce_drain(Lending& lent) {
  if (h2_->was_finalised) return;
  if (!h2_->was_announced) {
    if (request_count_ == 0 && lent.now < goaway_due(lent)) return;
    h2_->was_announced = true;
    codec_->begin_drain(http::DrainStep::announce);
  }
  if (h2_->final_due == kNever) h2_->final_due = std::max(lent.now + kBetweenGoaways, lent.drain_final_at);
}

Turn Connection::rearm(Lending& lent) {
  // A drain was taken back: what a GOAWAY said is said, but nothing makes a second one necessary any more.
  if (lent.drain == DrainStage::none && h2_ != nullptr && !has_reason_ && !planned_) h2_->final_due = kNever;
  return settle(lent);
}

}  // namespace equinox::server
