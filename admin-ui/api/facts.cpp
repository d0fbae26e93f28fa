#include "admin-ui/api/facts.hpp"

#include <chrono>

#include "base/network.hpp"
#include "base/redaction.hpp"

namespace equinox::admin {

Moment Moment::now() noexcept {
  using std::chrono::duration_cast;
  using std::chrono::nanoseconds;
  return {duration_cast<nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(),
          duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

std::string shown_target(std::string_view target, const Redaction& redaction) {
  return redaction.show_query_values ? std::string{target} : masked_query(target);
}

std::string shown_peer(const Endpoint& endpoint, const Redaction& redaction) {
  if (!redaction.truncate_client_address || !endpoint.is_known) return to_string(endpoint);
  return host_to_string(truncated(endpoint));
}

std::string shown_client(const Endpoint& endpoint, const Redaction& redaction) {
  const bool has_port = endpoint.port != 0 || !endpoint.is_known;
  return has_port || redaction.truncate_client_address ? shown_peer(endpoint, redaction) : host_to_string(endpoint);
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
