#pragma once

#include <equinox/ids.hpp>
#include <exception>
#include <string_view>

#include "base/log.hpp"
#include "server/exchange.hpp"

namespace equinox::server {

/// Writes what the program's own code threw while it answered: `message` says where.
void log_thrown(LogProducer& log, std::string_view message, const std::exception_ptr& thrown, const Exchange& exchange,
                ConnectionId connection) noexcept;
/// Of work that belongs to no request that is known.
void log_thrown(const Log& log, std::string_view message, const std::exception_ptr& thrown) noexcept;

}  // namespace equinox::server
