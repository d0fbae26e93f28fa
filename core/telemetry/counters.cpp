#include "telemetry/counters.hpp"

#include <algorithm>

namespace equinox::telemetry {

namespace {

std::uint64_t unsigned_ns(std::int64_t ns) noexcept { return ns > 0 ? static_cast<std::uint64_t>(ns) : 0; }

void add_row(std::span<const std::uint32_t> deltas, std::span<Cell> into) noexcept {
  const auto count = std::min(deltas.size(), into.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (deltas[i] != 0) into[i].add(deltas[i]);
  }
}

/// Adds cells to numbers, whatever arrays of histograms or cells they are.
struct AddCells {
  void operator()(const Cell& from, std::uint64_t& into) const noexcept { into += from.get(); }
  template <std::size_t N>
  void operator()(const HistogramCells<N>& from, HistogramValue<N>& into) const noexcept {
    from.add_to(into);
  }
  template <typename A, typename B, std::size_t N>
  void operator()(const std::array<A, N>& from, std::array<B, N>& into) const noexcept {
    for (std::size_t i = 0; i < N; ++i) (*this)(from[i], into[i]);
  }
};

}  // namespace

ReactorStats::ReactorStats(std::size_t listeners, std::size_t routes, SeriesDirectory& directory)
    : listener_count_{std::max<std::size_t>(listeners, 1)},
      listeners_{std::make_unique<ListenerCells[]>(listener_count_)},
      routes_{routes},
      series_{directory} {}

void ReactorStats::closed(Protocol protocol, CloseReason reason, std::int64_t age_ns, std::uint32_t requests) noexcept {
  const auto p = index_of(protocol);
  totals_.closed[p][index_of(reason)].add();
  totals_.lifetime[p][index_of(initiator_of(reason))].observe<kLifetimeEdges>(unsigned_ns(age_ns));
  totals_.requests_per_connection[p].observe<kRequestsEdges>(requests);
}

ReactorStats::Placed ReactorStats::request_finished(const RequestSample& sample) noexcept {
  const auto total_ns = unsigned_ns(sample.total_ns);
  const auto bucket = BucketTable<kDurationEdges>::bucket(total_ns);
  const auto placed = series_.observe(
      {sample.route, sample.method, sample.status, sample.version, sample.scheme, sample.error}, total_ns, bucket);
  if (placed.folded) totals_.series_folded.add();
  std::size_t first_byte = 0;
  if (sample.first_byte_ns >= 0) {
    first_byte = totals_.first_byte[sample.version].observe<kDurationEdges>(unsigned_ns(sample.first_byte_ns));
  }
  std::array<std::size_t, kCount<RequestPhase>> phases;
#pragma GCC unroll 8
  for (std::size_t phase = 0; phase < kCount<RequestPhase>; ++phase) {
    auto& cells = totals_.phases[phase][sample.version];
    // Most requests spend nothing in most phases.
    if (sample.phases_ns[phase] <= 0) {
      cells.add_zero();
      phases[phase] = 0;
    } else {
      phases[phase] = cells.observe<kDurationEdges>(static_cast<std::uint64_t>(sample.phases_ns[phase]));
    }
  }
  totals_.requests_finished[sample.method][sample.scheme].add();
  auto& route = routes_.at(sample.route);
  route.finished.add();
  if (sample.status >= 500 || sample.error != ErrorType::none) route.errors.add();
  if (sample.received_bytes != 0) route.received_bytes.add(sample.received_bytes);
  route.sent_bytes.add(sample.sent_bytes);
  route.last_hit_wall_ns.set(static_cast<std::uint64_t>(sample.wall_ns));
  if (body_sizes_) {
    totals_.request_body[sample.method][sample.version].observe<kSizeEdges>(sample.received_bytes);
    totals_.response_body[sample.method][sample.version].observe<kSizeEdges>(sample.sent_bytes);
  }
  const auto small = [](std::size_t number) { return static_cast<std::uint8_t>(number); };
  return {placed.index,
          {small(bucket), small(first_byte), small(phases[index_of(RequestPhase::queue)]),
           small(phases[index_of(RequestPhase::handler)])}};
}

void ReactorStats::tls_finished(TlsVersion version, bool resumed, Alpn alpn, TlsCipher cipher,
                                std::int64_t duration_ns) noexcept {
  totals_.tls_handshakes_ended.add();
  totals_.tls_handshake[index_of(version)][resumed ? 1 : 0].observe<kDurationEdges>(unsigned_ns(duration_ns));
  totals_.tls_connections[index_of(version)][index_of(alpn)].add();
  totals_.tls_ciphers[index_of(cipher)].add();
}

void ReactorStats::http2(const Http2Deltas& deltas) noexcept {
  add_row(deltas.frames_received, totals_.h2_frames[0]);
  add_row(deltas.frames_sent, totals_.h2_frames[1]);
  add_row(deltas.resets_received, totals_.h2_resets[0]);
  add_row(deltas.resets_sent, totals_.h2_resets[1]);
  add_row(deltas.goaways_received, totals_.h2_goaways[0]);
  add_row(deltas.goaways_sent, totals_.h2_goaways[1]);
  if (deltas.streams_opened != 0) totals_.h2_streams_opened.add(deltas.streams_opened);
  if (deltas.ping_rtt_ns != 0) totals_.h2_ping_rtt.observe<kRttEdges>(deltas.ping_rtt_ns);
  if (deltas.stream_blocked_ns != 0) totals_.h2_stream_blocked_ns.add(deltas.stream_blocked_ns);
  if (deltas.connection_blocked_ns != 0) totals_.h2_connection_blocked_ns.add(deltas.connection_blocked_ns);
}

void ReactorStats::tcp(const TcpSample& sample) noexcept {
  if (sample.rtt_us != 0) rtt(sample.rtt_us);
  totals_.tcp_retransmits.add(sample.retransmits);
  totals_.tcp_receiver_limited_us.add(sample.receiver_limited_us);
  totals_.tcp_send_buffer_limited_us.add(sample.send_buffer_limited_us);
}

void ReactorStats::turn(const LoopTurn& turn) noexcept {
  loop_.wakeups.add();
  loop_.events.add(turn.events);
  loop_.wait_ns.add(unsigned_ns(turn.wait_ns));
  loop_.busy_ns.add(unsigned_ns(turn.busy_ns));
  loop_.iteration.observe<kLoopEdges>(unsigned_ns(turn.busy_ns));
  totals_.events_per_wakeup.observe<kEventsEdges>(turn.events);
  loop_.last_iteration_wall_ns.set(static_cast<std::uint64_t>(turn.wall_ns));
  loop_.last_iteration_ns.set(static_cast<std::uint64_t>(turn.steady_ns));
}

void ReactorStats::stalled(StallCause cause, std::int64_t duration_ns) noexcept {
  loop_.stalls[index_of(cause)].add();
  loop_.stall_ns[index_of(cause)].add(unsigned_ns(duration_ns));
}

void ReactorStats::add_to(ServerSnapshot& into) const {
  zip_totals(totals_, into.totals, AddCells{});
  into.listeners.resize(std::max(into.listeners.size(), listener_count_));
  for (std::size_t i = 0; i < listener_count_; ++i) {
    const auto& from = listeners_[i];
    auto& to = into.listeners[i];
    to.accepted += from.accepted.get();
    AddCells{}(from.rejected, to.rejected);
    for (std::size_t p = 0; p < kCount<Protocol>; ++p) {
      for (std::size_t s = 0; s < kCount<ConnectionState>; ++s) {
        // "Left" first: what leaves in between was then seen entering, so the difference is never negative.
        const auto left = from.left[p][s].get();
        const auto entered = from.entered[p][s].get();
        to.open[p][s] += entered > left ? entered - left : 0;
      }
    }
  }
  routes_.add_to(into.routes);
}

void ReactorStats::add_loop_to(ReactorTotals& into) const noexcept {
  into.busy_ns += loop_.busy_ns.get();
  into.wait_ns += loop_.wait_ns.get();
  into.cpu_ns += loop_.cpu_ns.get();
  into.wakeups += loop_.wakeups.get();
  into.events += loop_.events.get();
  into.connections += loop_.connections.get();
  into.last_iteration_wall_ns = static_cast<std::int64_t>(loop_.last_iteration_wall_ns.get());
  into.last_iteration_ns = static_cast<std::int64_t>(loop_.last_iteration_ns.get());
  AddCells{}(loop_.stalls, into.stalls);
  AddCells{}(loop_.stall_ns, into.stall_ns);
  loop_.iteration.add_to(into.iteration);
  loop_.timer_lag.add_to(into.timer_lag);
}

}  // namespace equinox::telemetry
