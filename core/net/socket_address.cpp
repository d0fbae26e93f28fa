#include "net/socket_address.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/network.hpp"

namespace equinox::net {
namespace {

template <typename N>
std::optional<N> parse_number(std::string_view text, N highest) noexcept {
  unsigned value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size() || value > highest)
    return std::nullopt;
  return static_cast<N>(value);
}

}  // namespace

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Errc::address_invalid;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), UINT16_MAX);
  if (!port) return Errc::address_invalid;
  std::string_view host = text.substr(0, colon);
  SocketAddress out;
  if (host.empty()) {
    out.endpoint_ = Endpoint{.address = {}, .port = *port, .is_known = true};
    out.family_ = AF_INET6;
    out.any_family_ = true;
    return out;
  }
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  if (const std::size_t percent = host.find('%'); is_bracketed && percent != std::string_view::npos) {
    out.scope_ = ::if_nametoindex(std::string{host.substr(percent + 1)}.c_str());
    if (out.scope_ == 0) return Errc::address_invalid;
    host = host.substr(0, percent);
  }
  auto endpoint = parse_host(host);
  const bool is_v6_text = host.find(':') != std::string_view::npos;
  if (!endpoint || is_v6_text != is_bracketed) return Errc::address_invalid;
  endpoint->port = *port;
  out.endpoint_ = *endpoint;
  out.family_ = endpoint->is_v4() ? AF_INET : AF_INET6;
  return out;
}

SocketAddress SocketAddress::from_endpoint(const Endpoint& endpoint) noexcept {
  SocketAddress out;
  if (!endpoint.is_known) return out;
  out.endpoint_ = endpoint;
  out.family_ = endpoint.is_v4() ? AF_INET : AF_INET6;
  return out;
}

Result<SocketAddress> SocketAddress::from_sockaddr(const sockaddr_storage& storage, socklen_t length) noexcept {
  const bool is_complete = (storage.ss_family == AF_INET && length >= sizeof(sockaddr_in)) ||
                           (storage.ss_family == AF_INET6 && length >= sizeof(sockaddr_in6));
  if (!is_complete) return Errc::address_invalid;
  SocketAddress out;
  out.endpoint_ = endpoint_from_sockaddr(storage);
  out.family_ = storage.ss_family;
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    out.scope_ = v6.sin6_scope_id;
  }
  return out;
}

bool SocketAddress::is_loopback() const noexcept {
  if (endpoint_.is_v4()) return endpoint_.address[12] == 127;
  Endpoint one;
  one.address[15] = 1;
  return endpoint_.address == one.address;
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const noexcept {
  SocketAddress out = *this;
  out.endpoint_.port = port;
  return out;
}

socklen_t SocketAddress::to_sockaddr(sockaddr_storage& storage) const noexcept {
  storage = {};
  if (family_ == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint_.port);
    std::memcpy(&v4.sin_addr, endpoint_.address.data() + 12, 4);
    std::memcpy(&storage, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint_.port);
  v6.sin6_scope_id = scope_;
  std::memcpy(&v6.sin6_addr, endpoint_.address.data(), 16);
  std::memcpy(&storage, &v6, sizeof v6);
  return sizeof v6;
}

std::string to_string(const SocketAddress& address) {
  if (address.is_any_family()) return std::string{":"}.append(std::to_string(address.port()));
  return to_string(address.endpoint());
}

Endpoint endpoint_from_sockaddr(const sockaddr_storage& storage) noexcept {
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return Endpoint::v4(octets, ntohs(v4.sin_port));
  }
  Endpoint out;
  if (storage.ss_family != AF_INET6) return out;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &storage, sizeof v6);
  std::memcpy(out.address.data(), &v6.sin6_addr, out.address.size());
  out.port = ntohs(v6.sin6_port);
  out.is_known = true;
  return out;
}

Result<Endpoint> local_endpoint(int descriptor) noexcept {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return Error{Errc::system, errno};
  return endpoint_from_sockaddr(storage);
}

}  // namespace equinox::net
