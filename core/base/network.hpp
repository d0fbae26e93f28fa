#pragma once

#include <cstdint>
#include <equinox/endpoint.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace equinox {

/// An IP address without port and brackets: "1.2.3.4", "::1". The port of the result is 0.
std::optional<Endpoint> parse_host(std::string_view text) noexcept;

/// A set of addresses with a common prefix (RFC 4632).
class Network {
 public:
  /// "10.0.0.0/8", "2001:db8::/32", or one address alone. Bits beyond the prefix must be 0.
  /// @error address_invalid
  static Result<Network> parse(std::string_view text);
  /// The port does not count. An unknown endpoint is in no network.
  [[nodiscard]] bool contains(const Endpoint& endpoint) const noexcept;

  bool operator==(const Network&) const = default;
  friend std::string to_string(const Network& network);

 private:
  Endpoint base_{};
  std::uint8_t prefix_bits_{128};  ///< of the mapped address: an IPv4 /8 is 104
};

bool any_contains(std::span<const Network> networks, const Endpoint& endpoint) noexcept;

}  // namespace equinox
