#pragma once

#include <chrono>
#include <string>

#include "admin_client.hpp"
#include "probe_answer.hpp"

namespace equinox::appliance {

/// One GET over HTTP/2: with prior knowledge on http://, by ALPN on https://.
/// @throws std::runtime_error when there is no answer, in words
ProbeAnswer get_over_http2(const Origin& origin, std::chrono::milliseconds allowed);

}  // namespace equinox::appliance
