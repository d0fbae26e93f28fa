#include <algorithm>

#include "base/redaction.hpp"
#include "http/http2_error.hpp"
#include "net/tcp_info.hpp"
#include "server/access_line.hpp"
#include "server/connection.hpp"
#include "server/error_map.hpp"
#include "server/lending.hpp"

namespace equinox::server {

namespace {

std::int64_t nanoseconds(TimePoint at) noexcept { return at.time_since_epoch().count(); }

TlsVersion version_of(std::string_view name) noexcept { return parse<TlsVersion>(name).value_or(TlsVersion::none); }

/// At its end TCP_INFO is read only of a connection that lived or moved enough.
constexpr Duration kSampleEvery = std::chrono::seconds{1};
constexpr std::uint64_t kSampleBytes = 64 * 1024;
/// One in so many looks at a living connection enters the histogram of round trips: those that last for days count too.
constexpr std::uint32_t kLooksPerRtt = 100;

/// Of the members that account_request() writes.
constexpr std::size_t kRequestSampleBytes = 160;

std::string shown(const Endpoint& end, const RedactionConfig& redaction) {
  if (redaction.truncate_client_address && end.is_known) return host_to_string(truncated(end));
  // A proxy that forwards requests mostly names no port.
  return end.is_known && end.port == 0 ? host_to_string(end) : to_string(end);
}

/// Of the requests that end with their connection.
ErrorType error_at_end(CloseReason reason) noexcept {
  if (reason == CloseReason::shutdown || reason == CloseReason::shutdown_timeout) return ErrorType::shutdown;
  const CloseFamily family = family_of(reason);
  return family == CloseFamily::protocol || family == CloseFamily::abuse ? ErrorType::protocol : ErrorType::client_gone;
}

}  // namespace

inline RecordHot Connection::hot_record(const Lending& lent) const noexcept {
  RecordHot hot;
  hot.generation = id().generation;
  hot.state = state_;
  hot.protocol = protocol_;
  hot.deadline = deadline_kind_;
  hot.method = newest_method_;
  // The farewell of either side (GOAWAY, close_notify) is no activity: silence lasts to the end.
  const bool has_moved = has_reason_ ? moved_ : (lent.turn_received_bytes | lent.turn_sent_bytes) != 0;
  hot.last_active_ns = has_moved ? nanoseconds(lent.now) : record_->own_last_active_ns();
  const TimePoint due = deadline_due();
  hot.deadline_due_ns = due == kNever ? 0 : nanoseconds(due);
  hot.received_bytes = record_->own_received_bytes() + lent.turn_received_bytes;
  hot.sent_bytes = record_->own_sent_bytes() + lent.turn_sent_bytes;
  hot.requests = request_count_;
  const bool is_of_request = deadline_kind_ == DeadlineKind::body || deadline_kind_ == DeadlineKind::handler ||
                             deadline_kind_ == DeadlineKind::write;
  const Settings& settings = is_of_request ? oldest_settings(lent) : *lent.settings;
  hot.deadline_total_ms = static_cast<std::uint32_t>(length_of(deadline_kind_, settings.timeouts).count());
  hot.pending_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(waiting_bytes(), UINT32_MAX));
  hot.streams = h2_ == nullptr ? std::uint16_t{0} : static_cast<std::uint16_t>(h2_->open_streams);
  hot.route = newest_route_;
  return hot;
}

std::uint64_t Connection::memory_bytes() const noexcept {
  // What is lent is asked for piece by piece only where something is: a request that came and went left nothing.
  const bool holds_more = exchanges_ != nullptr || held_ != nullptr || egress_ != nullptr || h2_ != nullptr ||
                          aside_ != nullptr || head_started_ || is_tls_;
  return holds_more ? memory().total() : sizeof(Connection) + sizeof(telemetry::RecordSlot);
}

void Connection::account_opened(Lending& lent, const Endpoint& peer) {
  RecordCold cold;
  cold.opened_ns = nanoseconds(lent.now);
  cold.memory_bytes = memory_bytes();
  cold.peer_address = peer.address;
  cold.peer_port = peer.port;
  cold.peer_known = peer.is_known;
  cold.listener = listener_;
  RecordHot hot;
  hot.state = state_;
  hot.last_active_ns = cold.opened_ns;
  if (is_tls_) lent.telemetry.stats().tls_started();
  record_ = &lent.telemetry.open(id(), hot, cold, lent.wall_ns);
  if (lent.hooks != nullptr && lent.hooks->opened) lent.hooks->opened(id(), peer);
}

