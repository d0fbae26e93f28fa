#include "telemetry/cell_samples.hpp"

#include <algorithm>

namespace equinox::telemetry {

CellSamples::Keep CellSamples::renew(const ReactorStats::Placed& placed, bool has_first_byte,
                                     std::int64_t second) noexcept {
  Keep keep = Keep::no;
  for (std::size_t measure = 0; measure < LatencyMap::kMeasures; ++measure) {
    if (measure == kFirstByte && !has_first_byte) continue;
    auto& last = last_second_[measure][placed.buckets[measure]];
    if (last == second) continue;
    keep = std::max(keep, worth(last, second));
    last = second;
  }
  return keep;
}

/// The first of a step, and one of its last second: the thread that closes the seconds of the histograms may come too
/// late for one, and then the next step counts what ended there, perhaps that and nothing else.
CellSamples::Keep CellSamples::worth(std::int64_t last_second, std::int64_t second) noexcept {
  constexpr auto kStep = LatencyMap::kStepSeconds;
  const bool is_first = last_second / kStep != second / kStep;
  const bool is_last_second = second % kStep == kStep - 1;
  return is_first || is_last_second ? Keep::step : Keep::second;
}

}  // namespace equinox::telemetry
