#pragma once

#include <array>
#include <cstdint>
#include <equinox/snapshot.hpp>
#include <vector>

#include "telemetry/cell.hpp"
#include "telemetry/counters.hpp"

namespace equinox::telemetry {

/// One exemplar per bucket of the request family, overwritten at most once a second. One writer.
class ExemplarCells {
 public:
  /// Owner's thread only.
  void offer(const ReactorStats::Placed& placed, const RequestSample& sample) noexcept {
    auto& written = written_wall_ns_[placed.bucket()];
    // Also when the wall clock was set back: what was written then is of a time yet to come.
    if (sample.wall_ns >= written && sample.wall_ns - written < kInterval) return;
    written = sample.wall_ns;
    store(placed, sample);
  }
  /// Any thread; `series` of each is still the directory's slot.
  void append_to(std::vector<Exemplar>& into) const;

 private:
  static constexpr std::int64_t kInterval = kSecondNs;
  static constexpr std::size_t kBuckets = kDurationEdges.size() + 1;
  void store(const ReactorStats::Placed& placed, const RequestSample& sample) noexcept;

  std::array<std::int64_t, kBuckets> written_wall_ns_{};
  std::array<SeqSlot<Exemplar>, kBuckets> slots_;
};

}  // namespace equinox::telemetry
