#pragma once

#include <atomic>
#include <cstdint>

#include "admin-ui/api/facts.hpp"

namespace equinox::admin {

/// When to look at what only two looks can tell: at each tick, but only while somebody asked within the last half
/// minute.
class Looks {
 public:
  /// Somebody wants to know: the next ticks take looks. Any thread.
  void want(const Moment& now) const noexcept { wanted_ns_.store(now.steady_ns, std::memory_order_relaxed); }
  /// Any thread.
  [[nodiscard]] bool is_wanted(const Moment& now) const noexcept {
    const std::int64_t wanted = wanted_ns_.load(std::memory_order_relaxed);
    return wanted != 0 && now.steady_ns - wanted < kInterestNs;
  }
  /// A look is taken. Seconds since the one before; 0 without one, or when it is too old to say anything about now.
  double take(const Moment& now) noexcept {
    const std::int64_t gap = now.steady_ns - taken_ns_;
    const bool is_fresh = taken_ns_ != 0 && gap > 0 && gap < kStaleNs;
    taken_ns_ = now.steady_ns;
    return is_fresh ? static_cast<double>(gap) / 1e9 : 0;
  }

 private:
  static constexpr std::int64_t kInterestNs = 30 * kSecondNs;
  static constexpr std::int64_t kStaleNs = 5 * kSecondNs;

  mutable std::atomic<std::int64_t> wanted_ns_{0};
  std::int64_t taken_ns_{0};
};

}  // namespace equinox::admin