void Connection::account_handshake(Lending& lent) {
  const net::TlsFacts& facts = *transport_->tls();
  const TlsVersion version = version_of(facts.version);
  const Alpn alpn = facts.alpn.empty() ? Alpn::none : parse<Alpn>(facts.alpn).value_or(Alpn::none);
  const TlsCipher cipher = parse<TlsCipher>(facts.cipher).value_or(TlsCipher::other);
  const auto took = (lent.fine - opened_at()).count();
  lent.telemetry.stats().tls_finished(version, facts.resumed, alpn, cipher, took);
  RecordCold cold = record_->own_cold();
  cold.tls = version;
  cold.alpn = alpn;
  cold.cipher = cipher;
  cold.tls_resumed = facts.resumed;
  cold.handshake_us = static_cast<std::uint32_t>(took / 1000);
  cold.sni.assign(facts.sni);
  record_->write_cold(cold);
}

void Connection::account_handshake_failed(Lending& lent, const Error& error) {
  is_shaking_hands_ = false;
  if (const std::string_view name = transport_->server_name(); !name.empty()) {
    RecordCold cold = record_->own_cold();
    cold.sni.assign(name);
    record_->write_cold(cold);
  }
  const bool has_begun = reason_ != CloseReason::client_fin_idle && reason_ != CloseReason::client_reset_idle;
  if (reason_ == CloseReason::handshake_timeout) {
    lent.telemetry.stats().tls_failed(TlsFailure::timeout);
  } else if (error == Error{} || !has_begun) {
    // Closed from outside, or by a client that sent no byte, as checks of a port do: no failure of TLS.
    lent.telemetry.stats().tls_abandoned();
  } else {
    lent.telemetry.stats().tls_failed(tls_failure_of(error));
  }
}

void Connection::account_client(const Endpoint& client) {
  RecordCold cold = record_->own_cold();
  cold.client_address = client.address;
  cold.client_port = client.port;
  cold.client_known = client.is_known && client != peer();
  record_->write_cold(cold);
}

/// Whom the newest request is from, where a trusted proxy may say so: mostly the one who is recorded already.
void Connection::account_request_client(const Endpoint& client) {
  if (client != record_->own_client()) account_client(client);
}

void Connection::account_protocol(Lending& lent, Protocol protocol) {
  protocol_ = protocol;
  // At once, not with the turn: the first request's handler may look at the totals.
  publish_record(lent);
}

/// What TLS has moved since it was last asked; says how much it has received.
std::uint64_t Connection::count_socket_bytes(Lending& lent) {
  const net::SocketBytes moved = transport_->take_socket_bytes();
  lent.turn_received_bytes += moved.received;
  lent.turn_sent_bytes += moved.sent;
  return moved.received;
}

/// Once a turn, so that what came with the first bytes of a protocol counts as its own.
void Connection::count_bytes(Lending& lent) {
  if (is_tls_) count_socket_bytes(lent);
  lent.telemetry.stats().moved(protocol_, lent.turn_received_bytes, lent.turn_sent_bytes);
}

void Connection::publish_record(Lending& lent) {
  count_bytes(lent);
  lent.telemetry.publish(*record_, id(), hot_record(lent), memory_bytes(), lent.wall_ns);
  lent.turn_received_bytes = lent.turn_sent_bytes = 0;
  moved_ = false;
}

void Connection::account_upgrade(Lending& lent) { lent.telemetry.stats().upgraded(Upgrade::h2c); }

void Connection::account_received(Lending& lent, std::size_t bytes) {
  if (!is_tls_) lent.turn_received_bytes += bytes;  // else the transport counts, below the records
  if (bytes != 0 && !has_reason_) moved_ = true;
  note_alive(lent.now);  // any byte shows that the peer is there
}

void Connection::account_sent(Lending& lent, std::uint64_t bytes) {
  if (!is_tls_) lent.turn_sent_bytes += bytes;
  if (bytes != 0 && !has_reason_) moved_ = true;
  if (aside_ != nullptr) aside_->write_window.give(bytes);
}

