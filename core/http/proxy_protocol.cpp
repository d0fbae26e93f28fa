#include "http/proxy_protocol.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <optional>

namespace equinox::http {
namespace {

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::size_t kLine1MaxBytes = 107;
constexpr std::size_t kHead2Bytes = 16;

ProxyHeader malformed() noexcept {
  ProxyHeader header;
  header.status = ProxyStatus::malformed;
  return header;
}

std::string_view next_word(std::string_view& line) noexcept {
  const std::size_t end = line.find(' ');
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  std::uint16_t port = 0;
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<Endpoint> parse_address(std::string_view text, bool is_v4, std::string_view port_text) noexcept {
  char copy[INET6_ADDRSTRLEN];
  const auto port = parse_port(port_text);
  // inet_pton() would end at a NUL and not look at what is behind it.
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos || !port) return std::nullopt;
  copy[text.copy(copy, text.size())] = '\0';
  if (is_v4) {
    std::array<std::uint8_t, 4> octets{};
    if (::inet_pton(AF_INET, copy, octets.data()) != 1) return std::nullopt;
    return Endpoint::v4(octets, *port);
  }
  Endpoint endpoint;
  if (::inet_pton(AF_INET6, copy, endpoint.address.data()) != 1) return std::nullopt;
  endpoint.port = *port;
  endpoint.is_known = true;
  return endpoint;
}

ProxyHeader parse_version_1(std::string_view bytes) noexcept {
  const std::size_t end = bytes.substr(0, kLine1MaxBytes).find("\r\n");
  if (end == std::string_view::npos) return bytes.size() >= kLine1MaxBytes ? malformed() : ProxyHeader{};
  std::string_view line = bytes.substr(kSignature1.size(), end - kSignature1.size());
  ProxyHeader header;
  header.size = end + 2;
  const std::string_view family = next_word(line);
  if (family == "UNKNOWN") {
    header.is_local = true;
  } else if (family == "TCP4" || family == "TCP6") {
    const std::string_view source = next_word(line);
    const std::string_view destination = next_word(line);
    const std::string_view source_port = next_word(line);
    const auto from = parse_address(source, family == "TCP4", source_port);
    const auto to = parse_address(destination, family == "TCP4", line);
    if (!from || !to) return malformed();
    header.source = *from;
    header.destination = *to;
  } else {
    return malformed();
  }
  header.status = ProxyStatus::complete;
  return header;
}

unsigned octet(std::string_view bytes, std::size_t at) noexcept { return static_cast<unsigned char>(bytes[at]); }

std::uint16_t port_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<std::uint16_t>((octet(bytes, at) << 8U) | octet(bytes, at + 1));
}

Endpoint endpoint_2(std::string_view address, std::uint16_t port) noexcept {
  if (address.size() == 4) {
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), address.data(), 4);
    return Endpoint::v4(octets, port);
  }
  Endpoint endpoint;
  std::memcpy(endpoint.address.data(), address.data(), 16);
  endpoint.port = port;
  endpoint.is_known = true;
  return endpoint;
}

ProxyHeader parse_version_2(std::string_view bytes) noexcept {
  if (bytes.size() < kHead2Bytes) return {};
  const unsigned version = octet(bytes, 12) >> 4U;
  const unsigned command = octet(bytes, 12) & 15U;
  const unsigned family = octet(bytes, 13);
  const std::size_t length = port_at(bytes, 14);
  if (version != 2 || command > 1 || kHead2Bytes + length > kProxyHeaderMaxBytes) return malformed();
  if (bytes.size() < kHead2Bytes + length) return {};
  ProxyHeader header;
  header.status = ProxyStatus::complete;
  header.size = kHead2Bytes + length;
  const std::string_view block = bytes.substr(kHead2Bytes, length);
  const std::size_t address_bytes = family == 0x11 ? 4 : family == 0x21 ? 16 : 0;  // TCP over IPv4, IPv6
  if (command == 0 || address_bytes == 0) {
    header.is_local = true;  // LOCAL, or a family that says nothing about an IP peer
    return header;
  }
  if (block.size() < 2 * address_bytes + 4) return malformed();
  header.source = endpoint_2(block.substr(0, address_bytes), port_at(block, 2 * address_bytes));
  header.destination = endpoint_2(block.substr(address_bytes, address_bytes), port_at(block, 2 * address_bytes + 2));
  return header;
}

}  // namespace

bool begins_proxy_header(std::string_view bytes) noexcept {
  return bytes.starts_with(kSignature1) || bytes.starts_with(kProxySignature2);
}

ProxyHeader parse_proxy_header(std::string_view bytes) noexcept {
  if (bytes.starts_with(kProxySignature2)) return parse_version_2(bytes);
  if (bytes.starts_with(kSignature1)) return parse_version_1(bytes);
  return kSignature1.starts_with(bytes) || kProxySignature2.starts_with(bytes) ? ProxyHeader{} : malformed();
}

}  // namespace equinox::http
