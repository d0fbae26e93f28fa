#pragma once

#include <array>
#include <cstdint>
#include <equinox/ids.hpp>
#include <equinox/vocabulary.hpp>

#include "telemetry/cell.hpp"

namespace equinox::telemetry {

/// What a reactor is doing at this moment.
struct Activity {
  std::int64_t since_ns{0};  ///< steady clock; 0: nothing that could block
  std::uint64_t connection{0};
  StreamId stream{0};
  RouteId route{0};
  StallCause cause{StallCause::unknown};
  std::uint8_t method{0};
};
static_assert(sizeof(Activity) == 24);

/// Written by the reactor around whatever may block, read by the watcher while it blocks.
class ActivityCell {
 public:
  // Owner's thread only.
  void begin(const Activity& activity) noexcept {
    own_ = activity;
    slot_.write(activity);
  }
  /// @return how long it took, nanoseconds
  std::int64_t end(std::int64_t now_ns) noexcept {
    const auto took = own_.since_ns == 0 ? 0 : now_ns - own_.since_ns;
    by_cause_ns_[index_of(own_.cause)] += took;
    if (took > longest_ns_) {
      longest_ns_ = took;
      longest_ = own_;
    }
    own_.since_ns = 0;
    slot_.write(own_);
    return took;
  }
  /// Since the last reset: the longest single activity, its time, and the time by cause.
  [[nodiscard]] const Activity& longest() const noexcept { return longest_; }
  [[nodiscard]] std::int64_t longest_ns() const noexcept { return longest_ns_; }
  [[nodiscard]] const std::array<std::int64_t, kCount<StallCause>>& by_cause_ns() const noexcept {
    return by_cause_ns_;
  }
  void reset() noexcept {
    if (longest_ns_ == 0) return;
    longest_ns_ = 0;
    by_cause_ns_ = {};
  }

  // Any thread.
  [[nodiscard]] bool read(Activity& into) const noexcept { return slot_.read(into) && into.since_ns != 0; }

 private:
  SeqSlot<Activity> slot_;
  Activity own_;
  Activity longest_;
  std::int64_t longest_ns_{0};
  std::array<std::int64_t, kCount<StallCause>> by_cause_ns_{};
};

}  // namespace equinox::telemetry
