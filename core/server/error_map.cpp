#include "server/error_map.hpp"

namespace equinox::server {

CloseReason reason_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_request_line:
    case Errc::bad_field:
    case Errc::bad_host:
    case Errc::bad_target:
    case Errc::bad_chunk: return CloseReason::parse_error_h1;
    case Errc::conflicting_framing: return CloseReason::smuggling_guard;
    case Errc::transfer_coding_unknown:
    case Errc::method_unknown:
    case Errc::version_unsupported:
    case Errc::expectation_failed:
    case Errc::misdirected: return CloseReason::request_refused;
    case Errc::target_too_long:
    case Errc::head_too_large:
    case Errc::trailers_too_large: return CloseReason::head_too_large;
    case Errc::content_too_large:
    case Errc::chunk_overhead: return CloseReason::body_too_large;
    case Errc::memory_limit: return CloseReason::memory_pressure;
    case Errc::wrong_protocol: return CloseReason::wrong_protocol;
    case Errc::h2_preface: return CloseReason::h2_preface_invalid;
    case Errc::h2_protocol:
    case Errc::h2_internal: return CloseReason::h2_protocol_error;
    case Errc::h2_flow_control: return CloseReason::h2_flow_control_error;
    case Errc::h2_compression: return CloseReason::h2_compression_error;
    case Errc::h2_frame_size: return CloseReason::h2_frame_size;
    case Errc::h2_rapid_reset: return CloseReason::rapid_reset;
    case Errc::h2_own_resets: return CloseReason::own_resets;
    case Errc::h2_flood_settings: return CloseReason::flood_settings;
    case Errc::h2_flood_ping: return CloseReason::flood_ping;
    case Errc::h2_flood_continuation: return CloseReason::flood_continuation;
    case Errc::h2_flood_empty: return CloseReason::flood_empty;
    case Errc::h2_flood_priority: return CloseReason::flood_priority;
    case Errc::h2_flood_window_update: return CloseReason::flood_window_update;
    case Errc::h2_flood_data_tiny: return CloseReason::flood_data_tiny;
    case Errc::tls_flood: return CloseReason::flood_tls;
    case Errc::h2_header_bomb: return CloseReason::header_bomb;
    case Errc::tls_handshake:
    case Errc::tls_no_shared_cipher:
    case Errc::tls_version:
    case Errc::tls_configuration: return CloseReason::tls_handshake_failed;
    case Errc::tls_alert:
    case Errc::tls_record: return CloseReason::tls_alert;
    case Errc::tls_plaintext: return CloseReason::tls_plaintext;
    case Errc::tls_sni_unknown: return CloseReason::tls_sni_unknown;
    case Errc::timed_out: return CloseReason::network_timeout;
    case Errc::file_changed:
    case Errc::body_failed: return CloseReason::handler_abort;
    default: return CloseReason::network_error;
  }
}

std::optional<RequestRejectReason> reject_reason_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_request_line: return RequestRejectReason::bad_request_line;
    case Errc::bad_field: return RequestRejectReason::bad_header;
    case Errc::bad_host: return RequestRejectReason::bad_host;
    case Errc::bad_target: return RequestRejectReason::bad_target;
    case Errc::bad_chunk: return RequestRejectReason::bad_chunk;
    case Errc::conflicting_framing: return RequestRejectReason::smuggling_guard;
    case Errc::transfer_coding_unknown: return RequestRejectReason::transfer_coding;
    case Errc::method_unknown: return RequestRejectReason::method_unknown;
    case Errc::version_unsupported: return RequestRejectReason::version;
    case Errc::target_too_long: return RequestRejectReason::target_too_long;
    case Errc::head_too_large: return RequestRejectReason::head_too_large;
    case Errc::trailers_too_large: return RequestRejectReason::trailers_too_large;
    case Errc::content_too_large: return RequestRejectReason::body_too_large;
    case Errc::memory_limit: return RequestRejectReason::memory;
    case Errc::chunk_overhead: return RequestRejectReason::chunk_overhead;
    case Errc::expectation_failed: return RequestRejectReason::expectation;
    case Errc::misdirected: return RequestRejectReason::misdirected;
    case Errc::wrong_protocol: return RequestRejectReason::wrong_protocol;
    case Errc::h2_header_bomb: return RequestRejectReason::head_too_large;
    case Errc::h2_preface:
    case Errc::h2_protocol:
    case Errc::h2_internal:
    case Errc::h2_flow_control:
    case Errc::h2_compression:
    case Errc::h2_frame_size: return RequestRejectReason::h2_protocol_error;
    default: return std::nullopt;
  }
}

bool is_connection_error(Errc code) noexcept { return code >= Errc::h2_preface && code <= Errc::h2_internal; }

TlsFailure tls_failure_of(const Error& error) noexcept {
  switch (error.code) {
    case Errc::tls_no_shared_cipher: return TlsFailure::no_shared_cipher;
    case Errc::tls_version: return TlsFailure::version;
    case Errc::tls_sni_unknown: return TlsFailure::sni_unknown;
    case Errc::tls_plaintext: return TlsFailure::plaintext_on_tls;
    case Errc::peer_closed:
    case Errc::peer_reset: return TlsFailure::client_abort;
    case Errc::timed_out: return TlsFailure::timeout;
    // Alerts about the certificate that the client sends back (RFC 8446 §6.2): 42–46 and 48.
    case Errc::tls_handshake:
    case Errc::tls_alert:
      return (error.detail >= 42 && error.detail <= 46) || error.detail == 48 ? TlsFailure::bad_cert
                                                                              : TlsFailure::other;
    default: return TlsFailure::other;
  }
}

}  // namespace equinox::server
