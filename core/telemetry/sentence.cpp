#include <array>
#include <cstdio>
#include <cstring>
#include <equinox/record.hpp>
#include <string>
#include <string_view>

namespace equinox {

namespace {

/// `text` completes "NAME was closed …"; words in braces are replaced by what the record says.
struct Explanation {
  CloseReason reason;
  std::string_view text;
};

constexpr std::array<Explanation, kCloseReasons> kExplanations{{
    {CloseReason::client_fin_idle, "The client closed the connection {idle}"},
    {CloseReason::client_fin_mid_request, "The client closed the connection in the middle of a request"},
    {CloseReason::client_reset_idle, "The client reset the idle connection{errno}"},
    {CloseReason::client_reset_mid_request, "The client reset the connection in the middle of a request{errno}"},
    {CloseReason::client_goaway, "The client said GOAWAY{h2} and its streams were finished"},
    {CloseReason::client_connection_close, "The client asked for the connection to be closed after its answer"},
    {CloseReason::response_connection_close, "The answer said Connection: close"},
    {CloseReason::max_requests,
     "The server closed the connection because it had served its greatest number of requests"},
    {CloseReason::max_age, "The server closed the connection because it had reached its greatest age{timer}"},
    {CloseReason::drain, "The server closed the connection because it was draining"},
    {CloseReason::shutdown, "The server was stopped"},
    {CloseReason::shutdown_timeout, "The drain timeout{value} ended what was still running"},
    {CloseReason::app_close, "The application closed the connection"},
    {CloseReason::request_refused, "The server refused the request{status} and closed the connection"},
    {CloseReason::handshake_timeout, "The server gave up because the TLS handshake was not finished in time{timer}"},
    {CloseReason::first_request_timeout, "The server gave up because no complete first request came in time{timer}"},
    {CloseReason::header_timeout, "The server gave up because a request head was not complete in time{timer}"},
    {CloseReason::body_timeout, "The server gave up because no byte of the request body came in time{timer}"},
    {CloseReason::body_rate_too_low, "The server gave up because the request body came too slowly{timer}"},
    {CloseReason::handler_timeout, "The server gave up because the handler did not answer in time{timer}"},
    {CloseReason::write_stall, "The server gave up because the client took no byte of the answer in time{timer}"},
    {CloseReason::write_rate_too_low, "The server gave up because the client took the answer too slowly{timer}"},
    {CloseReason::window_stall,
     "The server gave up because the client kept its HTTP/2 flow-control window closed{timer}"},
    {CloseReason::keep_alive_timeout, "The server closed the idle connection after {silent} of silence{timer}"},
    {CloseReason::h2_idle_timeout,
     "The server closed the HTTP/2 connection, which had no open stream, after {silent} of silence{timer}"},
    {CloseReason::ping_timeout, "The server gave up because the client did not answer a PING in time{timer}"},
    {CloseReason::parse_error_h1,
     "The server refused the request{status} and closed the connection because the bytes were not valid HTTP/1"},
    {CloseReason::head_too_large,
     "The server refused the request{status} and closed the connection because the head was too large"},
    {CloseReason::body_too_large,
     "The server refused the request{status} and closed the connection because the body was too large"},
    {CloseReason::smuggling_guard,
     "The server refused the request{status} and closed the connection because it could be read in two ways"},
    {CloseReason::h2_preface_invalid, "The server closed the connection because the HTTP/2 preface was invalid{h2}"},
    {CloseReason::h2_protocol_error, "The server closed the connection because the client broke HTTP/2{h2}"},
    {CloseReason::h2_flow_control_error,
     "The server closed the connection because the client broke HTTP/2 flow control{h2}"},
    {CloseReason::h2_compression_error,
     "The server closed the connection because a field block could not be decompressed{h2}"},
    {CloseReason::h2_frame_size, "The server closed the connection because a frame had a wrong size{h2}"},
    {CloseReason::wrong_protocol, "The server closed the connection because {protocol}"},
    {CloseReason::tls_handshake_failed, "{handshake}{alert}{errno}"},
    {CloseReason::tls_alert, "{tls_end}{alert}"},
    {CloseReason::tls_plaintext, "The client spoke without TLS on a TLS listener"},
    {CloseReason::tls_sni_unknown, "The server has no certificate for the name the client asked for{sni}{alert}"},
    {CloseReason::rapid_reset, "The server ended abuse: the client opened and reset streams too fast{h2}"},
    {CloseReason::own_resets, "The server ended abuse: the client made the server reset too many streams{h2}"},
    {CloseReason::flood_settings, "The server ended abuse: too many SETTINGS frames{h2}"},
    {CloseReason::flood_ping, "The server ended abuse: too many PING frames{h2}"},
    {CloseReason::flood_continuation, "The server ended abuse: too many CONTINUATION frames{h2}"},
    {CloseReason::flood_empty, "The server ended abuse: too many empty frames{h2}"},
    {CloseReason::flood_priority, "The server ended abuse: too many PRIORITY frames{h2}"},
    {CloseReason::flood_window_update, "The server ended abuse: too many WINDOW_UPDATE frames{h2}"},
    {CloseReason::flood_data_tiny, "The server ended abuse: too many tiny DATA frames{h2}"},
    {CloseReason::flood_tls, "The server ended abuse: too many TLS messages that carry nothing"},
    {CloseReason::header_bomb, "The server ended abuse: a field block grew far beyond its size on the wire{h2}"},
    {CloseReason::connection_limit, "The server {room}"},
    {CloseReason::memory_pressure,
     "The server refused the request{status} and closed the connection because memory is short"},
    {CloseReason::handler_abort, "The handler gave the answer up"},
    {CloseReason::handler_exception_after_start, "The handler failed after its answer had begun"},
    {CloseReason::admin_close, "An administrator{actor} closed the connection"},
    {CloseReason::admin_drain, "An administrator{actor} drained the connection"},
    {CloseReason::network_timeout, "The network lost the client: the kernel gave up retransmitting{errno}"},
    {CloseReason::network_error, "The network failed{errno}"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kExplanations.size(); ++i) {
    if (index_of(kExplanations[i].reason) != i || index_of(kCloseReasonTable[i].reason) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the tables follow the enumeration");

struct AlertName {
  int code;
  std::string_view name;
};
constexpr std::array<AlertName, 27> kAlerts{{{0, "close_notify"},
                                             {10, "unexpected_message"},
                                             {20, "bad_record_mac"},
                                             {22, "record_overflow"},
                                             {40, "handshake_failure"},
                                             {42, "bad_certificate"},
                                             {43, "unsupported_certificate"},
                                             {44, "certificate_revoked"},
                                             {45, "certificate_expired"},
                                             {46, "certificate_unknown"},
                                             {47, "illegal_parameter"},
                                             {48, "unknown_ca"},
                                             {49, "access_denied"},
                                             {50, "decode_error"},
                                             {51, "decrypt_error"},
                                             {70, "protocol_version"},
                                             {71, "insufficient_security"},
                                             {80, "internal_error"},
                                             {86, "inappropriate_fallback"},
                                             {90, "user_canceled"},
                                             {109, "missing_extension"},
                                             {110, "unsupported_extension"},
                                             {112, "unrecognized_name"},
                                             {113, "bad_certificate_status_response"},
                                             {115, "unknown_psk_identity"},
                                             {116, "certificate_required"},
                                             {120, "no_application_protocol"}}};

/// "60 s", "1.5 s", "250 ms".
std::string seconds_text(std::uint64_t milliseconds) {
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  const auto tenths = milliseconds / 100;
  auto out = std::to_string(tenths / 10);
  if (tenths % 10 != 0) out.append(".").append(std::to_string(tenths % 10));
  return out + " s";
}

/// "512 B", "3.1 KiB", "2.0 MiB".
std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array<std::string_view, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%.1f ", value));
  return std::string{text.data()} + std::string{kUnits[unit]};
}

/// Bytes from the wire as visible ASCII.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x21 && byte < 0x7F && c != '\\') {
      out += c;
    } else {
      std::array<char, 8> escaped{};
      static_cast<void>(std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(byte)));
      out += escaped.data();
    }
  }
  return out;
}

std::string errno_text(const ClosedRecord& record) {
  if (record.os_errno == 0) return {};
  const char* name = ::strerrorname_np(record.os_errno);
  const char* description = ::strerrordesc_np(record.os_errno);
  std::string out = name != nullptr ? name : "errno " + std::to_string(record.os_errno);
  if (description != nullptr) out += ", " + std::string{description};
  return out;
}

std::string alert_text(const ClosedRecord& record) {
  if (record.tls_alert < 0) return {};
  return std::string{"alert "} + std::to_string(record.tls_alert) + " " + tls_alert_name(record.tls_alert) +
         (record.tls_alert_sent ? " sent" : " received");
}

std::string h2_text(const ClosedRecord& record) {
  if (!record.has_h2_error) return {};
  std::string out{h2_error_label(record.h2_error_code)};
  if (out == "_other") out = "code " + std::to_string(record.h2_error_code);
  if (record.last_stream != 0) out += ", last stream " + std::to_string(record.last_stream);
  return out;
}

std::string timer_text(const ClosedRecord& record) {
  if (record.timer_ms == 0) return {};
  std::string out;
  if (record.timer != DeadlineKind::none) out += std::string{to_string(record.timer)} + " ";
  return out + "timeout " + seconds_text(record.timer_ms);
}

/// In the order of RequestRejectReason.
constexpr std::array<std::string_view, kCount<RequestRejectReason>> kRejections{
    "malformed request line",
    "malformed field",
    "no valid Host",
    "malformed target",
    "malformed chunk",
    "head too large",
    "target too long",
    "trailers too large",
    "body too large",
    "memory is short",
    "too much around the chunks",
    "head not complete in time",
    "body not complete in time",
    "body of doubtful length",
    "unknown method",
    "unknown version of HTTP",
    "unknown transfer coding",
    "unknown expectation",
    "name of another certificate",
    "not HTTP",
    "broken HTTP/2",
    "too many streams",
};

std::string_view protocol_text(CloseDetail detail) {
  switch (detail) {
    case CloseDetail::proxy_header_missing: return "it did not begin with the PROXY header that its network must send";
    case CloseDetail::proxy_header_malformed: return "its PROXY header was malformed";
    case CloseDetail::proxy_header_unexpected:
      return "it began with a PROXY header, which is taken from other networks only";
    case CloseDetail::h2c_off: return "it spoke HTTP/2 without TLS, which is off on this listener (h2c)";
    default: return "the bytes were neither HTTP/1 nor an HTTP/2 preface";
  }
}

std::string_view handshake_text(CloseDetail detail) {
  switch (detail) {
    case CloseDetail::handshake_left: return "The client closed the connection within the TLS handshake";
    case CloseDetail::handshake_reset: return "The client reset the connection within the TLS handshake";
    default: return "The TLS handshake failed";
  }
}

/// Of a close reason in a few words.
std::string_view detail_text(CloseDetail detail) {
  switch (detail) {
    case CloseDetail::none: break;
    case CloseDetail::proxy_header_missing: return "PROXY header missing";
    case CloseDetail::proxy_header_malformed: return "PROXY header malformed";
    case CloseDetail::proxy_header_unexpected: return "PROXY header not expected";
    case CloseDetail::h2c_off: return "h2c is off";
    case CloseDetail::handshake_left: return "client closed";
    case CloseDetail::handshake_reset: return "client reset";
    case CloseDetail::client_full: return "limit of the client";
  }
  return {};
}

std::string in_parentheses(const std::string& text) { return text.empty() ? text : " (" + text + ")"; }

std::string replacement(std::string_view word, const ClosedRecord& record) {
  if (word == "silent") return seconds_text(record.silent_ms);
  if (word == "protocol") return std::string{protocol_text(record.detail)};
  if (word == "tls_end") {
    return record.tls_alert_sent ? "The server ended TLS because a record from the client was broken"
                                 : "The client ended TLS";
  }
  if (word == "room") {
    if (record.detail == CloseDetail::client_full)
      return "turned the connection away: its client has as many as it may";
    return "closed the connection, idle for " + seconds_text(record.silent_ms) +
           ", to make room for a new one at the connection limit";
  }
  if (word == "handshake") return std::string{handshake_text(record.detail)};
  if (word == "idle") {
    // A check whether somebody listens: to speak of the last byte would be to invent one.
    if (record.received_bytes == 0 && record.sent_bytes == 0) return "before it had sent a byte";
    return "while it was idle, " + seconds_text(record.silent_ms) + " after the last byte";
  }
  if (word == "timer") return in_parentheses(timer_text(record));
  if (word == "value") return record.timer_ms == 0 ? std::string{} : in_parentheses(seconds_text(record.timer_ms));
  if (word == "errno") return in_parentheses(errno_text(record));
  if (word == "alert") return in_parentheses(alert_text(record));
  if (word == "h2") return in_parentheses(h2_text(record));
  if (word == "status") {
    if (!record.was_rejected) return {};
    return " with " + std::to_string(record.status) + " (" + std::string{kRejections[index_of(record.rejected)]} + ")";
  }
  if (word == "actor") {
    return record.actor.view().empty() ? std::string{} : " (" + printable(record.actor.view()) + ")";
  }
  if (word == "sni") {
    return record.sni.view().empty() ? std::string{} : " (" + printable(record.sni.view()) + ")";
  }
  return {};
}

std::string fill(std::string_view text, const ClosedRecord& record) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find('{', at);
    out += text.substr(at, open - at);
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    out += replacement(text.substr(open + 1, close - open - 1), record);
    at = close + 1;
  }
  return out;
}

