#pragma once

#include <chrono>

#include "base/log_record.hpp"
#include "server/exchange.hpp"

namespace equinox::server {

/// One line of the access log: the "combined" format as a ready message, or fields for JSON. Bytes from the wire are
/// escaped when the line is combined here, or when the log writer formats the fields.
LogRecord access_line(const Exchange& exchange, Protocol protocol, std::chrono::nanoseconds total, bool as_json);

}  // namespace equinox::server
