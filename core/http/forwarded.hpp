#pragma once

#include <array>
#include <cstdint>
#include <equinox/endpoint.hpp>
#include <equinox/request.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace equinox::http {

/// A range of addresses: "10.0.0.0/8", "2001:db8::/32", or one address.
struct Network {
  std::array<std::uint8_t, 16> address{};  ///< IPv4 as in Endpoint
  std::uint8_t prefix_bits{128};           ///< of the 128

  /// Nothing when `text` is not a network, or has bits set behind its prefix.
  static std::optional<Network> parse(std::string_view text);
  [[nodiscard]] bool contains(const Endpoint& endpoint) const noexcept;
};
bool any_contains(std::span<const Network> networks, const Endpoint& endpoint) noexcept;

/// Reads a node of Forwarded or X-Forwarded-For: "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80".
/// Not known for anything else ("unknown", "_hidden").
Endpoint parse_node(std::string_view node) noexcept;

/// Who really asked: the last address in Forwarded (RFC 7239 §4), or in X-Forwarded-For when there is no Forwarded,
/// that is not a trusted proxy; `peer` when the peer is not trusted, or nothing usable is said. An entry that cannot
/// be read ends the walk: what is left of it is hearsay.
Endpoint client_of(std::span<const Field> fields, const Endpoint& peer, std::span<const Network> trusted) noexcept;

}  // namespace equinox::http
