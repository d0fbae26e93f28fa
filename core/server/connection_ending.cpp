#include "http/http2_error.hpp"
#include "net/tcp_transport.hpp"
#include "server/connection.hpp"
#include "server/error_map.hpp"
#include "server/lending.hpp"

namespace equinox::server {

void Connection::note(CloseReason reason, const Error& error) noexcept {
  if (has_reason_) return;  // the first cause wins
  // A client that leaves after it was told to has only done so.
  const bool is_farewell = reason == CloseReason::client_fin_idle || reason == CloseReason::client_goaway;
  if (planned_ && is_farewell) reason = *planned_;
  if (planned_ && *planned_ != reason && aside_ != nullptr) aside_->closed_by = {};  // who asked for it did not get it
  has_reason_ = true;
  reason_ = reason;
  if (error.os_errno == 0 && error.detail == 0) return;
  aside().reason_code = error.code;
  aside().reason_errno = error.os_errno;
  aside().reason_detail = error.detail;
}

/// What will be the reason once everything due to the client is out. Until then a timer or the client may be quicker.
void Connection::plan(CloseReason reason) noexcept {
  if (!planned_) planned_ = reason;
}

/// Before the reason it belongs to is noted.
void Connection::note_detail(CloseDetail detail) {
  if (!has_reason_) aside().detail = detail;
}

void Connection::end_after_flush(CloseReason reason, bool linger, const Error& error) {
  note(reason, error);
  const Ending wanted = linger ? Ending::after_flush_linger : Ending::after_flush;
  if (ending_ < wanted) ending_ = wanted;
}

void Connection::end_now(Lending& lent, CloseReason reason, const Error& error) {
  note(reason, error);
  if (is_shaking_hands_) account_handshake_failed(lent, error);
  ending_ = Ending::dead;
}

void Connection::abandon(Lending& lent, CloseReason reason, const Error& error, Duration after) {
  if (!has_reason_ && after != Duration{0}) {
    aside().fired_ms = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(after).count());
  }
  end_now(lent, reason, error);
}

Turn Connection::close(Lending& lent, CloseReason reason, const FixedText<16>& actor) {
  if (reason == CloseReason::admin_drain) return drain_alone(lent, actor);
  const bool is_first = !has_reason_;
  note(reason);
  if (is_first && !actor.view().empty()) aside().closed_by = actor;
  if (is_shaking_hands_ || codec_ == nullptr) {
    end_now(lent, reason);
    return Turn::finished;
  }
  const bool is_unread = egress_ != nullptr && !egress_->empty();
  if (is_http2()) codec_->terminate(http::kH2NoError);
  discard_all(lent, ErrorType::shutdown);
  if (reason == CloseReason::admin_close && is_unread) {
    // Whoever closes does not want to wait for a peer that takes its answer slowly, or never.
    net::drop_unsent(descriptor());
    end_now(lent, reason);
  } else {
    end_after_flush(reason, is_http2());
  }
  return settle(lent);
}

/// What a drain of the server is for all: what runs is finished, with Connection: close or two GOAWAYs, and who is idle
/// is closed after a last silence, so that no request on its way is lost. A handshake that runs comes to its end.
Turn Connection::drain_alone(Lending& lent, const FixedText<16>& actor) {
  if (is_ending() || has_reason_ || planned_) return settle(lent);  // it ends anyway
  if (!actor.view().empty()) aside().closed_by = actor;
  closes_after_response_ = true;
  if (is_http2()) {
    retire(lent, CloseReason::admin_drain);
    return settle(lent);
  }
  plan(CloseReason::admin_drain);
  if (is_shaking_hands_) {
    if (!got_bytes_) phase_start_ = lent.now;
    return settle(lent);
  }
  is_readable_ = true;  // a request that is here already is answered
  take_input(lent);
  if (exchanges_ == nullptr && !head_started_) phase_start_ = lent.now;
  return settle(lent);
}

void Connection::on_io_failure(Lending& lent, const Error& error) {
  CloseReason reason = reason_of(error.code);
  if (error.code == Errc::peer_reset || error.code == Errc::peer_closed) {
    reason = exchanges_ == nullptr && !head_started_ ? CloseReason::client_reset_idle
                                                     : CloseReason::client_reset_mid_request;
    if (is_shaking_hands_ && got_bytes_) {
      reason = CloseReason::tls_handshake_failed;
      note_detail(CloseDetail::handshake_reset);
    }
  }
  end_now(lent, reason, error);
}

/// HTTP/2: all that is left waits for windows, and the peer has sent its last byte: no WINDOW_UPDATE will come.
bool Connection::is_behind_shut_windows() const {
  if (!peer_finished_ || !is_http2() || codec_ == nullptr || exchanges_ == nullptr) return false;
  // What has only had its share of the turn goes on.
  if (owes_egress_ || (egress_ != nullptr && !egress_->empty()) || codec_->state().wants_transmit) return false;
  for (const Exchange* x = exchanges_; x != nullptr; x = x->next) {
    const bool is_held_up = x->state == ExchangeState::responding && codec_->is_held_up(x->stream);
    if (!is_held_up && !x->is_held_back) return false;
  }
  return true;
}

