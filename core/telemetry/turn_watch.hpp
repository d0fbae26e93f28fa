#pragma once

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <equinox/ids.hpp>
#include <equinox/vocabulary.hpp>
#include <numeric>

#include "base/clock.hpp"
#include "telemetry/cell.hpp"

namespace equinox::telemetry {

/// CPU time of a thread by its clock; -1 when it cannot be read (the thread is gone).
inline std::int64_t thread_cpu_ns(clockid_t clock) noexcept {
  timespec spent{};
  if (::clock_gettime(clock, &spent) != 0) return -1;
  return static_cast<std::int64_t>(spent.tv_sec) * kSecondNs + spent.tv_nsec;
}

/// What the watcher saw of one long turn: where it was at each look, with whom, and the CPU clock at the first one.
struct SeenTurn {
  std::int64_t started_ns{0};  ///< of the turn; 0: none was seen
  std::int64_t first_cpu_ns{-1};
  std::array<std::uint32_t, kCount<StallCause>> looks{};
  std::uint64_t candidate{0};  ///< ConnectionId::packed(); the only one that can have been met at most looks
  std::int64_t lead{0};        ///< how often it was met more than all others

  void look(StallCause cause, std::uint64_t connection) noexcept {
    ++looks[index_of(cause)];
    if (lead == 0) candidate = connection;
    lead += candidate == connection ? 1 : -1;
  }
  /// Whose work it was at most of the looks; 0: no connection's, or many's.
  [[nodiscard]] std::uint64_t connection() const noexcept { return lead > 0 ? candidate : 0; }
  /// Enough looks to contradict a clock: handlers are timed from the last reading before them, not from their call.
  [[nodiscard]] bool is_telling() const noexcept { return std::accumulate(looks.begin(), looks.end(), 0U) >= 2; }
  /// Where it was most of the times.
  [[nodiscard]] StallCause culprit() const noexcept {
    const auto most = std::max_element(looks.begin(), looks.end());
    return *most == 0 ? StallCause::unknown : static_cast<StallCause>(most - looks.begin());
  }
};
static_assert(sizeof(SeenTurn) == 64);

/// Who is to blame for a long turn, without a clock in the hot path: the reactor says what it is at by one relaxed
/// store at each change, the watcher looks now and then, and only a turn it has met becomes a story.
class TurnWatch {
 public:
  // Owner's thread.
  void set_clock() noexcept {
    clockid_t clock{};
    if (::pthread_getcpuclockid(::pthread_self(), &clock) == 0) clock_.store(clock, std::memory_order_relaxed);
  }
  void begin(std::int64_t now_ns) noexcept {
    doing(StallCause::unknown);
    serving({});
    started_ns_.store(now_ns, std::memory_order_relaxed);
  }
  void doing(StallCause what) noexcept { doing_.store(what, std::memory_order_relaxed); }
  void serving(ConnectionId whom) noexcept { serving_.store(whom.packed(), std::memory_order_relaxed); }
  /// What was seen of the turn that began then; empty when it was not met.
  [[nodiscard]] SeenTurn seen(std::int64_t started_ns) const noexcept {
    SeenTurn out;
    return seen_.read(out) && out.started_ns == started_ns ? out : SeenTurn{};
  }

  // The watcher's thread.
  [[nodiscard]] std::int64_t started_ns() const noexcept { return started_ns_.load(std::memory_order_relaxed); }
  [[nodiscard]] StallCause doing() const noexcept { return doing_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t serving() const noexcept { return serving_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t cpu_ns() const noexcept {
    const std::int64_t clock = clock_.load(std::memory_order_relaxed);
    return clock == kNoClock ? -1 : thread_cpu_ns(static_cast<clockid_t>(clock));
  }
  void tell(const SeenTurn& seen) noexcept { seen_.write(seen); }

 private:
  static constexpr std::int64_t kNoClock = INT64_MIN;
  std::atomic<std::int64_t> started_ns_{0};
  std::atomic<StallCause> doing_{StallCause::unknown};
  std::atomic<std::uint64_t> serving_{0};
  std::atomic<std::int64_t> clock_{kNoClock};
  SeqSlot<SeenTurn> seen_;
};

}  // namespace equinox::telemetry
