#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace equinox {

/// The address of one end of a connection as a plain value: IPv4 is kept as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2).
struct Endpoint {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port{0};
  bool is_known{false};

  bool operator==(const Endpoint&) const = default;
  [[nodiscard]] bool is_v4() const noexcept {
    for (std::size_t i = 0; i < 10; ++i) {
      if (address[i] != 0) return false;
    }
    return address[10] == 0xff && address[11] == 0xff;
  }
  static Endpoint v4(std::array<std::uint8_t, 4> octets, std::uint16_t port) noexcept {
    Endpoint out;
    out.address[10] = out.address[11] = 0xff;
    for (std::size_t i = 0; i < 4; ++i) out.address[12 + i] = octets[i];
    out.port = port;
    out.is_known = true;
    return out;
  }
};

/// "192.0.2.1:80", "[2001:db8::1]:80"; "unknown" when nothing is known. RFC 5952 text.
std::string to_string(const Endpoint& endpoint);
/// The same without port and brackets.
std::string host_to_string(const Endpoint& endpoint);

}  // namespace equinox
