#pragma once

#include <chrono>
#include <string>

#include "base/log_record.hpp"
#include "server/exchange.hpp"

namespace equinox::server {

/// One record of the access log. Bytes from the wire are in its fields as they came; the log writer escapes them.
LogRecord access_line(const Exchange& exchange, Protocol protocol, std::chrono::nanoseconds total);

/// Such a record in the "combined" format (the layout of an access log).
void append_combined(std::string& out, const LogRecord& record);

}  // namespace equinox::server