void Connection::account_turn(Lending& lent) {
  publish_record(lent);
  const std::uint64_t pending = waiting_bytes();
  if (pending != known_aside().pending_told) {
    lent.telemetry.stats().output_pending(known_aside().pending_told, pending);
    aside().pending_told = pending;
  }
  if (telemetry::ReactorTelemetry::is_sample_due(*record_, nanoseconds(lent.now))) refresh_sample(lent);
  if (exchanges_ != nullptr && is_newest(*last_exchange())) {
    const Exchange& newest = *last_exchange();
    record_->write_target(request_count_, newest.target, newest.target_size);
  }
}

void Connection::account_refusal(Lending& lent, Errc code) {
  if (const auto reason = reject_reason_of(code)) account_rejected(lent, *reason);
}

void Connection::account_rejected(Lending& lent, RequestRejectReason reason) {
  lent.telemetry.stats().request_rejected(protocol_, reason);
}

void Connection::account_request_started(Lending& lent, Exchange& exchange) {
  newest_is_refused_ = false;
  newest_stream_ = exchange.stream;
  newest_status_ = 0;
  newest_method_ = static_cast<std::uint8_t>(exchange.method);
  newest_route_ = exchange.route_id;
  lent.telemetry.stats().request_started(static_cast<std::uint8_t>(exchange.method),
                                         static_cast<std::uint8_t>(exchange.scheme));
  lent.telemetry.stats().route_entered(newest_route_);
}

void Connection::account_request(Lending& lent, Exchange& exchange) {
  telemetry::RequestSample& sample = lent.sample;
  // It still holds the request before: whoever adds a member writes it here.
  static_assert(sizeof(telemetry::RequestSample) == kRequestSampleBytes);
  sample.route = exchange.route_id;
  sample.method = static_cast<std::uint8_t>(exchange.method);
  sample.version = static_cast<std::uint8_t>(exchange.version);
  sample.scheme = static_cast<std::uint8_t>(exchange.scheme);
  sample.error = exchange.error == ErrorType::none && exchange.status >= 500 ? ErrorType::status : exchange.error;
  sample.protocol = protocol_;
  sample.status = exchange.status;
  sample.phases_ns = exchange.phases.spent_ns();
  sample.total_ns = exchange.phases.total_ns();
  sample.wall_ns = lent.wall_ns + (lent.fine - lent.now).count();
  sample.connection = id();
  sample.stream = exchange.stream;
  sample.received_bytes = exchange.body_bytes;
  sample.sent_bytes = exchange.sent_bytes;
  sample.request_id = exchange.context.request_id;
  sample.trace_id = exchange.context.trace_id;
  sample.target = exchange.target_view();
  sample.first_byte_ns =
      exchange.first_byte == TimePoint{}
          ? -1
          : (exchange.first_byte - exchange.phases.started()).count() - exchange.phases.spent_ns()[0];
  lent.telemetry.request_finished(sample);
  if (is_newest(exchange)) {
    newest_status_ = exchange.status;
    record_->write_target(request_count_, exchange.target, exchange.target_size);
  }
  if (exchange.settings->access_log) {
    lent.access_log.write(access_line(exchange, protocol_, std::chrono::nanoseconds{sample.total_ns}));
  }
  if (lent.hooks != nullptr && lent.hooks->request_done) {
    lent.hooks->request_done({id(), exchange.stream, exchange.method, Status{exchange.status}, exchange.target_view(),
                              std::chrono::nanoseconds{sample.total_ns}});
  }
}

void Connection::tell_streams(Lending& lent, std::uint32_t open, std::uint32_t half_closed) {
  lent.telemetry.stats().http2_streams({h2_->open_streams - h2_->half_closed_streams, h2_->half_closed_streams},
                                       {open - half_closed, half_closed});
  h2_->open_streams = open;
  h2_->half_closed_streams = half_closed;
}

void Connection::tell_peak_streams(std::uint32_t peak) noexcept {
  h2_->peak_streams = peak;
  RecordCold cold = record_->own_cold();
  cold.streams_peak = static_cast<std::uint16_t>(std::min(peak, 0xffffU));
  record_->write_cold(cold);
}

