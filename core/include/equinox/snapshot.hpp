#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>
#include <equinox/record.hpp>
#include <equinox/vocabulary.hpp>
#include <span>
#include <string>
#include <vector>

/// The totals as plain values. Everything is counted since the start of the server.
namespace equinox {

/// Upper bounds in nanoseconds; one more bucket lies above the last.
inline constexpr std::array<std::uint64_t, 19> kDurationEdges{
    100'000,       250'000,       500'000,       1'000'000,     2'500'000,     5'000'000,   10'000'000,
    25'000'000,    50'000'000,    75'000'000,    100'000'000,   250'000'000,   500'000'000, 750'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 7'500'000'000, 10'000'000'000};
inline constexpr std::array<std::uint64_t, 9> kLifetimeEdges{10'000'000,        100'000'000,       1'000'000'000,
                                                             10'000'000'000,    60'000'000'000,    300'000'000'000,
                                                             1'800'000'000'000, 7'200'000'000'000, 43'200'000'000'000};
inline constexpr std::array<std::uint64_t, 11> kLoopEdges{10'000,      50'000,      100'000,      500'000,
                                                          1'000'000,   5'000'000,   10'000'000,   50'000'000,
                                                          100'000'000, 500'000'000, 1'000'000'000};
inline constexpr std::array<std::uint64_t, 10> kEventsEdges{1, 2, 4, 8, 16, 32, 64, 128, 256, 512};
inline constexpr std::array<std::uint64_t, 5> kRequestsEdges{1, 10, 100, 1'000, 10'000};
inline constexpr std::array<std::uint64_t, 8> kStreamsEdges{1, 2, 5, 10, 25, 50, 100, 250};
inline constexpr std::array<std::uint64_t, 8> kSizeEdges{100,       1'000,      10'000,      100'000,
                                                         1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
inline constexpr std::array<std::uint64_t, 10> kRttEdges{100'000,     500'000,      1'000'000,  5'000'000,
                                                         10'000'000,  25'000'000,   50'000'000, 100'000'000,
                                                         250'000'000, 1'000'000'000};

/// Buckets are not cumulative; `sum` has the unit of the edges.
template <std::size_t Edges>
struct HistogramValue {
  std::array<std::uint64_t, Edges + 1> buckets{};
  std::uint64_t sum{0};
  [[nodiscard]] std::uint64_t count() const noexcept {
    std::uint64_t total = 0;
    for (const auto bucket : buckets) total += bucket;
    return total;
  }
};
using DurationValue = HistogramValue<kDurationEdges.size()>;

/// The map of requests by duration: steps of time by buckets, for each of some measures. Every cell of it that counted
/// a request can show one, so each reactor keeps as many as its cells can ask for.
struct LatencyMap {
  static constexpr std::int64_t kStepSeconds = 15;
  static constexpr std::int64_t kReachSeconds = 900;
  static constexpr std::size_t kMeasures = 4;  ///< in all, to the first byte, in the queue, in the handler
  static constexpr std::size_t kBuckets = kDurationEdges.size() + 1;
  static constexpr std::size_t kSteps = kReachSeconds / kStepSeconds + 1;  ///< the one that runs is not whole
  static constexpr std::size_t kSamplesPerReactor = 2 * kSteps * kMeasures * kBuckets;
};

/// Quantile 0–1 by linear interpolation in its bucket, in the unit of the edges; 0 when empty. Values above the last
/// edge give the last edge.
double quantile(double q, std::span<const std::uint64_t> edges, std::span<const std::uint64_t> buckets) noexcept;

/// One series of the request family, merged over the reactors.
struct RequestSeries {
  RouteId route{0};
  std::uint8_t method{0};
  std::uint16_t status{0};
  std::uint8_t version{0};
  std::uint8_t scheme{0};
  ErrorType error{ErrorType::none};
  DurationValue duration;
};

/// A request that landed in a bucket of a series.
struct Exemplar {
  std::uint32_t series{0};  ///< index into ServerSnapshot::requests
  std::uint32_t bucket{0};
  std::uint64_t value_ns{0};
  std::int64_t at_wall_ns{0};
  std::uint64_t connection{0};
  StreamId stream{0};
  FixedText<64> request_id;
  FixedText<32> trace_id;
};

struct RouteTotals {
  std::uint64_t started{0};
  std::uint64_t finished{0};
  std::uint64_t errors{0};  ///< 5xx and failures
  std::uint64_t slow{0};
  std::uint64_t received_bytes{0};
  std::uint64_t sent_bytes{0};
  std::int64_t last_hit_wall_ns{0};
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return started > finished ? started - finished : 0; }
};

struct ListenerTotals {
  std::uint64_t accepted{0};
  std::array<std::uint64_t, kCount<ConnectionRejectReason>> rejected{};
  /// Open connections now, [protocol][state].
  std::array<std::array<std::uint64_t, kCount<ConnectionState>>, kCount<Protocol>> open{};
  [[nodiscard]] std::uint64_t open_total() const noexcept {
    std::uint64_t total = 0;
    for (const auto& by_state : open) {
      for (const auto count : by_state) total += count;
    }
    return total;
  }
};

/// One reactor's loop.
struct ReactorTotals {
  std::uint64_t busy_ns{0};
  std::uint64_t wait_ns{0};
  std::uint64_t cpu_ns{0};
  std::uint64_t wakeups{0};
  std::uint64_t events{0};
  std::uint64_t connections{0};
  std::uint64_t mailbox_length{0};
  std::int64_t last_iteration_wall_ns{0};
  std::int64_t last_iteration_ns{0};  ///< steady clock
  std::array<std::uint64_t, kCount<StallCause>> stalls{};
  std::array<std::uint64_t, kCount<StallCause>> stall_ns{};
  HistogramValue<kLoopEdges.size()> iteration;  ///< of this reactor alone
  HistogramValue<kLoopEdges.size()> timer_lag;
};

struct RingTotals {
  std::uint64_t entries{0};
  std::uint64_t capacity{0};
  std::uint64_t written{0};            ///< overwritten = written − entries
  std::int64_t oldest_wall_ns{0};      ///< of the oldest entry; 0: there is none
  std::int64_t whole_from_wall_ns{0};  ///< nothing from then on was overwritten, in any reactor's part; 0: nothing was
  /// How far back it may be relied upon. A part that is rarely written holds older entries, and says nothing of others.
  [[nodiscard]] std::int64_t reach_wall_ns() const noexcept {
    return whole_from_wall_ns != 0 ? whole_from_wall_ns : oldest_wall_ns;
  }
};

/// Everything that is summed over reactors without further structure. `T` is an atomic cell inside the server and a
/// plain number in a snapshot; each member is one entry of the list in zip_totals().
template <typename T, template <std::size_t> class H>
struct TrafficTotals {
  template <std::size_t N>
  using Row = std::array<T, N>;

  std::array<Row<kCloseReasons>, kCount<Protocol>> closed;
  std::array<Row<kCount<EvictionPhase>>, kCount<Protocol>> evicted;
  std::array<std::array<H<kLifetimeEdges.size()>, kCount<Initiator>>, kCount<Protocol>> lifetime;
  std::array<H<kRequestsEdges.size()>, kCount<Protocol>> requests_per_connection;
  Row<kCount<Protocol>> received_bytes;
  Row<kCount<Protocol>> sent_bytes;
  std::array<Row<2>, 10> requests_started;   ///< [method][scheme]
  std::array<Row<2>, 10> requests_finished;  ///< [method][scheme]
  std::array<Row<kCount<RequestRejectReason>>, kCount<Protocol>> rejected_requests;
  std::array<H<kDurationEdges.size()>, 3> first_byte;                                ///< [version]
  std::array<std::array<H<kDurationEdges.size()>, 3>, kCount<RequestPhase>> phases;  ///< [phase][version]
  std::array<std::array<H<kSizeEdges.size()>, 3>, 10> request_body;  ///< [method][version]; off by default
  std::array<std::array<H<kSizeEdges.size()>, 3>, 10> response_body;
  Row<kCount<Upgrade>> upgrades;
  T series_folded;  ///< requests counted under _other: the family's budget or the room for names was full
  // TLS
  std::array<std::array<H<kDurationEdges.size()>, 2>, kCount<TlsVersion>> tls_handshake;  ///< [version][resumed]
  T tls_handshakes_started;
  T tls_handshakes_ended;
  Row<kCount<TlsFailure>> tls_failures;
  std::array<Row<kCount<Alpn>>, kCount<TlsVersion>> tls_connections;
  Row<kCount<TlsCipher>> tls_ciphers;
  // HTTP/2
  std::array<Row<11>, kCount<Direction>> h2_frames;
  std::array<Row<15>, kCount<Direction>> h2_resets;
  std::array<Row<15>, kCount<Direction>> h2_goaways;
  T h2_streams_opened;
  T h2_requests_held;                ///< whose handler waited until earlier answers of its connection had gone
  std::array<Row<2>, 3> h2_streams;  ///< [open, half_closed_local, half_closed_remote][entered, left]
  T h2_connection_blocked_ns;
  T h2_stream_blocked_ns;
  H<kRttEdges.size()> h2_ping_rtt;
  H<kStreamsEdges.size()> h2_streams_peak;
  // TCP and output
  H<kRttEdges.size()> tcp_rtt;
  T tcp_retransmits;
  T tcp_receiver_limited_us;
  T tcp_send_buffer_limited_us;
  Row<2> output_pending;  ///< [entered, left] bytes
  // loop
  H<kEventsEdges.size()> events_per_wakeup;
  // log
  Row<kCount<LogChannel>> log_dropped;
};

/// Calls f(member of a, member of b) for each member; the one list of all members.
template <typename A, typename B, typename F>
void zip_totals(A& a, B& b, F&& f) {
  f(a.closed, b.closed);
  f(a.evicted, b.evicted);
  f(a.lifetime, b.lifetime);
  f(a.requests_per_connection, b.requests_per_connection);
  f(a.received_bytes, b.received_bytes);
  f(a.sent_bytes, b.sent_bytes);
  // Finished before started: a request that ends in between must not make the difference negative.
  f(a.requests_finished, b.requests_finished);
  f(a.requests_started, b.requests_started);
  f(a.rejected_requests, b.rejected_requests);
  f(a.first_byte, b.first_byte);
  f(a.phases, b.phases);
  f(a.request_body, b.request_body);
  f(a.response_body, b.response_body);
  f(a.upgrades, b.upgrades);
  f(a.series_folded, b.series_folded);
  f(a.tls_handshake, b.tls_handshake);
  f(a.tls_handshakes_ended, b.tls_handshakes_ended);
  f(a.tls_handshakes_started, b.tls_handshakes_started);
  f(a.tls_failures, b.tls_failures);
  f(a.tls_connections, b.tls_connections);
  f(a.tls_ciphers, b.tls_ciphers);
  f(a.h2_frames, b.h2_frames);
  f(a.h2_resets, b.h2_resets);
  f(a.h2_goaways, b.h2_goaways);
  f(a.h2_streams_opened, b.h2_streams_opened);
  f(a.h2_requests_held, b.h2_requests_held);
  f(a.h2_streams, b.h2_streams);
  f(a.h2_connection_blocked_ns, b.h2_connection_blocked_ns);
  f(a.h2_stream_blocked_ns, b.h2_stream_blocked_ns);
  f(a.h2_ping_rtt, b.h2_ping_rtt);
  f(a.h2_streams_peak, b.h2_streams_peak);
  f(a.tcp_rtt, b.tcp_rtt);
  f(a.tcp_retransmits, b.tcp_retransmits);
  f(a.tcp_receiver_limited_us, b.tcp_receiver_limited_us);
  f(a.tcp_send_buffer_limited_us, b.tcp_send_buffer_limited_us);
  f(a.output_pending, b.output_pending);
  f(a.events_per_wakeup, b.events_per_wakeup);
  f(a.log_dropped, b.log_dropped);
}

/// Everything that can be counted, at one moment.
struct ServerSnapshot {
  std::int64_t taken_wall_ns{0};
  std::int64_t taken_ns{0};  ///< steady clock
  TrafficTotals<std::uint64_t, HistogramValue> totals{};
  std::vector<ListenerTotals> listeners;  ///< by listener index
  std::vector<RouteTotals> routes;        ///< by RouteId
  std::vector<RequestSeries> requests;
  std::vector<Exemplar> exemplars;
  std::vector<ReactorTotals> reactors;
  RingTotals ring_closed, ring_slow, ring_stalls, ring_samples, ring_cells, ring_recent, ring_timeline, ring_log;

  [[nodiscard]] std::uint64_t connections() const noexcept;
  [[nodiscard]] std::uint64_t connections(ConnectionState state) const noexcept;
  [[nodiscard]] std::uint64_t connections(Protocol protocol) const noexcept;
  [[nodiscard]] std::uint64_t accepted() const noexcept;
  [[nodiscard]] std::uint64_t rejected() const noexcept;
  [[nodiscard]] std::uint64_t closed() const noexcept;
  [[nodiscard]] std::uint64_t closed(CloseReason reason) const noexcept;
  [[nodiscard]] std::uint64_t evicted() const noexcept;
  [[nodiscard]] std::uint64_t requests_finished() const noexcept;
  [[nodiscard]] std::uint64_t requests_in_flight() const noexcept;
  [[nodiscard]] std::uint64_t received_bytes() const noexcept;
  [[nodiscard]] std::uint64_t sent_bytes() const noexcept;
  [[nodiscard]] std::uint64_t output_pending_bytes() const noexcept;
  [[nodiscard]] std::uint64_t h2_streams_open() const noexcept;
};

}  // namespace equinox
