#include "admin-ui/api/frame_rates.hpp"

#include <algorithm>

namespace equinox::admin {
namespace {

constexpr std::int64_t kInterestNs = 30'000'000'000;
/// Two looks further apart than this say nothing about now.
constexpr std::int64_t kStaleNs = 5'000'000'000;

}  // namespace

bool FrameRates::is_wanted(const Moment& now) const noexcept {
  const std::int64_t wanted = wanted_ns_.load(std::memory_order_relaxed);
  return wanted != 0 && now.steady_ns - wanted < kInterestNs;
}

void FrameRates::look(const ServerSnapshot& totals, const Moment& now) {
  const std::lock_guard lock{mutex_};
  const std::int64_t gap = now.steady_ns - looked_ns_;
  const bool is_fresh = looked_ns_ != 0 && gap > 0 && gap < kStaleNs;
  length_s_ = is_fresh ? static_cast<double>(gap) / 1e9 : 0;
  for (std::size_t d = 0; d < last_.size(); ++d) {
    for (std::size_t type = 0; type < last_[d].size(); ++type) {
      const std::uint64_t total = totals.totals.h2_frames[d][type];
      grown_[d][type] = total - std::min(total, last_[d][type]);
      last_[d][type] = total;
    }
  }
  looked_ns_ = now.steady_ns;
}

std::optional<double> FrameRates::of(std::size_t direction, std::size_t type) const {
  const std::lock_guard lock{mutex_};
  if (length_s_ == 0) return std::nullopt;
  return static_cast<double>(grown_[direction][type]) / length_s_;
}

}  // namespace equinox::admin
