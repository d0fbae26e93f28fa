#include "base/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace equinox {

std::optional<Endpoint> parse_host(std::string_view text) noexcept {
  char copy[INET6_ADDRSTRLEN]{};
  if (text.empty() || text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  std::array<std::uint8_t, 4> octets{};
  if (::inet_pton(AF_INET, copy, octets.data()) == 1) return Endpoint::v4(octets, 0);
  Endpoint out;
  if (::inet_pton(AF_INET6, copy, out.address.data()) != 1) return std::nullopt;
  out.is_known = true;
  return out;
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = parse_host(text.substr(0, slash));
  if (!base) return Errc::address_invalid;
  // "::ffff:10.0.0.0/104" would be IPv4 in disguise, with a prefix that means something else.
  const bool is_v4_text = text.substr(0, slash).find(':') == std::string_view::npos;
  if (base->is_v4() != is_v4_text) return Errc::address_invalid;
  const std::uint8_t width = is_v4_text ? 32 : 128;
  Network out;
  out.base_ = *base;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (problem != std::errc{} || end != digits.data() + digits.size() || bits > width) return Errc::address_invalid;
    out.prefix_bits_ = static_cast<std::uint8_t>(128U - width + bits);
  }
  for (std::size_t bit = out.prefix_bits_; bit < 128; ++bit) {
    if ((out.base_.address[bit / 8] >> (7U - bit % 8)) & 1U) return Errc::address_invalid;
  }
  return out;
}

bool Network::contains(const Endpoint& endpoint) const noexcept {
  // "::/0" is every IPv6 address, not every IPv4 address in its mapped form.
  if (!endpoint.is_known || endpoint.is_v4() != base_.is_v4()) return false;
  const std::size_t whole = prefix_bits_ / 8;
  if (std::memcmp(endpoint.address.data(), base_.address.data(), whole) != 0) return false;
  const unsigned rest = prefix_bits_ % 8;
  if (rest == 0) return true;
  const unsigned difference = static_cast<unsigned>(endpoint.address[whole] ^ base_.address[whole]);
  return (difference >> (8U - rest)) == 0;
}

std::string to_string(const Network& network) {
  const int unmapped = network.base_.is_v4() ? network.prefix_bits_ - 96 : network.prefix_bits_;
  return host_to_string(network.base_) + "/" + std::to_string(unmapped);
}

bool any_contains(std::span<const Network> networks, const Endpoint& endpoint) noexcept {
  return std::any_of(networks.begin(), networks.end(),
                     [&endpoint](const Network& network) { return network.contains(endpoint); });
}

}  // namespace equinox
