#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// The one vocabulary: metric labels, JSON, log lines, the dashboard and the documentation take their words from here.
/// Every enumeration here has exactly one table of names; to_string, parse and kCount work on all of them. A log level
/// is none of them: what log lines and metrics call "warning" is "warn" in the admin API.
namespace equinox {

/// Specialised per enumeration: `names`, one word per enumerator in order.
template <typename E>
struct Vocabulary;

template <typename E>
concept Word = requires {
  Vocabulary<E>::names.size();
};

/// How many enumerators there are.
template <Word E>
inline constexpr std::size_t kCount = Vocabulary<E>::names.size();

template <Word E>
constexpr std::size_t index_of(E word) noexcept {
  return static_cast<std::size_t>(word);
}

template <Word E>
constexpr std::string_view to_string(E word) noexcept {
  return Vocabulary<E>::names[index_of(word)];
}

/// The enumerator of that name; nothing when there is none. Case matters.
template <Word E>
constexpr std::optional<E> parse(std::string_view name) noexcept {
  for (std::size_t i = 0; i < kCount<E>; ++i) {
    if (Vocabulary<E>::names[i] == name) return static_cast<E>(i);
  }
  return std::nullopt;
}

/// Calls `f(E)` for each enumerator in order.
template <Word E, typename F>
constexpr void for_each_word(F&& f) {
  for (std::size_t i = 0; i < kCount<E>; ++i) f(static_cast<E>(i));
}

/// `http11` includes HTTP/1.0; `unknown` until the first bytes or ALPN decide; h2 is over TLS, h2c is not.
enum class Protocol : std::uint8_t { unknown, http11, h2, h2c };
template <>
struct Vocabulary<Protocol> {
  static constexpr std::array<std::string_view, 4> names{"unknown", "http/1.1", "h2", "h2c"};
};
constexpr bool is_http2(Protocol protocol) noexcept { return protocol == Protocol::h2 || protocol == Protocol::h2c; }

/// What a connection is doing now. HTTP/2: the first that applies of draining, closing, writing, handling,
/// reading_body, reading_head, idle.
enum class ConnectionState : std::uint8_t {
  handshake,
  reading_head,
  reading_body,
  handling,
  writing,
  idle,
  draining,
  closing
};
template <>
struct Vocabulary<ConnectionState> {
  static constexpr std::array<std::string_view, 8> names{"handshake", "reading_head", "reading_body", "handling",
                                                         "writing",   "idle",         "draining",     "closing"};
};
/// One letter per state, for the state strip: T R B H W I D C.
constexpr char letter_of(ConnectionState state) noexcept { return "TRBHWIDC"[index_of(state)]; }

/// Who ended a connection.
enum class Initiator : std::uint8_t { client, server, admin, network };
template <>
struct Vocabulary<Initiator> {
  static constexpr std::array<std::string_view, 4> names{"client", "server", "admin", "network"};
};

/// Group of close reasons.
enum class CloseFamily : std::uint8_t { client, normal, timer, protocol, tls, abuse, pressure, admin, network };
template <>
struct Vocabulary<CloseFamily> {
  static constexpr std::array<std::string_view, 9> names{"client", "normal",   "timer", "protocol", "tls",
                                                         "abuse",  "pressure", "admin", "network"};
};

/// Why a connection ended; the first cause wins. There is no "unknown".
enum class CloseReason : std::uint8_t {
  client_fin_idle,
  client_fin_mid_request,
  client_reset_idle,
  client_reset_mid_request,
  client_goaway,
  client_connection_close,
  response_connection_close,
  max_requests,
  max_age,
  drain,
  shutdown,
  shutdown_timeout,
  app_close,
  request_refused,
  handshake_timeout,
  first_request_timeout,
  header_timeout,
  body_timeout,
  body_rate_too_low,
  handler_timeout,
  write_stall,
  write_rate_too_low,
  window_stall,
  keep_alive_timeout,
  h2_idle_timeout,
  ping_timeout,
  parse_error_h1,
  head_too_large,
  body_too_large,
  smuggling_guard,
  h2_preface_invalid,
  h2_protocol_error,
  h2_flow_control_error,
  h2_compression_error,
  h2_frame_size,
  wrong_protocol,
  tls_handshake_failed,
  tls_alert,
  tls_plaintext,
  tls_sni_unknown,
  rapid_reset,
  own_resets,
  flood_settings,
  flood_ping,
  flood_continuation,
  flood_empty,
  flood_priority,
  flood_window_update,
  flood_data_tiny,
  flood_tls,
  header_bomb,
  connection_limit,
  memory_pressure,
  handler_abort,
  handler_exception_after_start,
  admin_close,
  admin_drain,
  network_timeout,
  network_error,
};
inline constexpr std::size_t kCloseReasons = static_cast<std::size_t>(CloseReason::network_error) + 1;

struct CloseReasonEntry {
  CloseReason reason;
  std::string_view name;
  CloseFamily family;
  Initiator initiator;
};

/// Name, family and initiator of each reason, in the order of the enumeration.
inline constexpr std::array<CloseReasonEntry, kCloseReasons> kCloseReasonTable{{
    {CloseReason::client_fin_idle, "client_fin_idle", CloseFamily::client, Initiator::client},
    {CloseReason::client_fin_mid_request, "client_fin_mid_request", CloseFamily::client, Initiator::client},
    {CloseReason::client_reset_idle, "client_reset_idle", CloseFamily::client, Initiator::client},
    {CloseReason::client_reset_mid_request, "client_reset_mid_request", CloseFamily::client, Initiator::client},
    {CloseReason::client_goaway, "client_goaway", CloseFamily::client, Initiator::client},
    {CloseReason::client_connection_close, "client_connection_close", CloseFamily::client, Initiator::client},
    {CloseReason::response_connection_close, "response_connection_close", CloseFamily::normal, Initiator::server},
    {CloseReason::max_requests, "max_requests", CloseFamily::normal, Initiator::server},
    {CloseReason::max_age, "max_age", CloseFamily::normal, Initiator::server},
    {CloseReason::drain, "drain", CloseFamily::normal, Initiator::server},
    {CloseReason::shutdown, "shutdown", CloseFamily::normal, Initiator::server},
    {CloseReason::shutdown_timeout, "shutdown_timeout", CloseFamily::normal, Initiator::server},
    {CloseReason::app_close, "app_close", CloseFamily::normal, Initiator::server},
    {CloseReason::request_refused, "request_refused", CloseFamily::normal, Initiator::server},
    {CloseReason::handshake_timeout, "handshake_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::first_request_timeout, "first_request_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::header_timeout, "header_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::body_timeout, "body_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::body_rate_too_low, "body_rate_too_low", CloseFamily::timer, Initiator::server},
    {CloseReason::handler_timeout, "handler_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::write_stall, "write_stall", CloseFamily::timer, Initiator::server},
    {CloseReason::write_rate_too_low, "write_rate_too_low", CloseFamily::timer, Initiator::server},
    {CloseReason::window_stall, "window_stall", CloseFamily::timer, Initiator::server},
    {CloseReason::keep_alive_timeout, "keep_alive_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::h2_idle_timeout, "h2_idle_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::ping_timeout, "ping_timeout", CloseFamily::timer, Initiator::server},
    {CloseReason::parse_error_h1, "parse_error_h1", CloseFamily::protocol, Initiator::server},
    {CloseReason::head_too_large, "head_too_large", CloseFamily::protocol, Initiator::server},
    {CloseReason::body_too_large, "body_too_large", CloseFamily::protocol, Initiator::server},
    {CloseReason::smuggling_guard, "smuggling_guard", CloseFamily::protocol, Initiator::server},
    {CloseReason::h2_preface_invalid, "h2_preface_invalid", CloseFamily::protocol, Initiator::server},
    {CloseReason::h2_protocol_error, "h2_protocol_error", CloseFamily::protocol, Initiator::server},
    {CloseReason::h2_flow_control_error, "h2_flow_control_error", CloseFamily::protocol, Initiator::server},
    {CloseReason::h2_compression_error, "h2_compression_error", CloseFamily::protocol, Initiator::server},
    {CloseReason::h2_frame_size, "h2_frame_size", CloseFamily::protocol, Initiator::server},
    {CloseReason::wrong_protocol, "wrong_protocol", CloseFamily::protocol, Initiator::server},
    {CloseReason::tls_handshake_failed, "tls_handshake_failed", CloseFamily::tls, Initiator::server},
    {CloseReason::tls_alert, "tls_alert", CloseFamily::tls, Initiator::client},
    {CloseReason::tls_plaintext, "tls_plaintext", CloseFamily::tls, Initiator::server},
    {CloseReason::tls_sni_unknown, "tls_sni_unknown", CloseFamily::tls, Initiator::server},
    {CloseReason::rapid_reset, "rapid_reset", CloseFamily::abuse, Initiator::server},
    {CloseReason::own_resets, "own_resets", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_settings, "flood_settings", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_ping, "flood_ping", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_continuation, "flood_continuation", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_empty, "flood_empty", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_priority, "flood_priority", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_window_update, "flood_window_update", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_data_tiny, "flood_data_tiny", CloseFamily::abuse, Initiator::server},
    {CloseReason::flood_tls, "flood_tls", CloseFamily::abuse, Initiator::server},
    {CloseReason::header_bomb, "header_bomb", CloseFamily::abuse, Initiator::server},
    {CloseReason::connection_limit, "connection_limit", CloseFamily::pressure, Initiator::server},
    {CloseReason::memory_pressure, "memory_pressure", CloseFamily::pressure, Initiator::server},
    {CloseReason::handler_abort, "handler_abort", CloseFamily::admin, Initiator::server},
    {CloseReason::handler_exception_after_start, "handler_exception_after_start", CloseFamily::admin,
     Initiator::server},
    {CloseReason::admin_close, "admin_close", CloseFamily::admin, Initiator::admin},
    {CloseReason::admin_drain, "admin_drain", CloseFamily::admin, Initiator::admin},
    {CloseReason::network_timeout, "network_timeout", CloseFamily::network, Initiator::network},
    {CloseReason::network_error, "network_error", CloseFamily::network, Initiator::network},
}};

template <>
struct Vocabulary<CloseReason> {
  static constexpr std::array<std::string_view, kCloseReasons> names = [] {
    std::array<std::string_view, kCloseReasons> out{};
    for (const auto& entry : kCloseReasonTable) out[static_cast<std::size_t>(entry.reason)] = entry.name;
    return out;
  }();
};
constexpr Initiator initiator_of(CloseReason reason) noexcept { return kCloseReasonTable[index_of(reason)].initiator; }
constexpr CloseFamily family_of(CloseReason reason) noexcept { return kCloseReasonTable[index_of(reason)].family; }

/// The one armed deadline of a connection: which obligation it watches.
enum class DeadlineKind : std::uint8_t {
  none,
  handshake,
  first_request,
  head,
  body,
  handler,
  write,
  idle,
  ping,
  max_age
};
template <>
struct Vocabulary<DeadlineKind> {
  static constexpr std::array<std::string_view, 10> names{"none",    "handshake", "first_request", "head", "body",
                                                          "handler", "write",     "idle",          "ping", "max_age"};
};

/// Label of equinox_idle_evictions_total.
enum class EvictionPhase : std::uint8_t {
  handshake,
  first_request,
  head,
  body,
  handler,
  between_requests,
  write_stall,
  h2_no_streams,
  max_age,
  pressure
};
template <>
struct Vocabulary<EvictionPhase> {
  static constexpr std::array<std::string_view, 10> names{
      "handshake",        "first_request", "head",          "body",    "handler",
      "between_requests", "write_stall",   "h2_no_streams", "max_age", "pressure"};
};

/// How far the peer came in the window that has just ended.
enum class Progress : std::uint8_t {
  silent,         ///< not one byte
  too_slow,       ///< bytes, but fewer than the least rate
  window_closed,  ///< HTTP/2: the peer's flow-control window kept us from sending
};
template <>
struct Vocabulary<Progress> {
  static constexpr std::array<std::string_view, 3> names{"silent", "too_slow", "window_closed"};
};

struct TimerVerdict {
  EvictionPhase phase;
  CloseReason reason;
};

/// What the end of a deadline means. `kind` is not `none`.
constexpr TimerVerdict timer_verdict(DeadlineKind kind, bool is_http2, Progress progress = Progress::silent) noexcept {
  switch (kind) {
    case DeadlineKind::none:
    case DeadlineKind::idle:
      return is_http2 ? TimerVerdict{EvictionPhase::h2_no_streams, CloseReason::h2_idle_timeout}
                      : TimerVerdict{EvictionPhase::between_requests, CloseReason::keep_alive_timeout};
    case DeadlineKind::handshake: return {EvictionPhase::handshake, CloseReason::handshake_timeout};
    case DeadlineKind::first_request: return {EvictionPhase::first_request, CloseReason::first_request_timeout};
    case DeadlineKind::head: return {EvictionPhase::head, CloseReason::header_timeout};
    case DeadlineKind::body:
      return {EvictionPhase::body,
              progress == Progress::silent ? CloseReason::body_timeout : CloseReason::body_rate_too_low};
    case DeadlineKind::handler: return {EvictionPhase::handler, CloseReason::handler_timeout};
    case DeadlineKind::write:
      if (progress == Progress::window_closed) return {EvictionPhase::write_stall, CloseReason::window_stall};
      return {EvictionPhase::write_stall,
              progress == Progress::silent ? CloseReason::write_stall : CloseReason::write_rate_too_low};
    case DeadlineKind::ping: return {EvictionPhase::h2_no_streams, CloseReason::ping_timeout};
    case DeadlineKind::max_age: return {EvictionPhase::max_age, CloseReason::max_age};
  }
  return {EvictionPhase::between_requests, CloseReason::keep_alive_timeout};
}
/// At the connection limit the longest-idle connection makes room.
inline constexpr TimerVerdict kPressureVerdict{EvictionPhase::pressure, CloseReason::connection_limit};

/// Refused at or before accept. `draining`: still queued when a drain closed the listener, because no descriptor was
/// left to take it.
enum class ConnectionRejectReason : std::uint8_t { max_connections, per_client_limit, fd_exhausted, memory, draining };
template <>
struct Vocabulary<ConnectionRejectReason> {
  static constexpr std::array<std::string_view, 5> names{"max_connections", "per_client_limit", "fd_exhausted",
                                                         "memory", "draining"};
};

/// Why a request never reached a handler.
enum class RequestRejectReason : std::uint8_t {
  bad_request_line,
  bad_header,
  bad_host,
  bad_target,
  bad_chunk,
  head_too_large,
  target_too_long,
  trailers_too_large,
  body_too_large,
  memory,
  chunk_overhead,
  header_timeout,
  body_timeout,
  smuggling_guard,
  method_unknown,
  version,
  transfer_coding,
  expectation,
  misdirected,
  wrong_protocol,
  h2_protocol_error,
  h2_stream_refused,
};
template <>
struct Vocabulary<RequestRejectReason> {
  static constexpr std::array<std::string_view, 22> names{
      "bad_request_line",  "bad_header",       "bad_host",           "bad_target",      "bad_chunk",
      "head_too_large",    "target_too_long",  "trailers_too_large", "body_too_large",  "memory",
      "chunk_overhead",    "header_timeout",   "body_timeout",       "smuggling_guard", "method_unknown",
      "version",           "transfer_coding",  "expectation",        "misdirected",     "wrong_protocol",
      "h2_protocol_error", "h2_stream_refused"};
};

/// What a close reason leaves open, for the sentence on the end of a connection.
enum class CloseDetail : std::uint8_t {
  none,
  proxy_header_missing,
  proxy_header_malformed,
  proxy_header_unexpected,  ///< from a network that is not said to send one
  h2c_off,                  ///< the HTTP/2 preface, on a listener that does not take it
  handshake_left,           ///< the client closed within the TLS handshake
  handshake_reset,
  client_full,  ///< the client a PROXY header names has as many connections as it may
};

/// Phases partition the time of an exchange: exactly one is current; overlap counts to the later one.
enum class RequestPhase : std::uint8_t { head, body, queue, handler, write };
template <>
struct Vocabulary<RequestPhase> {
  static constexpr std::array<std::string_view, 5> names{"head", "body", "queue", "handler", "write"};
};

/// Label error_type of a request; `none` is written as no label value at all.
enum class ErrorType : std::uint8_t {
  none,
  status,             ///< answered with 5xx; the label is the status code itself
  handler_exception,  ///< the handler threw
  handler_timeout,
  handler_abort,  ///< the Responder was dropped or a body source failed
  client_gone,    ///< reset, FIN or RST_STREAM before the last byte was handed over
  write_timeout,
  body_timeout,
  shutdown,  ///< the server stopped, its drain timed out, or the connection was closed by administrator or application
  protocol,  ///< the connection was ended by a protocol error or a guard
};
template <>
struct Vocabulary<ErrorType> {
  static constexpr std::array<std::string_view, 10> names{"",
                                                          "status",
                                                          "handler_exception",
                                                          "handler_timeout",
                                                          "handler_abort",
                                                          "client_gone",
                                                          "write_timeout",
                                                          "body_timeout",
                                                          "shutdown",
                                                          "protocol"};
};

/// What a reactor was doing when an iteration took too long.
enum class StallCause : std::uint8_t { handler, tls, parse, h2, write, timer, mailbox, unknown };
template <>
struct Vocabulary<StallCause> {
  static constexpr std::array<std::string_view, 8> names{"handler", "tls",   "parse",   "h2",
                                                         "write",   "timer", "mailbox", "unknown"};
};

enum class TlsFailure : std::uint8_t {
  no_shared_cipher,
  version,
  bad_cert,
  sni_unknown,
  timeout,
  client_abort,
  plaintext_on_tls,
  other
};
template <>
struct Vocabulary<TlsFailure> {
  static constexpr std::array<std::string_view, 8> names{
      "no_shared_cipher", "version", "bad_cert", "sni_unknown", "timeout", "client_abort", "plaintext_on_tls", "other"};
};

enum class TlsVersion : std::uint8_t { none, tls12, tls13 };
template <>
struct Vocabulary<TlsVersion> {
  static constexpr std::array<std::string_view, 3> names{"none", "TLSv1.2", "TLSv1.3"};
};

enum class Alpn : std::uint8_t { none, http11, h2 };
template <>
struct Vocabulary<Alpn> {
  static constexpr std::array<std::string_view, 3> names{"none", "http/1.1", "h2"};
};

/// Cipher suites by OpenSSL's names; everything else is `_other`.
enum class TlsCipher : std::uint8_t {
  other,
  aes_128_gcm,
  aes_256_gcm,
  chacha20,
  ecdhe_ecdsa_aes128_gcm,
  ecdhe_ecdsa_aes256_gcm,
  ecdhe_ecdsa_chacha20,
  ecdhe_rsa_aes128_gcm,
  ecdhe_rsa_aes256_gcm,
  ecdhe_rsa_chacha20
};
template <>
struct Vocabulary<TlsCipher> {
  static constexpr std::array<std::string_view, 10> names{"_other",
                                                          "TLS_AES_128_GCM_SHA256",
                                                          "TLS_AES_256_GCM_SHA384",
                                                          "TLS_CHACHA20_POLY1305_SHA256",
                                                          "ECDHE-ECDSA-AES128-GCM-SHA256",
                                                          "ECDHE-ECDSA-AES256-GCM-SHA384",
                                                          "ECDHE-ECDSA-CHACHA20-POLY1305",
                                                          "ECDHE-RSA-AES128-GCM-SHA256",
                                                          "ECDHE-RSA-AES256-GCM-SHA384",
                                                          "ECDHE-RSA-CHACHA20-POLY1305"};
};

/// Who slows a connection down, from TCP_INFO and the state of its exchanges.
enum class LimitedBy : std::uint8_t { none, handler, client_upload, h2_window, receiver_window, send_buffer, network };
template <>
struct Vocabulary<LimitedBy> {
  static constexpr std::array<std::string_view, 7> names{
      "none", "handler", "client_upload", "h2_window", "receiver_window", "send_buffer", "network"};
};

enum class Direction : std::uint8_t { received, sent };
template <>
struct Vocabulary<Direction> {
  static constexpr std::array<std::string_view, 2> names{"received", "sent"};
};

/// What a reactor lends its connections, each from a pool of its own.
enum class BufferPool : std::uint8_t { egress, http1_parser, exchange, http2 };
template <>
struct Vocabulary<BufferPool> {
  static constexpr std::array<std::string_view, 4> names{"egress", "http1_parser", "exchange", "http2"};
};

enum class LogChannel : std::uint8_t { server, access };
template <>
struct Vocabulary<LogChannel> {
  static constexpr std::array<std::string_view, 2> names{"server", "access"};
};

enum class Upgrade : std::uint8_t { websocket, h2c };
template <>
struct Vocabulary<Upgrade> {
  static constexpr std::array<std::string_view, 2> names{"websocket", "h2c"};
};

/// Index order of the arrays that describe requests; the same orders as equinox::Method, HttpVersion and Scheme.
inline constexpr std::array<std::string_view, 10> kMethodLabels{"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                                                "CONNECT", "OPTIONS", "TRACE", "PATCH", "_OTHER"};
inline constexpr std::array<std::string_view, 3> kVersionLabels{"1.0", "1.1", "2"};
inline constexpr std::array<std::string_view, 2> kSchemeLabels{"http", "https"};

/// HTTP/2 frame types 0–9 (RFC 9113 §6), then all others.
inline constexpr std::array<std::string_view, 11> kH2FrameLabels{
    "DATA", "HEADERS", "PRIORITY",      "RST_STREAM",   "SETTINGS", "PUSH_PROMISE",
    "PING", "GOAWAY",  "WINDOW_UPDATE", "CONTINUATION", "_other"};
/// HTTP/2 error codes 0–13 (RFC 9113 §7), then all others.
inline constexpr std::array<std::string_view, 15> kH2ErrorLabels{"NO_ERROR",
                                                                 "PROTOCOL_ERROR",
                                                                 "INTERNAL_ERROR",
                                                                 "FLOW_CONTROL_ERROR",
                                                                 "SETTINGS_TIMEOUT",
                                                                 "STREAM_CLOSED",
                                                                 "FRAME_SIZE_ERROR",
                                                                 "REFUSED_STREAM",
                                                                 "CANCEL",
                                                                 "COMPRESSION_ERROR",
                                                                 "CONNECT_ERROR",
                                                                 "ENHANCE_YOUR_CALM",
                                                                 "INADEQUATE_SECURITY",
                                                                 "HTTP_1_1_REQUIRED",
                                                                 "_other"};
constexpr std::string_view h2_error_label(std::uint32_t code) noexcept {
  return kH2ErrorLabels[code < kH2ErrorLabels.size() ? code : kH2ErrorLabels.size() - 1];
}

/// Routes in telemetry are small numbers: the two reserved ones, then registered patterns.
using RouteId = std::uint16_t;
inline constexpr RouteId kRouteUnmatched = 0;  ///< "_unmatched"
inline constexpr RouteId kRouteOther = 1;      ///< "_other": past the budget
inline constexpr RouteId kFirstRoute = 2;

}  // namespace equinox
