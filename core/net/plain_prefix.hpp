#pragma once

#include <cstddef>
#include <span>

#include "net/transport.hpp"

namespace equinox::net {

// What stands in the clear before a TLS handshake (a PROXY header). It is looked at first and taken only as far as it
// belongs there: the next byte is OpenSSL's. Results as TcpTransport::read, except that a short read does not mean
// drained.

/// Copies what has arrived and leaves it in the socket.
IoResult peek_plain(int descriptor, std::span<std::byte> into) noexcept;
/// Takes at most `into.size()` bytes.
IoResult take_plain(int descriptor, std::span<std::byte> into) noexcept;

}  // namespace equinox::net
