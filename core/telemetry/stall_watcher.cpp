#include "telemetry/stall_watcher.hpp"

#include <algorithm>

#include "base/clock.hpp"

namespace equinox::telemetry {

namespace {

/// A healthy reactor turns at least once a second; some grace for a machine that is short of CPU.
constexpr std::int64_t kSilenceNs = 2 * kSecondNs;
/// Looks cost CPU on an idle machine, so no more are taken than it needs to meet a stall before it is one; a threshold
/// of a few milliseconds is not worth hundreds of looks a second.
constexpr std::int64_t kSeldomNs = 60'000'000;
constexpr std::int64_t kOftenNs = 20'000'000;
/// Of a stall that was named: how long it has lasted by now.
constexpr std::int64_t kAgainNs = 40'000'000;

void name_culprit(StallRecord& stall, const ReactorTelemetry& reactor, const Activity& activity) {
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
}

}  // namespace

StallWatcher::StallWatcher(std::vector<ReactorTelemetry*> reactors) : running_(reactors.size()) {
  for (ReactorTelemetry* reactor : reactors) reactors_.push_back({reactor, {}});
}

void StallWatcher::look_at_turn(Watched& watched) {
  ReactorTelemetry& reactor = *watched.reactor;
  const TurnWatch& watch = reactor.turn_watch();
  const auto started = watch.started_ns();
  watched.has_turned = started != watched.started_ns;
  watched.started_ns = started;
  Activity activity;
  const bool is_inside = reactor.activity().read(activity);
  const StallCause cause = is_inside ? activity.cause : watch.doing();
  const std::uint64_t connection = is_inside ? activity.connection : watch.serving();
  const bool is_running = started > reactor.stats().last_iteration_ns();
  if (!is_running || started != watch.started_ns()) {
    watched.seen = {};
    return;
  }
  if (watched.seen.started_ns != started) {
    watched.seen = {};
    watched.seen.started_ns = started;
    watched.seen.first_cpu_ns = watch.cpu_ns();
  }
  watched.seen.look(cause, connection);
  reactor.tell_seen(watched.seen);
}

std::optional<StallRecord> StallWatcher::look(const Watched& watched, std::int64_t now_ns, std::int64_t wall_ns) {
  const ReactorTelemetry& reactor = *watched.reactor;
  const SeenTurn& seen = watched.seen;
  StallRecord stall;
  stall.running = true;
  stall.reactor = reactor.index();
  stall.delayed_connections = static_cast<std::uint32_t>(reactor.stats().open_connections());
  Activity activity;
  if (reactor.activity().read(activity) && now_ns - activity.since_ns >= reactor.stall_threshold_ns()) {
    stall.duration_ns = now_ns - activity.since_ns;
    name_culprit(stall, reactor, activity);
  } else if (seen.started_ns != 0 && now_ns - seen.started_ns >= reactor.stall_threshold_ns()) {
    stall.duration_ns = now_ns - seen.started_ns;
    stall.cause = seen.culprit();
    stall.connection = seen.connection();
  } else {
    const auto last = reactor.stats().last_iteration_ns();
    stall.duration_ns = now_ns - last;
    if (last == 0 || stall.duration_ns < kSilenceNs) return std::nullopt;
  }
  if (seen.first_cpu_ns >= 0) stall.cpu_ns = reactor.turn_watch().cpu_ns() - seen.first_cpu_ns;
  stall.started_ns = now_ns - stall.duration_ns;
  stall.started_wall_ns = wall_ns - stall.duration_ns;
  return stall;
}

std::vector<StallRecord> StallWatcher::observe(std::int64_t now_ns, std::int64_t wall_ns) {
  std::vector<StallRecord> found;
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < reactors_.size(); ++i) {
    look_at_turn(reactors_[i]);
    running_[i] = look(reactors_[i], now_ns, wall_ns);
    if (running_[i]) found.push_back(*running_[i]);
  }
  return found;
}

std::int64_t StallWatcher::next_look(std::int64_t now_ns) const noexcept {
  std::int64_t next = now_ns + kSeldomNs;
  for (const Watched& watched : reactors_) {
    const ReactorTelemetry& reactor = *watched.reactor;
    const std::int64_t threshold = reactor.stall_threshold_ns();
    next = std::min(next, now_ns + std::max(kOftenNs, threshold * 4 / 5));
    Activity activity;
    static_cast<void>(reactor.activity().read(activity));
    for (const std::int64_t since : {activity.since_ns, watched.seen.started_ns}) {
      if (since == 0) continue;
      const std::int64_t becomes_one = since + threshold;
      next = std::min(next, becomes_one > now_ns ? becomes_one : now_ns + kAgainNs);
    }
  }
  return next;
}

bool StallWatcher::is_quiet() const noexcept {
  return std::none_of(reactors_.begin(), reactors_.end(), [](const Watched& watched) {
    const auto started = watched.reactor->turn_watch().started_ns();
    return watched.has_turned || started != watched.started_ns ||
           started > watched.reactor->stats().last_iteration_ns();
  });
}

std::optional<StallRecord> StallWatcher::running(std::size_t reactor) const {
  const std::lock_guard lock{mutex_};
  return reactor < running_.size() ? running_[reactor] : std::nullopt;
}

}  // namespace equinox::telemetry
