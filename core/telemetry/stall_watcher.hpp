#pragma once

#include <cstdint>
#include <equinox/record.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "telemetry/reactor_telemetry.hpp"

namespace equinox::telemetry {

/// Names the culprit of a stall while it is still blocking. Driven from outside any traffic reactor, by calling
/// observe() at least every 50 ms; readers may call running() from any thread.
class StallWatcher {
 public:
  explicit StallWatcher(std::vector<ReactorTelemetry*> reactors);

  /// @return stalls that began or went on since the last call
  std::vector<StallRecord> observe(std::int64_t now_ns, std::int64_t wall_ns);
  /// The stall that runs on that reactor, as of the last observe().
  [[nodiscard]] std::optional<StallRecord> running(std::size_t reactor) const;

 private:
  struct Watched {
    ReactorTelemetry* reactor;
    SeenTurn seen{};  ///< the turn that runs, as far as it was looked at
  };
  static void look_at_turn(Watched& watched);
  [[nodiscard]] static std::optional<StallRecord> look(const Watched& watched, std::int64_t now_ns,
                                                       std::int64_t wall_ns);

  std::vector<Watched> reactors_;
  mutable std::mutex mutex_;
  std::vector<std::optional<StallRecord>> running_;
};

}  // namespace equinox::telemetry