std::string last_request(const ClosedRecord& record, std::string_view route) {
  std::string out = "; last request ";
  out += kMethodLabels[record.method < kMethodLabels.size() ? record.method : kMethodLabels.size() - 1];
  if (!record.target.view().empty()) {
    out.append(" ").append(printable(record.target.view()));
    if (record.target.is_full()) out += "…";
  }
  if (!route.empty()) out += " on route " + std::string{route};
  if (record.status != 0) out += " answered " + std::to_string(record.status);
  return out;
}

}  // namespace

std::string tls_alert_name(int alert) {
  for (const auto& entry : kAlerts) {
    if (entry.code == alert) return std::string{entry.name};
  }
  return "alert " + std::to_string(alert);
}

std::string detail(const ClosedRecord& record) {
  if (record.timer_ms != 0) return timer_text(record);
  if (record.tls_alert >= 0) return alert_text(record);
  if (record.has_h2_error) return h2_text(record);
  if (record.os_errno != 0) return errno_text(record);
  if (record.was_rejected) {
    return std::to_string(record.status) + " " + std::string{kRejections[index_of(record.rejected)]};
  }
  if (record.detail != CloseDetail::none) return std::string{detail_text(record.detail)};
  if (!record.actor.view().empty()) return "by " + printable(record.actor.view());
  if (record.pending_bytes != 0) return bytes_text(record.pending_bytes) + " not sent";
  return {};
}

std::string sentence(const ClosedRecord& record, std::string_view route, std::string_view listener) {
  auto out = fill(kExplanations[index_of(record.reason)].text, record);
  out += "; " + std::string{record.protocol == Protocol::unknown ? "no protocol yet" : to_string(record.protocol)};
  if (!listener.empty()) out += " on listener " + std::string{listener};
  out += ", " + std::to_string(record.requests) + (record.requests == 1 ? " request in " : " requests in ") +
         seconds_text(static_cast<std::uint64_t>(record.age_ns > 0 ? record.age_ns / 1'000'000 : 0));
  out += ", " + bytes_text(record.received_bytes) + " received, " + bytes_text(record.sent_bytes) + " sent";
  if (record.pending_bytes != 0) out += ", " + bytes_text(record.pending_bytes) + " not sent";
  if (record.requests > 0 || !record.target.view().empty()) out += last_request(record, route);
  return out + ".";
}

}  // namespace equinox
