#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <equinox/snapshot.hpp>
#include <memory>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "telemetry/cell.hpp"
#include "telemetry/latency_histogram.hpp"
#include "telemetry/request_series.hpp"
#include "telemetry/route_cells.hpp"

namespace equinox::telemetry {

/// One finished request as the server knows it. Views are read during the call only.
struct RequestSample {
  RouteId route{kRouteUnmatched};
  std::uint8_t method{0};   ///< as equinox::Method
  std::uint8_t version{1};  ///< as equinox::HttpVersion
  std::uint8_t scheme{0};   ///< as equinox::Scheme
  ErrorType error{ErrorType::none};
  Protocol protocol{Protocol::unknown};
  std::uint16_t status{0};  ///< 0: no answer was begun
  std::array<std::int64_t, kCount<RequestPhase>> phases_ns{};
  std::int64_t total_ns{0};        ///< the sum of the phases
  std::int64_t first_byte_ns{-1};  ///< head complete → first response byte; -1: none was sent
  std::int64_t wall_ns{0};         ///< now, nanoseconds of the Unix epoch; read once per turn
  ConnectionId connection{};
  StreamId stream{0};
  std::uint64_t received_bytes{0};  ///< body
  std::uint64_t sent_bytes{0};      ///< body
  std::string_view request_id{};
  std::string_view trace_id{};
  std::string_view target{};
};

/// HTTP/2 counts since they were last handed over; the arrays are as long as kH2FrameLabels and kH2ErrorLabels.
struct Http2Deltas {
  std::span<const std::uint32_t> frames_received, frames_sent;
  std::span<const std::uint32_t> resets_received, resets_sent;
  std::span<const std::uint32_t> goaways_received, goaways_sent;
  std::uint32_t streams_opened{0};
  std::uint64_t ping_rtt_ns{0};  ///< 0: none measured
  std::uint64_t stream_blocked_ns{0};
  std::uint64_t connection_blocked_ns{0};
};

/// What TCP_INFO said when a connection ended (or was sampled).
struct TcpSample {
  std::uint32_t rtt_us{0};  ///< 0: not known
  std::uint32_t retransmits{0};
  std::uint64_t receiver_limited_us{0};
  std::uint64_t send_buffer_limited_us{0};
};

/// One turn of a reactor's loop.
struct LoopTurn {
  std::int64_t wait_ns{0};
  std::int64_t busy_ns{0};
  std::uint32_t events{0};    ///< ready events of this wakeup
  std::int64_t wall_ns{0};    ///< now
  std::int64_t steady_ns{0};  ///< now
};

/// The counters of one reactor. Every member is for the owning reactor's thread, costs a few loads and stores, never
/// locks, and allocates only when a series or a block of routes is seen for the first time. Others read by add_to().
class ReactorStats {
 public:
  /// @param listeners  how many there are; indices beyond are counted under the last
  /// @param routes     greatest number of route ids, the two reserved ones included
  ReactorStats(std::size_t listeners, std::size_t routes, SeriesDirectory& directory);
  ReactorStats(const ReactorStats&) = delete;
  ReactorStats& operator=(const ReactorStats&) = delete;

  // Connections
  void accepted(std::uint16_t listener) noexcept { at(listener).accepted.add(); }
  void rejected(std::uint16_t listener, ConnectionRejectReason reason, std::uint64_t count = 1) noexcept {
    at(listener).rejected[index_of(reason)].add(count);
  }
  /// Gauges by state: each connection enters exactly one cell and leaves it again. set_state also serves a change of
  /// protocol.
  void opened(std::uint16_t listener, Protocol protocol, ConnectionState state) noexcept {
    at(listener).entered[index_of(protocol)][index_of(state)].add();
  }
  void set_state(std::uint16_t listener, Protocol old_protocol, ConnectionState old_state, Protocol protocol,
                 ConnectionState state) noexcept {
    at(listener).left[index_of(old_protocol)][index_of(old_state)].add();
    at(listener).entered[index_of(protocol)][index_of(state)].add();
  }
  void left(std::uint16_t listener, Protocol protocol, ConnectionState state) noexcept {
    at(listener).left[index_of(protocol)][index_of(state)].add();
  }
  /// The end of a connection: reason, lifetime and requests. Does not touch the gauges (left() does).
  void closed(Protocol protocol, CloseReason reason, std::int64_t age_ns, std::uint32_t requests) noexcept;
  void evicted(Protocol protocol, EvictionPhase phase) noexcept {
    totals_.evicted[index_of(protocol)][index_of(phase)].add();
  }
  /// What passed a connection's socket since it was said last.
  void moved(Protocol protocol, std::uint64_t received_bytes, std::uint64_t sent_bytes) noexcept {
    totals_.received_bytes[index_of(protocol)].add(received_bytes);
    totals_.sent_bytes[index_of(protocol)].add(sent_bytes);
  }
  /// Bytes queued for peers that read slowly: say how a connection's amount changed.
  void output_pending(std::uint64_t before, std::uint64_t after) noexcept {
    if (after > before) totals_.output_pending[0].add(after - before);
    if (before > after) totals_.output_pending[1].add(before - after);
  }

  // Requests
  void request_started(std::uint8_t method, std::uint8_t scheme) noexcept {
    totals_.requests_started[method][scheme].add();
  }
  /// The route is known (may come after request_started); request_finished expects that it was said.
  void route_entered(RouteId route) noexcept { routes_.at(route).started.add(); }

