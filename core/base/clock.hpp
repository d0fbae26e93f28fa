#pragma once

#include <chrono>
#include <cstdint>

namespace equinox {

using Duration = std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;
/// Monotonic. Wall-clock moments are std::chrono::system_clock and never compared with these.
using TimePoint = std::chrono::time_point<SteadyClock, Duration>;
inline constexpr TimePoint kNever = TimePoint::max();
/// Where moments and lengths are numbers: records, rings and counters.
inline constexpr std::int64_t kSecondNs = 1'000'000'000;

/// What time it is. A value that reads the steady clock unless a ManualClock stands behind it; nothing below `server/`
/// reads a clock at all: `now` is an argument there.
class Clock {
 public:
  Clock() = default;
  explicit Clock(const TimePoint* manual) noexcept : manual_{manual} {}
  [[nodiscard]] TimePoint now() const noexcept {
    return manual_ != nullptr ? *manual_ : std::chrono::time_point_cast<Duration>(SteadyClock::now());
  }

 private:
  const TimePoint* manual_{nullptr};
};

/// For tests: stands still until told to advance.
class ManualClock {
 public:
  [[nodiscard]] Clock clock() const noexcept { return Clock{&now_}; }
  [[nodiscard]] TimePoint now() const noexcept { return now_; }
  void advance(Duration by) noexcept { now_ += by; }

 private:
  TimePoint now_{std::chrono::hours{1}};
};

}  // namespace equinox
