#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <equinox/record.hpp>
#include <equinox/snapshot.hpp>

#include "telemetry/counters.hpp"
#include "telemetry/history.hpp"

namespace equinox::telemetry {

/// Requests kept for the latency map, so that a cell that counted one has one to show. Two rings: one as long as the
/// map reaches back whatever the load, because each cell may enter it twice in a step; and one of configured length
/// with the first request of each cell and second. One writer.
class CellSamples {
 public:
  enum class Keep : std::uint8_t { no, second, step };

  CellSamples(std::size_t seconds_capacity, std::size_t steps_capacity)
      : by_second_{seconds_capacity}, by_step_{steps_capacity} {}

  /// Whether a request that ended in this second (Unix epoch) is the first of one of its cells. Owner's thread only.
  /// Nearly always all of them have had one, which is seen here.
  [[nodiscard]] Keep choose(const ReactorStats::Placed& placed, bool has_first_byte, std::int64_t second) noexcept {
    std::int64_t others = 0;
    for (std::size_t measure = 0; measure < LatencyMap::kMeasures; ++measure) {
      const std::int64_t other = last_second_[measure][placed.buckets[measure]] ^ second;
      others |= measure == kFirstByte && !has_first_byte ? 0 : other;
    }
    return others == 0 ? Keep::no : renew(placed, has_first_byte, second);
  }
  /// Owner's thread only.
  void push(const RequestRecord& record, Keep keep) noexcept {
    if (keep == Keep::second) by_second_.push(record);
    if (keep == Keep::step) by_step_.push(record);
  }
  /// Any thread. No request is in both.
  [[nodiscard]] const HistoryRing<RequestRecord>& by_second() const noexcept { return by_second_; }
  [[nodiscard]] const HistoryRing<RequestRecord>& by_step() const noexcept { return by_step_; }

 private:
  static constexpr std::size_t kFirstByte = 1;  ///< the measure that not every request has
  [[nodiscard]] Keep renew(const ReactorStats::Placed& placed, bool has_first_byte, std::int64_t second) noexcept;
  [[nodiscard]] static Keep worth(std::int64_t last_second, std::int64_t second) noexcept;

  /// When a request of this cell was kept last.
  std::array<std::array<std::int64_t, LatencyMap::kBuckets>, LatencyMap::kMeasures> last_second_{};
  HistoryRing<RequestRecord> by_second_;
  HistoryRing<RequestRecord> by_step_;
};

}  // namespace equinox::telemetry
