// One timer among a thousand to a million: renewed, moved nearer, come due.

#include <vector>

#include "bench/growth.hpp"
#include "net/timer_wheel.hpp"

namespace equinox::net {
namespace {

using bench::ScatteredOrder;
constexpr Duration kIdle = std::chrono::seconds{30};
constexpr int kTurns = 1000;  // of two ticks each: the idle ones do not come due meanwhile

class Timers {
 public:
  explicit Timers(std::size_t count) : nodes_(count) {
    for (std::size_t i = 0; i < count; ++i) {
      nodes_[i].token = i;
      wheel.schedule(nodes_[i], now + kIdle + std::chrono::milliseconds{i % 10'000});
    }
  }
  ~Timers() {
    for (TimerNode& node : nodes_) wheel.cancel(node);
  }
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  TimerNode& operator[](std::size_t index) noexcept { return nodes_[index]; }

  TimePoint now{std::chrono::hours{1}};
  TimerWheel wheel{now};

 private:
  std::vector<TimerNode> nodes_;
};

/// What each request does: the idle deadline moves later.
void wheel_renew(benchmark::State& state) {
  Timers timers{static_cast<std::size_t>(state.range(0))};
  ScatteredOrder order{state};
  for (auto _ : state) timers.wheel.schedule(timers[order.next()], timers.now + kIdle + std::chrono::seconds{11});
}
BENCHMARK(wheel_renew)->Apply(bench::growth_in_use);

/// What a head cut in two does: unlinked here, linked there.
void wheel_move(benchmark::State& state) {
  Timers timers{static_cast<std::size_t>(state.range(0))};
  ScatteredOrder order{state};
  for (auto _ : state) {
    TimerNode& node = timers[order.next()];
    timers.wheel.cancel(node);
    timers.wheel.schedule(node, timers.now + kIdle);
  }
}
BENCHMARK(wheel_move)->Apply(bench::growth_in_use);

/// One that comes due while all others stay; the time is for it and for the tick it takes.
void wheel_expire(benchmark::State& state) {
  Timers timers{static_cast<std::size_t>(state.range(0))};
  TimerNode due;
  std::vector<std::uint64_t> tokens;
  for (auto _ : state) {
    timers.wheel.schedule(due, timers.now + TimerWheel::kTick);
    timers.now += 2 * TimerWheel::kTick;
    timers.wheel.expire(timers.now, tokens);
    if (due.is_linked()) state.SkipWithError("it did not come due");
    tokens.clear();
  }
}
BENCHMARK(wheel_expire)->Apply(bench::growth)->Iterations(kTurns)->Repetitions(9)->ReportAggregatesOnly();

}  // namespace
}  // namespace equinox::net
