#include "admin-ui/api/facts.hpp"

#include <algorithm>
#include <chrono>

#include "base/network.hpp"

namespace equinox::admin {

Moment Moment::now() noexcept {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  return {duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(),
          duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

std::string shown_target(std::string_view target, const Redaction& redaction) {
  const std::size_t mark = target.find('?');
  if (redaction.show_query_values || mark == std::string_view::npos) return std::string{target};
  std::string out{target.substr(0, mark + 1)};
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    // A pair without '=' may be a secret as well.
    if (equals != std::string_view::npos) out.append(pair.substr(0, equals + 1));
    if (!pair.empty()) out.append("***");
    if (end < rest.size()) out.push_back('&');
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

std::string shown_peer(const Endpoint& endpoint, const Redaction& redaction) {
  if (!redaction.truncate_client_address || !endpoint.is_known) return to_string(endpoint);
  Endpoint cut = endpoint;
  const std::size_t kept = endpoint.is_v4() ? 15 : 6;
  std::fill(cut.address.begin() + static_cast<std::ptrdiff_t>(kept), cut.address.end(), std::uint8_t{0});
  return host_to_string(cut);
}

std::string shown_address(std::string_view text, const Redaction& redaction) {
  if (!redaction.truncate_client_address) return std::string{text};
  std::string_view host = text;
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else if (host.find(':') == host.rfind(':')) {
    host = host.substr(0, host.find(':'));
  }
  const auto endpoint = parse_host(host);
  return endpoint ? shown_peer(*endpoint, redaction) : "unknown";
}

std::string_view method_label(std::uint8_t method) noexcept {
  return method < kMethodLabels.size() ? kMethodLabels[method] : std::string_view{};
}

}  // namespace equinox::admin