void Connection::account_counters(Lending& lent) {
  http::ProtocolCounters counters;
  const http::CodecState state = codec_->state();
  codec_accepts_ = state.can_receive;
  window_blocked_ = state.window_blocked != 0;
  h2_->window_waiting_bytes = state.window_waiting_bytes;
  tell_streams(lent, state.open_streams, state.half_closed_streams);
  if (state.peak_streams > h2_->peak_streams) tell_peak_streams(state.peak_streams);
  if (!codec_->take_counters(counters, lent.now)) return;
  telemetry::Http2Deltas deltas;
  deltas.frames_received = counters.frames_received;
  deltas.frames_sent = counters.frames_sent;
  deltas.resets_received = counters.resets_received;
  deltas.resets_sent = counters.resets_sent;
  deltas.goaways_received = counters.goaways_received;
  deltas.goaways_sent = counters.goaways_sent;
  deltas.streams_opened = counters.streams_opened;
  deltas.ping_rtt_ns = counters.ping_rtt_ns;
  deltas.stream_blocked_ns = counters.stream_blocked_ns;
  deltas.connection_blocked_ns = counters.connection_blocked_ns;
  lent.telemetry.stats().http2(deltas);
  // Only the library sends this code: for streams beyond the limit it has announced.
  if (const std::uint32_t refused = counters.resets_sent[http::kH2RefusedStream]; refused != 0) {
    lent.telemetry.stats().request_rejected(protocol_, RequestRejectReason::h2_stream_refused, refused);
  }
  for (const std::uint32_t count : counters.goaways_received) h2_->peer_said_goaway |= count != 0;
  if (counters.ping_rtt_ns != 0) h2_->ping_rtt_ns = counters.ping_rtt_ns;
  if (counters.last_goaway_code != 0) h2_->goaway_code = counters.last_goaway_code;
  if (counters.last_stream != 0) h2_->last_stream = counters.last_stream;
}

void Connection::begin_write_window(Lending& lent) {
  aside().write_window.begin(lent.now, oldest_settings(lent).timeouts.write, net::unacknowledged_bytes(descriptor()));
  if (is_http2()) codec_->begin_write_window();
  // A peer that reads nothing at all brings no further turn in which to see who is slow.
  aside_->sample_at = lent.now + kSampleEvery;
}

/// Time behind a window passes without a byte: it is counted once a second, not only when the peer stirs.
void Connection::look_again_while_blocked(Lending& lent) noexcept {
  if (window_blocked_ && is_behind() && aside_->sample_at == kNever) aside_->sample_at = lent.now + kSampleEvery;
}

void Connection::refresh_sample(Lending& lent) {
  if (aside_ != nullptr) aside_->sample_at = kNever;
  look_again_while_blocked(lent);
  const auto info = net::read_tcp_info(descriptor());
  if (!info) return;
  RecordCold cold = record_->own_cold();
  cold.sampled_ns = nanoseconds(lent.now);
  cold.rtt_us = info->rtt_us;
  cold.retransmits = info->retransmits;
  cold.limited_by = limited_by(*info);
  record_->write_cold(cold);
  if (++lent.tcp_looks % kLooksPerRtt == 0 && info->rtt_us != 0) lent.telemetry.stats().rtt(info->rtt_us);
}

LimitedBy Connection::limited_by(const net::TcpInfo& info) const noexcept {
  switch (state_) {
    case ConnectionState::reading_body: return LimitedBy::client_upload;
    case ConnectionState::handling: return LimitedBy::handler;
    case ConnectionState::writing: break;
    default:
      if (!is_behind()) return LimitedBy::none;  // else it drains or closes, and the peer keeps it from that
  }
  if (window_blocked_) return LimitedBy::h2_window;
  // Most of the time in which there was something to send went by waiting for the peer's window, or for our own buffer.
  if (info.receiver_limited_us * 2 >= info.busy_us) return LimitedBy::receiver_window;
  if (info.send_buffer_limited_us * 2 >= info.busy_us) return LimitedBy::send_buffer;
  return LimitedBy::network;
}

