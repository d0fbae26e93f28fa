#pragma once

#include <openssl/ssl.h>

#include "net/tls_context.hpp"

namespace equinox::net {

/// Server name, ALPN, ticket and alert callbacks of one SSL_CTX. `owner` outlives its connections. What they find out
/// goes into the TlsHandshakeNotes that are the SSL's application data.
void install_hooks(SSL_CTX* context, const TlsContext* owner);

}  // namespace equinox::net
