#pragma once

#include <cstdint>
#include <equinox/snapshot.hpp>
#include <equinox/view.hpp>
#include <mutex>
#include <vector>

namespace equinox::telemetry {

/// The one-second series of the last 15 minutes, made by comparing snapshots. The observer writes and whoever shows
/// them reads: the lock is never seen by a traffic reactor.
class SeriesRecorder {
 public:
  static constexpr std::size_t kPoints = 900;
  static constexpr std::int64_t kBackMost = 2;
  SeriesRecorder();

  /// Called once a second, a little after it has ended: the increase since the last sample, at first since nothing was
  /// counted, goes into that second, so that the points add up to the totals. One that is recorded already stays as it
  /// is; a gap leaves points that say they were not recorded. After the wall clock was set back by more than kBackMost
  /// seconds the points go on from there.
  void sample(ServerSnapshot snapshot);
  /// Points from `since_wall_ns` on, oldest first.
  [[nodiscard]] std::vector<SeriesPoint> since(std::int64_t since_wall_ns) const;

 private:
  mutable std::mutex mutex_;
  std::vector<SeriesPoint> points_;
  static constexpr std::int64_t kNone = 0;
  std::int64_t newest_second_{kNone};
  ServerSnapshot last_;
};

}  // namespace equinox::telemetry
