#pragma once

#include <cstddef>
#include <equinox/view.hpp>

#include "base/log.hpp"

namespace equinox::server {

/// What both logs of a server say about one connection. The ids are those of this server alone: several servers in one
/// process have logs of their own.
LogExcerpt log_excerpt(const Log& server_log, const Log& access_log, ConnectionId id, std::size_t limit);
RingTotals log_totals(const Log& server_log, const Log& access_log);

}  // namespace equinox::server
