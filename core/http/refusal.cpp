#include "http/refusal.hpp"

namespace equinox::http {

Status status_of(Errc code) noexcept {
  switch (code) {
    case Errc::bad_request_line:
    case Errc::bad_field:
    case Errc::bad_host:
    case Errc::bad_target:
    case Errc::bad_chunk:
    case Errc::conflicting_framing:
    case Errc::tls_plaintext:
    case Errc::wrong_protocol: return 400;
    case Errc::timed_out: return 408;
    case Errc::content_too_large:
    case Errc::chunk_overhead: return 413;
    case Errc::target_too_long: return 414;
    case Errc::expectation_failed: return 417;
    case Errc::misdirected: return 421;
    case Errc::head_too_large:
    case Errc::trailers_too_large: return 431;
    case Errc::transfer_coding_unknown:
    case Errc::method_unknown: return 501;
    case Errc::descriptors_exhausted:
    case Errc::memory_limit: return 503;
    case Errc::version_unsupported: return 505;
    default: return 500;
  }
}

bool is_answerable(Errc code) noexcept {
  switch (code) {
    case Errc::wrong_protocol:
    case Errc::peer_closed:
    case Errc::peer_reset:
    case Errc::system:
    case Errc::tls_handshake:
    case Errc::tls_alert:
    case Errc::tls_record:
    case Errc::tls_no_shared_cipher:
    case Errc::tls_version:
    case Errc::tls_sni_unknown: return false;
    default: return true;
  }
}

Response refusal_response(Errc code) { return refusal_response(status_of(code)); }

Response refusal_response(Status status) {
  Response response = Response::error(status);
  response.close_connection();
  if (status == Status{503}) response.with("Retry-After", "1");
  return response;
}

}  // namespace equinox::http
