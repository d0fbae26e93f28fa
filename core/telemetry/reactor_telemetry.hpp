#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <equinox/record.hpp>
#include <equinox/snapshot.hpp>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "telemetry/activity.hpp"
#include "telemetry/cell_samples.hpp"
#include "telemetry/connection_record.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/exemplars.hpp"
#include "telemetry/history.hpp"
#include "telemetry/pool_cells.hpp"
#include "telemetry/turn_watch.hpp"

namespace equinox::telemetry {

/// Capacities are per process and split over the reactors.
struct TelemetryOptions {
  std::size_t reactors{1};
  std::size_t listeners{1};
  std::size_t connections_per_reactor{100'000};  ///< greatest slot index + 1
  std::size_t routes_max{8192};  ///< names over the whole life, reloads included; one takes memory once it is asked for
  std::size_t series_budget{150};
  std::size_t closed{50'000};
  std::size_t slow{2'000};
  std::size_t samples{20'000};  ///< besides what every cell of the latency map is promised
  std::size_t recent{8'000};
  std::size_t timeline{50'000};
  std::size_t stalls{1'000};
  std::int64_t slow_threshold_ns{500'000'000};
  std::int64_t stall_threshold_ns{75'000'000};
  std::uint32_t recent_per_second{500};  ///< requests kept in the recent ring; beyond: only one per bucket and second
  bool observe{true};                    ///< samples, timeline and slow log; counters are always kept
  bool body_sizes{false};
};

/// How a connection ended, as far as its record does not say it already.
struct CloseFacts {
  CloseReason reason{CloseReason::client_fin_idle};
  CloseDetail detail{CloseDetail::none};
  DeadlineKind timer{DeadlineKind::none};  ///< that fired
  std::uint32_t timer_ms{0};               ///< its value
  int os_errno{0};
  int tls_alert{-1};
  bool tls_alert_sent{false};
  bool has_h2_error{false};
  std::uint32_t h2_error_code{0};
  std::uint32_t last_stream{0};
  std::uint16_t status{0};                        ///< of the newest answer
  std::optional<RequestRejectReason> rejected{};  ///< why that was a refusal, where it ended the connection
  std::string_view actor{};                       ///< administrative closes
  std::int64_t ended_ns{0};                       ///< when nothing but the peer's own end was awaited; 0: now
  std::uint32_t rtt_us{0};                        ///< 0: the record's
  std::uint32_t retransmits{0};
};

/// Everything one reactor tells about itself: counters, records, rings, what it is doing. Writer members are for that
/// reactor's thread only and never lock; per request they never allocate.
class ReactorTelemetry {
 public:
  /// @param closed_sequence  shared by the reactors of a server: orders the closes
  ReactorTelemetry(ReactorIndex index, const TelemetryOptions& options, SeriesDirectory& directory,
                   std::atomic<std::uint64_t>& closed_sequence);
  ReactorTelemetry(const ReactorTelemetry&) = delete;
  ReactorTelemetry& operator=(const ReactorTelemetry&) = delete;

  [[nodiscard]] ReactorStats& stats() noexcept { return stats_; }
  [[nodiscard]] const ReactorStats& stats() const noexcept { return stats_; }
  [[nodiscard]] PoolCells& pools() noexcept { return pools_; }
  /// Mail from other threads that waits for this reactor; they write it.
  [[nodiscard]] std::atomic<std::size_t>& mailbox_length() noexcept { return mailbox_length_; }
  [[nodiscard]] const PoolCells& pools() const noexcept { return pools_; }

  // Connections. The slot index is the connection table's (ConnectionId::index()).
  /// A connection exists: publishes its record, counts it as accepted and enters its state. The record stays where it
  /// is; it is the connection's until close().
  RecordSlot& open(ConnectionId id, const RecordHot& hot, const RecordCold& cold, std::int64_t wall_ns);
  /// The record of an open connection, or none.
  [[nodiscard]] RecordSlot* find(ConnectionId id) noexcept;
  /// Once a turn. Moves the gauges by state and protocol and the timeline along; pending bytes, open streams and
  /// evictions are told to stats() by whoever knows them.
  void publish(RecordSlot& slot, ConnectionId id, const RecordHot& hot, std::uint64_t memory_bytes,
               std::int64_t wall_ns) noexcept {
    if (slot.own_state() != hot.state || slot.own_protocol() != hot.protocol) move_gauges(slot, id, hot, wall_ns);
    slot.write_hot(hot, memory_bytes);
  }
  /// The sample of TCP_INFO in the record is missing or old, and the connection no longer new.
  [[nodiscard]] static bool is_sample_due(const RecordSlot& slot, std::int64_t now_ns) noexcept {
    return now_ns - std::max(slot.own_opened_ns(), slot.own_sampled_ns()) >= kSecondNs;
  }
  /// The connection is over: frees the record, leaves the gauges, counts the reason (as an eviction by pressure when it
  /// is connection_limit) and keeps a ClosedRecord. `last` is the final state of the hot half.
  void close(RecordSlot& slot, ConnectionId id, const RecordHot& last, const CloseFacts& facts, std::int64_t now_ns,
             std::int64_t wall_ns) noexcept;

  // Requests
  /// Counts, keeps exemplar, samples, recent and slow entries.
  void request_finished(const RequestSample& sample) noexcept;

  // Loop
  /// The thread that owns this has begun.
  void thread_began() noexcept { watch_.set_clock(); }
  /// It has ended, and others may go on: what does not turn any more is no stall.
  void thread_ended() noexcept {
    watch_.begin(0);
    stats_.ended();
  }
  /// A turn has begun: events were waited for.
  void turn_began(std::int64_t now_ns) noexcept { watch_.begin(now_ns); }
  /// What the turn is at, for the watcher: one store.
  void doing(StallCause what) noexcept { watch_.doing(what); }
  /// Whose work it is, likewise; none: nobody's in particular.
  void serving(ConnectionId whom) noexcept { watch_.serving(whom); }
  /// Around whatever may block and has a culprit to name: handlers.
  void begin_activity(StallCause cause, RouteId route, std::uint8_t method, ConnectionId connection, StreamId stream,
                      std::int64_t now_ns) noexcept {
    activity_.begin({now_ns, connection.packed(), stream, route, cause, method});
  }
  void end_activity(std::int64_t now_ns) noexcept { activity_.end(now_ns); }
  /// At the end of each turn: counts it, and records a stall when it took longer than the threshold.
  /// The stall enters its ring with the next turn, which knows how many events had become ready meanwhile.
  void turn(const LoopTurn& turn) noexcept;

  // Any thread
  [[nodiscard]] ReactorIndex index() const noexcept { return index_; }
  [[nodiscard]] const RecordSlab& records() const noexcept { return slab_; }
  [[nodiscard]] const HistoryRing<ClosedRecord>& closed_ring() const noexcept { return closed_; }
  [[nodiscard]] const HistoryRing<RequestRecord>& slow_ring() const noexcept { return slow_; }
  [[nodiscard]] const CellSamples& cell_samples() const noexcept { return samples_; }
  [[nodiscard]] const HistoryRing<RequestRecord>& recent_ring() const noexcept { return recent_; }
  [[nodiscard]] const HistoryRing<StateChange>& timeline_ring() const noexcept { return timeline_; }
  [[nodiscard]] const HistoryRing<StallRecord>& stall_ring() const noexcept { return stalls_; }
  [[nodiscard]] const ActivityCell& activity() const noexcept { return activity_; }
  [[nodiscard]] const TurnWatch& turn_watch() const noexcept { return watch_; }
  /// The watcher's thread only.
  void tell_seen(const SeenTurn& seen) noexcept { watch_.tell(seen); }
  void add_to(ServerSnapshot& into) const;
  [[nodiscard]] std::int64_t stall_threshold_ns() const noexcept {
    return stall_threshold_ns_.load(std::memory_order_relaxed);
  }

  /// Thresholds may change by a reload; owner's thread only.
  void set_thresholds(std::int64_t slow_ns, std::int64_t stall_ns) noexcept {
    slow_threshold_ns_ = slow_ns;
    stall_threshold_ns_.store(stall_ns, std::memory_order_relaxed);
  }

 private:
  void keep_request(const RequestSample& sample, const ReactorStats::Placed& placed, bool slow,
                    CellSamples::Keep keep) noexcept;
  void note_state(ConnectionId id, Protocol protocol, ConnectionState state, std::int64_t wall_ns) noexcept;
  void move_gauges(const RecordSlot& slot, ConnectionId id, const RecordHot& hot, std::int64_t wall_ns) noexcept;
  [[nodiscard]] StallRecord describe_stall(const LoopTurn& turn) noexcept;

  ReactorIndex index_;
  bool observe_;
  std::int64_t slow_threshold_ns_;
  std::atomic<std::int64_t> stall_threshold_ns_;
  std::uint32_t recent_per_second_;
  std::uint32_t recent_left_{0};
  std::int64_t recent_second_{0};
  ReactorStats stats_;
  RecordSlab slab_;
  ExemplarCells exemplars_;
  PoolCells pools_;
  std::atomic<std::size_t> mailbox_length_{0};
  ActivityCell activity_;
  TurnWatch watch_;
  std::atomic<std::uint64_t>& closed_sequence_;
  StallRecord pending_stall_;
  HistoryRing<ClosedRecord> closed_;
  HistoryRing<RequestRecord> slow_;
  CellSamples samples_;
  HistoryRing<RequestRecord> recent_;
  HistoryRing<StateChange> timeline_;
  HistoryRing<StallRecord> stalls_;
};

}  // namespace equinox::telemetry
