#pragma once

#include <equinox/vocabulary.hpp>
#include <optional>

#include "base/result.hpp"

namespace equinox::server {

/// What an error of the wire means for the connection it happened on.
CloseReason reason_of(Errc code) noexcept;
/// The counter of a request that never reached a handler; nothing for errors that are no refusal of a request.
std::optional<RequestRejectReason> reject_reason_of(Errc code) noexcept;
/// True when HTTP/2 ends the connection for it, false when only the stream.
bool is_connection_error(Errc code) noexcept;
/// The label of a failed TLS handshake.
TlsFailure tls_failure_of(const Error& error) noexcept;

}  // namespace equinox::server