void Connection::leave_shut_windows(Lending& lent) {
  const CloseReason reason = h2_->peer_said_goaway ? CloseReason::client_goaway : CloseReason::client_fin_mid_request;
  note(reason);
  if (h2_->held_back != 0 && cut_held_up(lent)) {
    pump(lent);  // what waited for their room may have windows of its own
    return;
  }
  codec_->terminate(http::kH2NoError);
  discard_all(lent, ErrorType::client_gone);
  end_after_flush(reason, false);
  pump(lent);
}

/// False: there is none.
bool Connection::cut_held_up(Lending& lent) {
  bool has_cut = false;
  for (Exchange* x = exchanges_; x != nullptr;) {
    Exchange* next = x->next;
    if (!x->is_held_back) {
      cut(lent, *x, ErrorType::client_gone);
      has_cut = true;
    }
    x = next;
  }
  return has_cut;
}

void Connection::end_flushed(Lending& lent) {
  if (ending_ == Ending::lingering || owes_egress_ || (egress_ != nullptr && !egress_->empty())) return;
  if (!is_ending()) {
    if (codec_ == nullptr || exchanges_ != nullptr) return;
    if (!codec_->is_finished()) return;
    note(planned_     ? *planned_
         : is_http2() ? (h2_->peer_said_goaway ? CloseReason::client_goaway : CloseReason::h2_protocol_error)
                      : CloseReason::client_connection_close);
    ending_ = is_http2() || (held_ != nullptr && !held_->empty()) ? Ending::after_flush_linger : Ending::after_flush;
  }
  // What was pulled is out, but a response may have more to come.
  const bool codec_goes_on = codec_ != nullptr && !codec_->is_finished();
  for (const Exchange* x = exchanges_; x != nullptr && codec_goes_on; x = x->next) {
    const bool waits_for_sink = x->state == ExchangeState::receiving && x->is_complete && x->sink_waits;
    const bool is_under_way = x->state == ExchangeState::responding || x->state == ExchangeState::handling;
    if (is_under_way || x->is_held_back || waits_for_sink) return;
  }
  if (planned_) note(*planned_);
  discard_all(lent, ErrorType::client_gone);
  held_.reset();
  if ((ending_ == Ending::after_flush_linger || would_be_cut(lent)) && !peer_finished_) {
    transport_->shutdown_send();
    ending_ = Ending::lingering;
    has_lingered_ = true;
    phase_start_ = lent.now;
    static_cast<void>(linger(lent));
    return;
  }
  if (is_tls_) transport_->shutdown_send();
  ending_ = Ending::dead;
}

/// Whether closing now would be a reset that takes the end of an answer with it: bytes of the peer lie unread in the
/// socket, or may still come while it has not all of what was sent (RFC 9112 §9.6). An answer that fits into the first
/// window of any peer is there before anything could cut it, so short ones are not asked about. An administrator who
/// closes does not want to wait.
bool Connection::would_be_cut(Lending& lent) {
  constexpr std::uint64_t kFirstWindowBytes = 8 * 1024;
  if (reason_ == CloseReason::admin_close) return false;
  if (is_readable_ || transport_->has_pending()) return true;
  return sent_bytes(lent) > kFirstWindowBytes && net::unacknowledged_bytes(descriptor()) != 0;
}

/// Of the socket: TLS records included.
std::uint64_t Connection::sent_bytes(Lending& lent) {
  if (is_tls_) count_socket_bytes(lent);
  return record_->own_sent_bytes() + lent.turn_sent_bytes;
}

std::uint64_t Connection::acknowledged_bytes(Lending& lent) {
  const std::uint64_t sent = sent_bytes(lent);
  return sent - std::min(sent, net::unacknowledged_bytes(descriptor()));
}

Turn Connection::linger(Lending& lent) {
  // Reads and forgets, so that the peer's late bytes do not turn our last answer into a reset (RFC 9112 §9.6).
  constexpr int kReadsPerTurn = 8;
  for (int i = 0; is_readable_ || transport_->has_pending(); ++i) {
    if (i == kReadsPerTurn) return Turn::runnable;
    const net::IoResult result = transport_->read(lent.read_buffer);
    account_received(lent, result.bytes);
    if (result.status == net::IoStatus::closed || result.status == net::IoStatus::failed) {
      ending_ = Ending::dead;
      return Turn::finished;
    }
    if (result.status == net::IoStatus::would_block && (!saw_hangup_ || result.bytes == 0)) is_readable_ = false;
  }
  arm(lent);
  return Turn::waiting;
}

}  // namespace equinox::server
