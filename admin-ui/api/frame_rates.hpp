#pragma once

#include <atomic>
#include <cstdint>
#include <equinox/view.hpp>
#include <mutex>
#include <optional>

#include "admin-ui/api/facts.hpp"

namespace equinox::admin {

/// HTTP/2 frames per second by direction and type, from the totals at two ticks. Looks only while somebody asked within
/// the last half minute. Any thread.
class FrameRates {
 public:
  void want(const Moment& now) noexcept { wanted_ns_.store(now.steady_ns, std::memory_order_relaxed); }
  /// @param totals  as of `now`
  void look(const ServerSnapshot& totals, const Moment& now);
  [[nodiscard]] bool is_wanted(const Moment& now) const noexcept;
  /// Nothing until two looks were taken.
  [[nodiscard]] std::optional<double> of(std::size_t direction, std::size_t type) const;

 private:
  using Counts = std::array<std::array<std::uint64_t, kH2FrameLabels.size()>, kCount<Direction>>;
  std::atomic<std::int64_t> wanted_ns_{0};
  mutable std::mutex mutex_;
  Counts last_{};
  Counts grown_{};      ///< between the last two looks
  double length_s_{0};  ///< between them; 0: there are no two
  std::int64_t looked_ns_{0};
};

}  // namespace equinox::admin
