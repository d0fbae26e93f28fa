#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace equinox::net {

/// An eventfd: how another thread makes a poller return.
class Wakeup {
 public:
  /// @error system, descriptors_exhausted
  static Result<Wakeup> open();

  /// Makes descriptor() readable until acknowledge(). Any thread, also a signal handler.
  void signal() const noexcept;
  /// The waiting thread only.
  void acknowledge() const noexcept;
  [[nodiscard]] int descriptor() const noexcept { return event_.get(); }

 private:
  explicit Wakeup(UniqueFd event) noexcept : event_{std::move(event)} {}
  UniqueFd event_;
};

/// Values from any thread to one reactor. Held by shared_ptr it outlives the reactor: after close() pushing is refused.
template <typename T>
class Mailbox {
 public:
  /// @param told  where the number of waiting values is told, for readers on any thread; needed until close() only
  explicit Mailbox(Wakeup wakeup, std::atomic<std::size_t>* told = nullptr) : wakeup_{std::move(wakeup)}, told_{told} {}

  /// Any thread. False once closed; the value is then destroyed by the caller's thread.
  bool push(T value) {
    bool was_empty = false;
    {
      const std::lock_guard lock{mutex_};
      if (is_closed_) return false;
      was_empty = values_.empty();
      values_.push_back(std::move(value));
      tell();
    }
    if (was_empty) wakeup_.signal();
    return true;
  }

  /// Moves everything into `into` (what was there is dropped, its capacity is used again). Reactor's thread, when
  /// descriptor() is readable.
  void take_all(std::vector<T>& into) {
    into.clear();
    wakeup_.acknowledge();  // before the swap: a signal between the two may be early, never lost
    const std::lock_guard lock{mutex_};
    into.swap(values_);
    tell();
  }

  /// Refuses all further values and drops those not taken. Any thread; idempotent.
  void close() {
    std::vector<T> dropped;  // destroyed outside the lock: a value's destructor may push
    {
      const std::lock_guard lock{mutex_};
      is_closed_ = true;
      dropped.swap(values_);
      tell();
      told_ = nullptr;
    }
  }

  [[nodiscard]] int descriptor() const noexcept { return wakeup_.descriptor(); }

 private:
  void tell() noexcept {
    if (told_ != nullptr) told_->store(values_.size(), std::memory_order_relaxed);
  }

  Wakeup wakeup_;
  std::mutex mutex_;
  std::vector<T> values_;
  bool is_closed_{false};
  std::atomic<std::size_t>* told_;
};

}  // namespace equinox::net
