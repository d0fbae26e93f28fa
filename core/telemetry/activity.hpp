#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <equinox/ids.hpp>
#include <equinox/vocabulary.hpp>

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

/// Written by the reactor around whatever may block, read by the watcher while it blocks. Every request passes here, so
/// what is said costs three stores and what ends one: the time of the beginning is different each time and frames the
/// rest as a sequence number would.
class ActivityCell {
 public:
  // Owner's thread only.
  void begin(const Activity& activity) noexcept {
    since_ = std::max(activity.since_ns, since_ + 1);
    what_ = pack(activity);
    connection_ = activity.connection;
    // Releases: whoever sees one of these words also sees that the activity before is over.
    told_connection_.store(connection_, std::memory_order_release);
    told_what_.store(what_, std::memory_order_release);
    told_since_.store(since_, std::memory_order_release);
  }
  void end(std::int64_t now_ns) noexcept {
    const std::int64_t took = now_ns - since_;
    told_since_.store(0, std::memory_order_relaxed);
    by_cause_ns_[static_cast<std::uint8_t>(what_ >> 48U)] += took;
    if (took <= longest_ns_) return;
    longest_ns_ = took;
    longest_what_ = what_;
    longest_connection_ = connection_;
  }
  /// Since the last reset: the longest single activity, its time, and the time by cause.
  [[nodiscard]] Activity longest() const noexcept { return unpack(0, longest_connection_, longest_what_); }
  [[nodiscard]] const std::array<std::int64_t, kCount<StallCause>>& by_cause_ns() const noexcept {
    return by_cause_ns_;
  }
  void reset() noexcept {
    if (longest_ns_ == 0) return;
    longest_ns_ = 0;
    by_cause_ns_ = {};
  }

  // Any thread. False when nothing goes on that could block.
  [[nodiscard]] bool read(Activity& into) const noexcept {
    for (int attempt = 0; attempt < 64; ++attempt) {
      const auto since = told_since_.load(std::memory_order_acquire);
      if (since == 0) return false;
      const auto connection = told_connection_.load(std::memory_order_acquire);
      const auto what = told_what_.load(std::memory_order_acquire);
      if (told_since_.load(std::memory_order_relaxed) != since) continue;
      into = unpack(since, connection, what);
      return true;
    }
    return false;
  }

 private:
  static std::uint64_t pack(const Activity& activity) noexcept {
    return std::uint64_t{activity.stream} | std::uint64_t{activity.route} << 32U |
           std::uint64_t{static_cast<std::uint8_t>(activity.cause)} << 48U | std::uint64_t{activity.method} << 56U;
  }
  static Activity unpack(std::int64_t since_ns, std::uint64_t connection, std::uint64_t what) noexcept {
    return {since_ns,
            connection,
            static_cast<StreamId>(what),
            static_cast<RouteId>(what >> 32U),
            static_cast<StallCause>(static_cast<std::uint8_t>(what >> 48U)),
            static_cast<std::uint8_t>(what >> 56U)};
  }

  std::atomic<std::int64_t> told_since_{0};
  std::atomic<std::uint64_t> told_connection_{0};
  std::atomic<std::uint64_t> told_what_{0};
  std::int64_t since_{0};
  std::uint64_t connection_{0};
  std::uint64_t what_{0};
  std::int64_t longest_ns_{0};
  std::uint64_t longest_connection_{0};
  std::uint64_t longest_what_{0};
  std::array<std::int64_t, kCount<StallCause>> by_cause_ns_{};
};

}  // namespace equinox::telemetry
