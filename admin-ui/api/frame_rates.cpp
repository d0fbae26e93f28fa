#include "admin-ui/api/frame_rates.hpp"

#include <algorithm>

namespace equinox::admin {

void FrameRates::look(const ServerSnapshot& totals, const Moment& now) {
  const std::lock_guard lock{mutex_};
  length_s_ = looks_.take(now);
  for (std::size_t d = 0; d < last_.size(); ++d) {
    for (std::size_t type = 0; type < last_[d].size(); ++type) {
      const std::uint64_t total = totals.totals.h2_frames[d][type];
      grown_[d][type] = total - std::min(total, last_[d][type]);
      last_[d][type] = total;
    }
  }
}

std::optional<double> FrameRates::of(std::size_t direction, std::size_t type) const {
  const std::lock_guard lock{mutex_};
  if (length_s_ == 0) return std::nullopt;
  return static_cast<double>(grown_[direction][type]) / length_s_;
}

}  // namespace equinox::admin