  struct Placed {
    std::uint32_t series;  ///< slot in the directory
    /// Of the measures of LatencyMap; that of the first byte is 0 too when none was sent.
    std::array<std::uint8_t, LatencyMap::kMeasures> buckets;
    [[nodiscard]] std::uint8_t bucket() const noexcept { return buckets[0]; }  ///< of the duration histogram
  };
  /// Counts a request at its end: latency, phases, bytes, errors, route.
  Placed request_finished(const RequestSample& sample) noexcept;
  void slow_request(RouteId route) noexcept { routes_.at(route).slow.add(); }
  void request_rejected(Protocol protocol, RequestRejectReason reason, std::uint64_t count = 1) noexcept {
    totals_.rejected_requests[index_of(protocol)][index_of(reason)].add(count);
  }
  void upgraded(Upgrade to) noexcept { totals_.upgrades[index_of(to)].add(); }
  void request_held() noexcept { totals_.h2_requests_held.add(); }
  /// Body sizes are off unless asked for.
  void record_body_sizes(bool on) noexcept { body_sizes_ = on; }

  // TLS
  void tls_started() noexcept { totals_.tls_handshakes_started.add(); }
  void tls_finished(TlsVersion version, bool resumed, Alpn alpn, TlsCipher cipher, std::int64_t duration_ns) noexcept;
  void tls_failed(TlsFailure reason) noexcept {
    totals_.tls_handshakes_ended.add();
    totals_.tls_failures[index_of(reason)].add();
  }
  /// A handshake ended with the connection, for a reason that is not a failure of TLS.
  void tls_abandoned() noexcept { totals_.tls_handshakes_ended.add(); }

  // HTTP/2
  void http2(const Http2Deltas& deltas) noexcept;
  void http2_connection_closed(std::uint32_t streams_peak) noexcept {
    totals_.h2_streams_peak.observe<kStreamsEdges>(streams_peak);
  }
  /// The open streams of a connection, by what the peer still has to say. Those whose answer is complete are none: the
  /// rest of their request is refused at once, so there is nothing to enter half_closed_local.
  struct OpenStreams {
    std::uint32_t open{0};
    std::uint32_t half_closed_remote{0};
  };
  void http2_streams(const OpenStreams& before, const OpenStreams& after) noexcept {
    move(totals_.h2_streams[0], before.open, after.open);
    move(totals_.h2_streams[2], before.half_closed_remote, after.half_closed_remote);
  }

  // TCP, log
  void tcp(const TcpSample& sample) noexcept;
  void rtt(std::uint32_t rtt_us) noexcept { totals_.tcp_rtt.observe<kRttEdges>(std::uint64_t{rtt_us} * 1000); }
  void log_dropped(LogChannel log, std::uint64_t lines = 1) noexcept { totals_.log_dropped[index_of(log)].add(lines); }

  // Loop
  void turn(const LoopTurn& turn) noexcept;
  void timer_lag(std::int64_t lag_ns) noexcept {
    loop_.timer_lag.observe<kLoopEdges>(lag_ns > 0 ? static_cast<std::uint64_t>(lag_ns) : 0);
  }
  void cpu(std::uint64_t thread_cpu_ns) noexcept { loop_.cpu_ns.set(thread_cpu_ns); }
  void connections(std::uint64_t open) noexcept { loop_.connections.set(open); }
  void stalled(StallCause cause, std::int64_t duration_ns) noexcept;
  /// There will be no further turn: as before the first, silence is no stall.
  void ended() noexcept { loop_.last_iteration_ns.set(0); }

  // Any thread
  void add_to(ServerSnapshot& into) const;
  void add_loop_to(ReactorTotals& into) const noexcept;
  /// Steady nanoseconds of the last turn; 0 before the first and once the thread has ended.
  [[nodiscard]] std::int64_t last_iteration_ns() const noexcept {
    return static_cast<std::int64_t>(loop_.last_iteration_ns.get());
  }
  [[nodiscard]] std::uint64_t open_connections() const noexcept { return loop_.connections.get(); }
  /// Adds this reactor's part of the request family in directory slot `slot`.
  void add_series_to(std::size_t slot, DurationValue& into) const noexcept { series_.add_to(slot, into); }

 private:
  struct ListenerCells {
    Cell accepted;
    std::array<Cell, kCount<ConnectionRejectReason>> rejected;
    std::array<std::array<Cell, kCount<ConnectionState>>, kCount<Protocol>> entered;
    std::array<std::array<Cell, kCount<ConnectionState>>, kCount<Protocol>> left;
  };
  struct LoopCells {
    Cell busy_ns, wait_ns, cpu_ns, wakeups, events, connections, last_iteration_wall_ns, last_iteration_ns;
    std::array<Cell, kCount<StallCause>> stalls, stall_ns;
    HistogramCells<kLoopEdges.size()> iteration, timer_lag;
  };

  static void move(std::array<Cell, 2>& entered_left, std::uint32_t before, std::uint32_t after) noexcept {
    if (after > before) entered_left[0].add(after - before);
    if (before > after) entered_left[1].add(before - after);
  }
  ListenerCells& at(std::uint16_t listener) noexcept {
    return listeners_[listener < listener_count_ ? listener : listener_count_ - 1];
  }

  std::size_t listener_count_;
  bool body_sizes_{false};
  std::unique_ptr<ListenerCells[]> listeners_;
  RouteTable routes_;
  RequestSeriesCells series_;
  LoopCells loop_;
  TrafficTotals<Cell, HistogramCells> totals_;
};

}  // namespace equinox::telemetry
