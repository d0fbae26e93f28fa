#include "server/observer.hpp"

#include <pthread.h>

#include <algorithm>
#include <vector>

namespace equinox::server {

namespace {

/// The next second of the wall clock, a little later: then the reactors have told theirs, and nobody needs another
/// look.
std::chrono::steady_clock::time_point next_second_after(std::chrono::steady_clock::time_point now) {
  using namespace std::chrono;
  constexpr milliseconds kBehindReactors{5};
  constexpr milliseconds kSoonest{100};  // never two points for one second
  const auto into_second = system_clock::now().time_since_epoch() % seconds{1};
  const auto wait = seconds{1} - into_second + kBehindReactors;
  return now + (wait < kSoonest ? wait + seconds{1} : wait);
}

}  // namespace

void Observer::start() {
  thread_ = std::thread{[this] { run(); }};
}

void Observer::stop() {
  is_stopping_.store(true, std::memory_order_relaxed);
  rest_.wake();
  if (thread_.joinable()) thread_.join();
}

std::chrono::nanoseconds Observer::patience(std::chrono::nanoseconds until_second) {
  // Nothing has turned for a while: whoever begins to will say so.
  if (telemetry_.is_quiet() && rest_.begin()) {
    if (telemetry_.is_quiet()) return until_second;
    rest_.end();
  }
  return std::min(telemetry_.until_next_watch(), until_second);
}

void Observer::run() {
  ::pthread_setname_np(::pthread_self(), "eqx-observer");
  auto next_second = next_second_after(std::chrono::steady_clock::now());
  std::vector<std::int64_t> reported(telemetry_.reactor_count(), 0);
  while (true) {
    rest_.sleep(patience(next_second - std::chrono::steady_clock::now()));
    rest_.end();
    if (is_stopping_.load(std::memory_order_relaxed)) return;
    for (const StallRecord& stall : telemetry_.watch()) {
      // One line for each stall, however often it is seen.
      if (reported[stall.reactor] == stall.started_ns) continue;
      reported[stall.reactor] = stall.started_ns;
      report(stall);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_second) {
      telemetry_.record_second();
      next_second = next_second_after(now);
    }
  }
}

void Observer::report(const StallRecord& stall) const {
  const auto routes = telemetry_.route_names();
  LogRecord record{LogLevel::warning, LogComponent::reactor, "reactor stalled"};
  record.add("reactor", stall.reactor)
      .add("cause", to_string(stall.cause))
      .add("seconds", static_cast<double>(stall.duration_ns) / 1e9)
      .add("connections", stall.delayed_connections);
  if (stall.has_route && stall.route < routes.size()) record.add("route", routes[stall.route]);
  if (const auto id = ConnectionId::unpack(stall.connection)) record.about(id).add("connection", to_string(id));
  log_.write(record);
}

}  // namespace equinox::server
