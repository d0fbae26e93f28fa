#include "telemetry/cell_samples.hpp"

#include <algorithm>

namespace equinox::telemetry {

namespace {

std::size_t bucket_of(std::int64_t ns) noexcept {
  return ns <= 0 ? 0 : BucketTable<kDurationEdges>::bucket(static_cast<std::uint64_t>(ns));
}

}  // namespace

CellSamples::Keep CellSamples::choose(const RequestSample& sample, std::size_t duration_bucket,
                                      std::int64_t second) noexcept {
  Keep keep = Keep::no;
  const auto mark = [&](std::size_t measure, std::size_t bucket) {
    auto& last = last_second_[measure][bucket];
    if (last == second) return;
    keep = std::max(keep, worth(last, second));
    last = second;
  };
  mark(0, duration_bucket);
  if (sample.first_byte_ns >= 0) mark(1, bucket_of(sample.first_byte_ns));
  mark(2, bucket_of(sample.phases_ns[index_of(RequestPhase::queue)]));
  mark(3, bucket_of(sample.phases_ns[index_of(RequestPhase::handler)]));
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
