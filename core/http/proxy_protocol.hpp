#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/endpoint.hpp>
#include <string_view>

namespace equinox::http {

enum class ProxyStatus : std::uint8_t { need_more, complete, malformed };

/// What stands before the first byte of HTTP on a connection from a load balancer (PROXY protocol 1 and 2).
struct ProxyHeader {
  ProxyStatus status{ProxyStatus::need_more};
  std::size_t size{0};   ///< bytes of the header, when complete
  bool is_local{false};  ///< LOCAL or UNKNOWN: the balancer speaks for itself; use the socket's own address
  Endpoint source;       ///< the client; not known when is_local
  Endpoint destination;
};

/// A version 1 line has at most 107 bytes; version 2 at most 16 + 65535, of which we accept this many.
inline constexpr std::size_t kProxyHeaderMaxBytes = 4096;

/// What a header of version 2 begins with.
inline constexpr std::string_view kProxySignature2{"\r\n\r\n\0\r\nQUIT\n", 12};

/// Whether the bytes begin as a header of either version does, be it sound or not.
bool begins_proxy_header(std::string_view bytes) noexcept;

/// Reads the header at the front of `bytes`. The answer depends on the bytes only, not on how they are cut.
ProxyHeader parse_proxy_header(std::string_view bytes) noexcept;

}  // namespace equinox::http
