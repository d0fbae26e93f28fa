#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <equinox/endpoint.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace equinox::net {

/// Where to listen or connect: an IP address and a port. Names are not resolved.
class SocketAddress {
 public:
  SocketAddress() = default;

  /// "1.2.3.4:80", "[2001:db8::1]:80", ":80" (every address of both families). Port 0 lets the kernel choose.
  /// @error address_invalid
  static Result<SocketAddress> parse(std::string_view text);
  /// IPv4-mapped addresses become AF_INET. An unknown endpoint is "0.0.0.0:0".
  static SocketAddress from_endpoint(const Endpoint& endpoint) noexcept;
  /// @error address_invalid for a family other than AF_INET and AF_INET6
  static Result<SocketAddress> from_sockaddr(const sockaddr_storage& storage, socklen_t length) noexcept;

  [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return endpoint_.port; }
  [[nodiscard]] bool is_v4() const noexcept { return family_ == AF_INET; }
  [[nodiscard]] int family() const noexcept { return family_; }
  /// True for ":80": an IPv6 socket that also takes IPv4, or IPv4 alone where the machine has no IPv6.
  [[nodiscard]] bool is_any_family() const noexcept { return any_family_; }
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] SocketAddress with_port(std::uint16_t port) const noexcept;

  /// Fills `storage`; the length to hand to the kernel.
  [[nodiscard]] socklen_t to_sockaddr(sockaddr_storage& storage) const noexcept;

  bool operator==(const SocketAddress&) const = default;

 private:
  Endpoint endpoint_ = Endpoint::v4({0, 0, 0, 0}, 0);
  std::uint32_t scope_{0};  ///< interface of a link-local address
  int family_{AF_INET};
  bool any_family_{false};
};

/// What parse() reads: "1.2.3.4:80", "[::]:80", ":80".
std::string to_string(const SocketAddress& address);

/// The endpoint in a kernel-filled address; unknown for other families.
Endpoint endpoint_from_sockaddr(const sockaddr_storage& storage) noexcept;
/// The local end of a socket (getsockname).
Result<Endpoint> local_endpoint(int descriptor) noexcept;

}  // namespace equinox::net
