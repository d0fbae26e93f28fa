#include <arpa/inet.h>

#include <equinox/endpoint.hpp>

namespace equinox {

std::string host_to_string(const Endpoint& endpoint) {
  if (!endpoint.is_known) return "unknown";
  char text[INET6_ADDRSTRLEN]{};
  if (endpoint.is_v4()) {
    ::inet_ntop(AF_INET, endpoint.address.data() + 12, text, sizeof text);
  } else {
    ::inet_ntop(AF_INET6, endpoint.address.data(), text, sizeof text);
  }
  return text;
}

std::string to_string(const Endpoint& endpoint) {
  if (!endpoint.is_known) return "unknown";
  const std::string host = host_to_string(endpoint);
  const std::string port = std::to_string(endpoint.port);
  return endpoint.is_v4() ? host + ":" + port : "[" + host + "]:" + port;
}

}  // namespace equinox
