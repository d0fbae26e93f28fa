#pragma once

#include <chrono>
#include <string>

#include "admin_client.hpp"

namespace equinox::appliance {

struct Http2Answer {
  int status{0};
  std::string body;
};

/// One GET over HTTP/2: with prior knowledge on http://, by ALPN on https://.
/// @throws std::runtime_error when there is no answer, in words
Http2Answer get_over_http2(const Origin& origin, std::chrono::milliseconds allowed);

}  // namespace equinox::appliance
