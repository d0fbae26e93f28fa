#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace equinox::appliance {

/// "250ms", "60s", "5m", "2h", "1.5s"; "0" needs no unit. At most 10 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The largest unit that shows it exactly: "60s" stays "60s", "2h" stays "2h".
std::string format_duration(std::chrono::milliseconds value);

/// "512", "64k", "16M", "2G": bytes, powers of 1024; "1.5M" too.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);

/// A place to listen at: "1.2.3.4:80", "[::]:80", ":80" (all addresses of both families). Port 0: the kernel chooses.
struct ListenAddress {
  std::string host;  ///< without brackets; empty for ":80"
  std::uint16_t port{0};
  bool is_loopback{false};
  bool is_any{false};  ///< all addresses of a family, or of both
};
std::optional<ListenAddress> parse_listen_address(std::string_view text);
/// Whether the kernel would refuse the second of two sockets on these: one port, and one host or a host that holds the
/// other. ":80" and "[::]:80" take both families, "0.0.0.0:80" takes IPv4. Port 0 is a different one each time.
bool overlap(const ListenAddress& one, const ListenAddress& other);

/// A host as a request can name it, without port: "a.example", "192.0.2.1", "[2001:db8::1]".
bool is_host(std::string_view text);

/// "10.0.0.0/8", "2001:db8::/32", or one address, exactly as the server takes them: no bit beyond the prefix.
bool is_network(std::string_view text);

/// The candidate most like `word`, empty when none is near enough to be what was meant.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// Parts of `text` between `separator`, without empty ones.
std::vector<std::string_view> split(std::string_view text, char separator);

}  // namespace equinox::appliance
