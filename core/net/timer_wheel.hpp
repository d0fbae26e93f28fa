#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"

namespace equinox::net {

struct TimerLink {
  TimerLink* prev{nullptr};  ///< null: not linked
  TimerLink* next{nullptr};
};

/// A timer, embedded in what it is for. Must not move or die while linked: cancel() first.
struct TimerNode : TimerLink {
  TimePoint due{kNever};
  std::uint64_t linked_at{0};  ///< tick at which the wheel looks at it next, at or before `due`
  std::uint64_t token{0};      ///< the owner's; returned by expire()

  [[nodiscard]] bool is_linked() const noexcept { return prev != nullptr; }
};
static_assert(sizeof(TimerNode) <= 48);

/// Intrusive hashed wheel: everything O(1), 10 ms ticks, never early, at most one tick late. A deadline that moves
/// later (the usual case: each request renews it) is only written; the node is relinked when its slot comes round.
/// `now` is an argument: no clock inside. Owning reactor's thread only.
class TimerWheel {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds{10};
  static constexpr std::size_t kSlots = 4096;  ///< 41 s; longer timers are looked at once a round

  explicit TimerWheel(TimePoint start) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  /// Arms or moves. kNever disarms lazily: nothing is reported, the node may stay linked for up to a round.
  void schedule(TimerNode& node, TimePoint due) noexcept {
    node.due = due;
    if (node.is_linked() && tick_of(due) >= node.linked_at) return;
    relink(node);
  }
  /// Unlinks at once; nothing happens to a node that is not linked.
  void cancel(TimerNode& node) noexcept;
  /// Whether there is anything for expire() to look at.
  [[nodiscard]] bool is_due(TimePoint now) const noexcept { return now >= wake_; }
  /// Appends the tokens of all nodes whose due time has come; these are unlinked.
  void expire(TimePoint now, std::vector<std::uint64_t>& tokens);
  /// How long to wait for the next slot that holds anything, 0..at_most.
  [[nodiscard]] Duration until_next(TimePoint now, Duration at_most) const noexcept {
    return std::clamp(wake_ == kNever ? at_most : wake_ - now, Duration::zero(), std::max(at_most, Duration::zero()));
  }
  /// Nodes linked, lazily disarmed ones included.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  static std::uint64_t tick_of(TimePoint due) noexcept {
    const auto count = due.time_since_epoch().count();
    return count <= 0 ? 0 : (static_cast<std::uint64_t>(count) - 1) / static_cast<std::uint64_t>(kTick.count()) + 1;
  }
  void relink(TimerNode& node) noexcept;
  void unlink(TimerNode& node) noexcept;
  void mark_empty(std::size_t slot) noexcept;
  void look_at(std::size_t slot, TimePoint now, std::vector<std::uint64_t>& tokens);
  [[nodiscard]] std::uint64_t next_occupied() const noexcept;
  [[nodiscard]] TimePoint next_wake() const noexcept;

  std::uint64_t current_;   ///< last tick that was looked at
  TimePoint wake_{kNever};  ///< when the next slot that holds anything comes: known without looking, every turn asks
  std::size_t size_{0};
  std::array<std::uint64_t, kSlots / 64> occupied_{};
  std::uint64_t occupied_words_{0};      ///< which words of `occupied_` are not zero
  std::array<TimerLink, kSlots> heads_;  ///< sentinels of circular lists
};

}  // namespace equinox::net
