#include "admin-ui/api/sampling.hpp"

#include <algorithm>
#include <bit>

namespace equinox::admin {

std::uint64_t Sampling::look(const ServerSnapshot& now) {
  constexpr int kCalmLooks = 5;
  const std::uint64_t finished = now.requests_finished();
  const std::uint64_t kept = now.ring_recent.written;
  const std::uint64_t ended = finished - std::min(finished, finished_);
  const std::uint64_t held = std::max<std::uint64_t>(1, kept - std::min(kept, kept_));
  // The two are read one after the other: a few requests between them are no sampling.
  const bool is_coarse = has_looked_ && ended > held + held / 4 + 16;
  const std::uint64_t found = is_coarse ? std::bit_ceil((ended + held - 1) / held) : 1;
  has_looked_ = true;
  finished_ = finished;
  kept_ = kept;
  calmer_ = found < shown_ ? calmer_ + 1 : 0;
  if (found > shown_ || calmer_ >= kCalmLooks) {
    shown_ = found;
    calmer_ = 0;
  }
  return shown_;
}

}  // namespace equinox::admin
