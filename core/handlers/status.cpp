#include "handlers/status.hpp"

#include <equinox/response.hpp>
#include <nlohmann/json.hpp>
#include <string>

namespace equinox::handlers {
namespace {

Response probe_answer(bool is_good, std::string text) {
  return Response::text(std::move(text) + "\n", is_good ? 200 : 503).with("Cache-Control", "no-store");
}

std::string_view state_of(const LiveFacts& live) {
  if (live.is_draining()) return "draining";
  return live.ready ? "ok" : "starting";
}

}  // namespace

SyncHandler status(const ServerView& view) {
  return [&view](const Request&) {
    const ServerIdentity identity = view.identity();
    const LiveFacts live = view.live();
    const ServerSnapshot snapshot = view.snapshot();
    nlohmann::json connections = nlohmann::json::object();
    for (std::size_t i = 0; i < kCount<Protocol>; ++i) {
      connections[std::string{Vocabulary<Protocol>::names[i]}] = snapshot.connections(static_cast<Protocol>(i));
    }
    const auto now =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    const double uptime = static_cast<double>(now - identity.started_wall_ns) / 1e9;
    return Response::json({{"status", std::string{state_of(live)}},
                           {"version", identity.version},
                           {"uptime_seconds", uptime < 0 ? 0.0 : uptime},
                           {"connections", snapshot.connections()},
                           {"connections_by_protocol", std::move(connections)},
                           {"requests", snapshot.requests_finished()}})
        .with("Cache-Control", "no-store");
  };
}

SyncHandler livez(const ServerView& view, std::chrono::milliseconds limit) {
  return [&view, limit](const Request&) {
    for (const ReactorFacts& reactor : view.reactors()) {
      const auto silent = std::chrono::nanoseconds{reactor.last_iteration_ns_ago};
      if (silent <= limit) continue;
      return probe_answer(false, "reactor " + std::to_string(reactor.reactor) + " has not turned for " +
                                     std::to_string(std::chrono::duration_cast<std::chrono::seconds>(silent).count()) +
                                     " s");
    }
    return probe_answer(true, "ok");
  };
}

SyncHandler readyz(const ServerView& view) {
  return [&view](const Request&) {
    const LiveFacts live = view.live();
    const bool is_ready = live.ready && !live.is_draining();
    return probe_answer(is_ready, std::string{state_of(live)});
  };
}

}  // namespace equinox::handlers
