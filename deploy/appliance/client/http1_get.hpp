#pragma once

#include <chrono>

#include "admin_client.hpp"
#include "probe_answer.hpp"

namespace equinox::appliance {

/// One GET over HTTP/1.1, with TLS on https://; the connection ends with it.
/// @throws std::runtime_error when there is no answer, in words
ProbeAnswer get_over_http1(const Origin& origin, std::chrono::milliseconds allowed);

}  // namespace equinox::appliance
