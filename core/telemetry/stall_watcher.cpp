#include "telemetry/stall_watcher.hpp"

namespace equinox::telemetry {

namespace {

/// A healthy reactor turns at least once a second; some grace for a machine that is short of CPU.
constexpr std::int64_t kSilenceNs = 2'000'000'000;

}  // namespace

StallWatcher::StallWatcher(std::vector<const ReactorTelemetry*> reactors)
    : reactors_{std::move(reactors)}, running_(reactors_.size()) {}

std::optional<StallRecord> StallWatcher::look(const ReactorTelemetry& reactor, std::int64_t now_ns,
                                              std::int64_t wall_ns) const {
  StallRecord stall;
  stall.running = true;
  stall.reactor = reactor.index();
  stall.delayed_connections = static_cast<std::uint32_t>(reactor.stats().open_connections());
  Activity activity;
  if (reactor.activity().read(activity)) {
    stall.duration_ns = now_ns - activity.since_ns;
    if (stall.duration_ns < reactor.stall_threshold_ns()) return std::nullopt;
    stall.cause = activity.cause;
    stall.connection = activity.connection;
    stall.stream = activity.stream;
    stall.route = activity.route;
    stall.method = activity.method;
    stall.has_route = activity.cause == StallCause::handler;
    const auto id = ConnectionId::unpack(activity.connection);
    ConnectionRecord record;
    if (reactor.records().read(id.index(), record) && record.id == id && record.target_is_newest()) {
      stall.target = record.cold.target;
    }
  } else {
    const auto last = reactor.stats().last_iteration_ns();
    stall.duration_ns = now_ns - last;
    if (last == 0 || stall.duration_ns < kSilenceNs) return std::nullopt;
  }
  stall.started_ns = now_ns - stall.duration_ns;
  stall.started_wall_ns = wall_ns - stall.duration_ns;
  return stall;
}

std::vector<StallRecord> StallWatcher::observe(std::int64_t now_ns, std::int64_t wall_ns) {
  std::vector<StallRecord> found;
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < reactors_.size(); ++i) {
    running_[i] = look(*reactors_[i], now_ns, wall_ns);
    if (running_[i]) found.push_back(*running_[i]);
  }
  return found;
}

std::optional<StallRecord> StallWatcher::running(std::size_t reactor) const {
  const std::lock_guard lock{mutex_};
  return reactor < running_.size() ? running_[reactor] : std::nullopt;
}

}  // namespace equinox::telemetry