void Connection::sample_at_close(Lending& lent, telemetry::CloseFacts& facts) const {
  const auto info = net::read_tcp_info(descriptor());
  if (!info) return;
  telemetry::TcpSample sample;
  sample.rtt_us = facts.rtt_us = info->rtt_us;
  sample.retransmits = facts.retransmits = info->retransmits;
  sample.receiver_limited_us = info->receiver_limited_us;
  sample.send_buffer_limited_us = info->send_buffer_limited_us;
  lent.telemetry.stats().tcp(sample);
}

void Connection::log_close(Lending& lent) const {
  // What we ended is worth a line of its own; what ended as usual only for whoever looks closely.
  const CloseFamily family = family_of(reason_);
  const bool is_ours = family == CloseFamily::timer || family == CloseFamily::abuse || family == CloseFamily::pressure;
  const LogLevel level = is_ours ? LogLevel::info : LogLevel::debug;
  if (!lent.log.is_enabled(level)) return;
  LogRecord record{level, LogComponent::connection, "connection closed"};
  record.about(id()).add("connection", to_string(id())).add("peer", shown(peer(), lent.settings->redaction));
  if (const Endpoint client = record_->own_client(); client != peer()) {
    record.add("client", shown(client, lent.settings->redaction));
  }
  record.add("protocol", to_string(protocol_))
      .add("reason", to_string(reason_))
      .add("requests", request_count_)
      .add("age_seconds", static_cast<double>((lent.now - opened_at()).count()) / 1e9);
  // The name explains the end of a handshake; of whom it served, requests say more.
  if (family_of(reason_) == CloseFamily::tls) {
    if (const auto sni = record_->own_cold().sni; !sni.view().empty()) record.add("sni", sni.view());
  }
  if (known_aside().fired_ms != 0) {
    if (fired_ != DeadlineKind::none) record.add("timer", to_string(fired_));
    record.add("timer_seconds", static_cast<double>(known_aside().fired_ms) / 1e3);
  }
  if (known_aside().reason_errno != 0) record.add("errno", known_aside().reason_errno);
  lent.log.write(record);
}

void Connection::settle_accounts(Lending& lent) {
  if (codec_ != nullptr && is_http2()) account_counters(lent);
  discard_all(lent, error_at_end(reason_));
  lent.telemetry.stats().output_pending(known_aside().pending_told, 0);
  if (h2_ != nullptr) {
    tell_streams(lent, 0, 0);
    lent.telemetry.stats().http2_connection_closed(h2_->peak_streams);
  }
  const Duration age = lent.now - opened_at();
  const std::uint64_t moved = record_->own_received_bytes() + record_->own_sent_bytes();
  telemetry::CloseFacts facts;
  if (age >= kSampleEvery || moved >= kSampleBytes) sample_at_close(lent, facts);
  facts.reason = reason_;
  facts.timer = fired_;
  facts.timer_ms = known_aside().fired_ms;
  facts.os_errno = known_aside().reason_errno;
  if (family_of(reason_) == CloseFamily::tls && known_aside().reason_detail != 0) {
    facts.tls_alert = static_cast<int>(known_aside().reason_detail);
    facts.tls_alert_sent = known_aside().reason_code != Errc::tls_alert;
  }
  if (h2_ != nullptr && (h2_->goaway_code != 0 || h2_->last_stream != 0)) {
    facts.has_h2_error = h2_->goaway_code != 0;
    facts.h2_error_code = h2_->goaway_code;
    facts.last_stream = h2_->last_stream;
  }
  facts.status = newest_status_;
  facts.rejected = known_aside().rejected;
  facts.detail = known_aside().detail;
  const bool is_drained = reason_ == lent.drain_reason || reason_ == CloseReason::shutdown_timeout;
  facts.actor = known_aside().closed_by.view();
  if (facts.actor.empty() && is_drained) facts.actor = lent.drain_by.view();
  facts.ended_ns = nanoseconds(has_lingered_ ? phase_start_ : lent.now);
  lent.telemetry.close(*record_, id(), hot_record(lent), facts, nanoseconds(lent.now), lent.wall_ns);
  egress_.reset();
  log_close(lent);
  if (lent.hooks != nullptr && lent.hooks->closed) lent.hooks->closed(id(), reason_);
}

}  // namespace equinox::server
