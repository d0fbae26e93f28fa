#pragma once

#include <cstdint>
#include <equinox/snapshot.hpp>
#include <equinox/view.hpp>
#include <mutex>
#include <optional>
#include <vector>

namespace equinox::telemetry {

/// The one-second series of the last 15 minutes, made by comparing snapshots. The observer writes and whoever shows
/// them reads: the lock is never seen by a traffic reactor.
class SeriesRecorder {
 public:
  static constexpr std::size_t kPoints = 900;
  SeriesRecorder();

  /// Called about once a second. Samples that fall into the second already recorded are ignored; a gap leaves points
  /// that say they were not recorded, and the increase since the last sample goes into the second of this one.
  void sample(ServerSnapshot snapshot);
  /// Points from `since_wall_ns` on, oldest first.
  [[nodiscard]] std::vector<SeriesPoint> since(std::int64_t since_wall_ns) const;

 private:
  mutable std::mutex mutex_;
  std::vector<SeriesPoint> points_;
  std::int64_t newest_second_{0};
  std::optional<ServerSnapshot> last_;
};

}  // namespace equinox::telemetry
