#pragma once

#include <equinox/endpoint.hpp>
#include <equinox/request.hpp>
#include <span>
#include <string_view>

#include "base/network.hpp"

namespace equinox::http {

/// Reads a node of Forwarded or X-Forwarded-For: "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80".
/// Not known for anything else ("unknown", "_hidden", an address with no port behind its colon).
Endpoint parse_node(std::string_view node) noexcept;

/// Who really asked: the last address in Forwarded (RFC 7239 §4) or X-Forwarded-For that is not a trusted proxy; `peer`
/// when the peer is not trusted, or nothing usable is said. An entry that cannot be read ends the walk: what is left of
/// it is hearsay, and so is the whole list where a quoted string of Forwarded does not end. A proxy writes one of the
/// two fields and lets the client's other one pass: where both are there and name different addresses, it is `peer`.
Endpoint client_of(std::span<const Field> fields, const Endpoint& peer, std::span<const Network> trusted) noexcept;

}  // namespace equinox::http
