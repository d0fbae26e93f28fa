#include "base/result.hpp"

namespace equinox {

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::system: return "system";
    case Errc::address_invalid: return "address_invalid";
    case Errc::descriptors_exhausted: return "descriptors_exhausted";
    case Errc::peer_closed: return "peer_closed";
    case Errc::peer_reset: return "peer_reset";
    case Errc::timed_out: return "timed_out";
    case Errc::tls_handshake: return "tls_handshake";
    case Errc::tls_alert: return "tls_alert";
    case Errc::tls_record: return "tls_record";
    case Errc::tls_flood: return "tls_flood";
    case Errc::tls_plaintext: return "tls_plaintext";
    case Errc::tls_no_shared_cipher: return "tls_no_shared_cipher";
    case Errc::tls_version: return "tls_version";
    case Errc::tls_sni_unknown: return "tls_sni_unknown";
    case Errc::tls_configuration: return "tls_configuration";
    case Errc::bad_request_line: return "bad_request_line";
    case Errc::bad_field: return "bad_field";
    case Errc::bad_host: return "bad_host";
    case Errc::bad_target: return "bad_target";
    case Errc::bad_chunk: return "bad_chunk";
    case Errc::conflicting_framing: return "conflicting_framing";
    case Errc::transfer_coding_unknown: return "transfer_coding_unknown";
    case Errc::method_unknown: return "method_unknown";
    case Errc::version_unsupported: return "version_unsupported";
    case Errc::target_too_long: return "target_too_long";
    case Errc::head_too_large: return "head_too_large";
    case Errc::trailers_too_large: return "trailers_too_large";
    case Errc::content_too_large: return "content_too_large";
    case Errc::memory_limit: return "memory_limit";
    case Errc::chunk_overhead: return "chunk_overhead";
    case Errc::expectation_failed: return "expectation_failed";
    case Errc::misdirected: return "misdirected";
    case Errc::wrong_protocol: return "wrong_protocol";
    case Errc::h2_preface: return "h2_preface";
    case Errc::h2_protocol: return "h2_protocol";
    case Errc::h2_flow_control: return "h2_flow_control";
    case Errc::h2_compression: return "h2_compression";
    case Errc::h2_frame_size: return "h2_frame_size";
    case Errc::h2_rapid_reset: return "h2_rapid_reset";
    case Errc::h2_own_resets: return "h2_own_resets";
    case Errc::h2_flood_settings: return "h2_flood_settings";
    case Errc::h2_flood_ping: return "h2_flood_ping";
    case Errc::h2_flood_continuation: return "h2_flood_continuation";
    case Errc::h2_flood_empty: return "h2_flood_empty";
    case Errc::h2_flood_priority: return "h2_flood_priority";
    case Errc::h2_flood_window_update: return "h2_flood_window_update";
    case Errc::h2_flood_data_tiny: return "h2_flood_data_tiny";
    case Errc::h2_header_bomb: return "h2_header_bomb";
    case Errc::h2_internal: return "h2_internal";
    case Errc::file_changed: return "file_changed";
    case Errc::body_failed: return "body_failed";
    case Errc::out_of_memory: return "out_of_memory";
    case Errc::invalid_argument: return "invalid_argument";
  }
  return "unknown";
}

}  // namespace equinox
