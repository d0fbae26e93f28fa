#pragma once

#include <cstdint>
#include <equinox/record.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "telemetry/reactor_telemetry.hpp"

namespace equinox::telemetry {

/// Names the culprit of a stall while it is still blocking. Driven from outside any traffic reactor, by calling
/// observe() when next_look() says; readers may call running() from any thread.
class StallWatcher {
 public:
  explicit StallWatcher(std::vector<ReactorTelemetry*> reactors);

  /// @return stalls that began or went on since the last call
  std::vector<StallRecord> observe(std::int64_t now_ns, std::int64_t wall_ns);
  /// When to look again after an observe() at `now_ns`. What runs then and does not end is looked at in the moment in
  /// which it becomes a stall; what begins later is met while it is none yet, and so at that moment, too.
  [[nodiscard]] std::int64_t next_look(std::int64_t now_ns) const noexcept;
  /// No reactor turns, and none did between the last two observe(). The caller of observe() only.
  [[nodiscard]] bool is_quiet() const noexcept;
  /// The stall that runs on that reactor, as of the last observe().
  [[nodiscard]] std::optional<StallRecord> running(std::size_t reactor) const;

 private:
  struct Watched {
    ReactorTelemetry* reactor;
    SeenTurn seen{};             ///< the turn that runs, as far as it was looked at
    std::int64_t started_ns{0};  ///< of the newest turn at the last look
    bool has_turned{true};       ///< another one began between the last two looks
  };
  static void look_at_turn(Watched& watched);
  [[nodiscard]] static std::optional<StallRecord> look(const Watched& watched, std::int64_t now_ns,
                                                       std::int64_t wall_ns);

  std::vector<Watched> reactors_;
  mutable std::mutex mutex_;
  std::vector<std::optional<StallRecord>> running_;
};

}  // namespace equinox::telemetry
