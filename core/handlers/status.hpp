#pragma once

#include <chrono>
#include <equinox/handler.hpp>
#include <equinox/view.hpp>

namespace equinox::handlers {

/// The server's state as JSON: status, version, uptime, connections by protocol, requests. `view` must outlive the
/// handler's last use.
SyncHandler status(const ServerView& view);

/// 200 unless a reactor has not turned for `limit`, then 503 that names it (RFC 9110 §15.6.4).
SyncHandler livez(const ServerView& view, std::chrono::milliseconds limit);
/// 200 while the server is ready; 503 while it starts or drains.
SyncHandler readyz(const ServerView& view);

}  // namespace equinox::handlers
