#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <equinox/view.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "telemetry/reactor_telemetry.hpp"
#include "telemetry/series.hpp"
#include "telemetry/stall_watcher.hpp"

namespace equinox::telemetry {

/// Owns what all reactors of a server tell, and answers nearly all of ServerView from it; a server derives its view
/// from this class and adds live(), and where it can inside() and config().
class ServerTelemetry : public ServerView {
 public:
  /// @param clock  for moments in snapshots; the steady clock by default
  ServerTelemetry(const TelemetryOptions& options, ServerIdentity identity, std::vector<std::string> listener_names,
                  Clock clock = {});
  ~ServerTelemetry() override;

  /// The writer's end for one reactor; that reactor's thread only.
  [[nodiscard]] ReactorTelemetry& reactor(std::size_t index) noexcept { return *reactors_[index]; }
  [[nodiscard]] const ReactorTelemetry& reactor(std::size_t index) const noexcept { return *reactors_[index]; }

  /// Connections for which each reactor has room.
  [[nodiscard]] std::size_t records_per_reactor() const noexcept { return reactors_.front()->records().capacity(); }

  /// Set-up and reload: the number for a route's name, the same for the same name; kRouteOther beyond `routes_max`.
  RouteId intern_route(std::string_view name);
  /// From the observer, once a second: records a point of the series.
  void record_second();
  /// From the observer: looks for stalls that are running.
  std::vector<StallRecord> watch();
  /// How long until it has to be called again.
  [[nodiscard]] std::chrono::nanoseconds until_next_watch() const;
  /// From the observer: no reactor turns, and none did between the last two watch().
  [[nodiscard]] bool is_quiet() const;

  // ServerView
  [[nodiscard]] ServerIdentity identity() const override;
  [[nodiscard]] LiveFacts live() const override;
  [[nodiscard]] ServerSnapshot snapshot() const override;
  [[nodiscard]] std::vector<std::string> route_names() const override;
  [[nodiscard]] std::vector<std::string> listener_names() const override;
  [[nodiscard]] std::size_t reactor_count() const override { return reactors_.size(); }
  void for_each_record(const Visitor<ConnectionRecord>& visit) const override;
  [[nodiscard]] std::uint32_t record_extent(std::size_t reactor) const override;
  [[nodiscard]] std::optional<ConnectionRecord> record_at(std::size_t reactor, std::uint32_t slot) const override;
  [[nodiscard]] std::optional<ConnectionRecord> record(ConnectionId id) const override;
  void closed(const Visitor<ClosedRecord>& visit) const override;
  void slow_requests(const Visitor<RequestRecord>& visit) const override;
  void sampled_requests(const Visitor<RequestRecord>& visit) const override;
  void recent_requests(const Visitor<RequestRecord>& visit) const override;
  void stalls(const Visitor<StallRecord>& visit) const override;
  [[nodiscard]] std::vector<StateChange> timeline(ConnectionId id, std::size_t limit) const override;
  [[nodiscard]] std::int64_t timeline_reach_wall_ns(std::size_t reactor) const override;
  [[nodiscard]] std::vector<ReactorFacts> reactors() const override;
  [[nodiscard]] std::vector<SeriesPoint> series(std::int64_t since_wall_ns) const override;

 private:
  TelemetryOptions options_;
  ServerIdentity identity_;
  std::vector<std::string> listener_names_;
  Clock clock_;
  SeriesDirectory directory_;
  std::atomic<std::uint64_t> closed_sequence_{0};
  std::vector<std::unique_ptr<ReactorTelemetry>> reactors_;
  mutable std::mutex route_mutex_;  ///< set-up, reload and readers; never a request
  std::vector<std::string> route_names_;
  std::map<std::string, RouteId, std::less<>> route_ids_;  ///< by name
  SeriesRecorder series_;
  std::unique_ptr<StallWatcher> watcher_;
};

/// A new random boot id: 16 hexadecimal digits.
std::string make_boot_id();
/// Nanoseconds of the Unix epoch.
std::int64_t wall_now_ns() noexcept;

}  // namespace equinox::telemetry
