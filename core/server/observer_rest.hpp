#pragma once

#include <atomic>
#include <chrono>
#include <utility>

#include "net/wakeup.hpp"

namespace equinox::server {

/// How the observer sleeps long while no reactor turns, and still meets a turn that begins meanwhile: reactors wake it,
/// but only while it rests. A turn costs them one relaxed load.
class ObserverRest {
 public:
  explicit ObserverRest(net::Wakeup wakeup);

  /// Reactors' threads: a turn has begun, and its beginning was stored.
  void turn_began() noexcept {
    // Store, then load: begin() orders the two for this thread, here only the compiler must not swap them.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (is_resting_.load(std::memory_order_relaxed)) wake();
  }

  // The observer's thread.
  /// From here on turns wake the sleeper. What a reactor stored before it could see this is visible when this returns,
  /// so whoever then looks and finds no turn misses none. False where the kernel cannot order it: do not rest.
  [[nodiscard]] bool begin() noexcept;
  void end() noexcept { is_resting_.store(false, std::memory_order_relaxed); }
  /// Returns when `most` has passed or somebody woke it, also before the call.
  void sleep(std::chrono::nanoseconds most) noexcept;

  /// Any thread.
  void wake() noexcept;

 private:
  net::Wakeup wakeup_;
  std::atomic<bool> is_resting_{false};
  bool can_order_{false};
};

}  // namespace equinox::server
