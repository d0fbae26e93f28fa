#include "admin-ui/api/overview.hpp"

#include <algorithm>
#include <cmath>

#include "admin-ui/api/drain.hpp"
#include "admin-ui/api/selection.hpp"
#include "admin-ui/api/series.hpp"
#include "admin-ui/api/state.hpp"

namespace equinox::admin {
namespace {

/// Shares and quantiles are over so many seconds: one alone is too few requests, a minute too late to be "now".
constexpr std::size_t kRecentSeconds = 10;

double error_ratio(const std::vector<SeriesPoint>& minute) {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;
  for (std::size_t i = minute.size() > kRecentSeconds ? minute.size() - kRecentSeconds : 0; i < minute.size(); ++i) {
    requests += minute[i].requests;
    errors += minute[i].errors_5xx;
  }
  return requests != 0 ? static_cast<double>(errors) / static_cast<double>(requests) : 0;
}

void add_rates(Json& out, const std::vector<SeriesPoint>& minute) {
  const SeriesPoint last = minute.empty() ? SeriesPoint{} : minute.back();
  std::uint64_t evictions = 0;
  std::array<std::uint64_t, kCount<EvictionPhase>> by_phase{};
  for (const SeriesPoint& point : minute) {
    evictions += point.evictions;
    for (std::size_t i = 0; i < by_phase.size(); ++i) by_phase[i] += point.evicted_by_phase[i];
  }
  out["accepted_per_second"] = last.accepted;
  out["closed_per_second"] = last.closed;
  out["requests_per_second"] = last.requests;
  out["error_ratio"] = error_ratio(minute);
  out["errors_5xx_per_second"] = last.errors_5xx;
  out["errors_4xx_per_second"] = last.errors_4xx;
  out["received_bytes_per_second"] = last.received_bytes;
  out["sent_bytes_per_second"] = last.sent_bytes;
  out["p50_seconds"] = quantile_json(minute, kRecentSeconds, 0.5);
  out["p99_seconds"] = quantile_json(minute, kRecentSeconds, 0.99);
  const auto& busy = last.reactor_busy_ratio;
  const auto rounded = [](double ratio) { return std::round(ratio * 10000) / 10000; };
  out["busy_ratio"] = rounded(last.busy_ratio());
  out["busy_min_ratio"] = busy.empty() ? 0.0 : rounded(*std::min_element(busy.begin(), busy.end()));
  out["busy_max_ratio"] = busy.empty() ? 0.0 : rounded(*std::max_element(busy.begin(), busy.end()));
  out["evictions_per_minute"] = evictions;
  Json phases = Json::object();
  for_each_word<EvictionPhase>([&](EvictionPhase phase) {
    if (by_phase[index_of(phase)] != 0) phases[std::string{to_string(phase)}] = by_phase[index_of(phase)];
  });
  out["evictions_by_phase"] = std::move(phases);
}

/// The log keeps one ring for all reactors and says only what it has forgotten.
std::int64_t log_reach(const State& state, const RingTotals& totals) {
  if (totals.entries == 0) return 0;
  const std::int64_t forgotten = state.view.log(ConnectionId{}, 0).from_wall_ns;
  return forgotten != 0 ? forgotten : state.view.identity().started_wall_ns;
}

Json ring_json(const RingTotals& totals, std::int64_t reach_wall_ns) {
  return {{"entries", totals.entries}, {"capacity", totals.capacity}, {"oldest_at", moment_or_null(reach_wall_ns)}};
}

Json rings_json(const State& state, const ServerSnapshot& snapshot) {
  const auto ring = [](const RingTotals& totals) { return ring_json(totals, totals.reach_wall_ns()); };
  // One history in two rings: the longer of them is what a cell of the map can still show.
  RingTotals kept = snapshot.ring_samples;
  kept.entries += snapshot.ring_cells.entries;
  kept.capacity += snapshot.ring_cells.capacity;
  const std::int64_t cells = snapshot.ring_cells.reach_wall_ns();
  const std::int64_t samples = snapshot.ring_samples.reach_wall_ns();
  const std::vector<SeriesPoint> series = state.view.series(0);
  const auto first = std::find_if(series.begin(), series.end(), [](const SeriesPoint& p) { return p.recorded; });
  RingTotals points;
  points.entries = static_cast<std::uint64_t>(series.end() - first);
  points.capacity = kSeriesSeconds;
  return {{"closed", ring(snapshot.ring_closed)},
          {"slow", ring(snapshot.ring_slow)},
          {"stalls", ring(snapshot.ring_stalls)},
          {"samples", ring_json(kept, samples == 0 || (cells != 0 && cells < samples) ? cells : samples)},
          {"recent", ring(snapshot.ring_recent)},
          {"events", ring(snapshot.ring_timeline)},
          {"log", ring_json(snapshot.ring_log, log_reach(state, snapshot.ring_log))},
          {"series", ring_json(points, first == series.end() ? 0 : first->at_wall_ns)}};
}

Json listeners_json(const Sample& sample) {
  Json out = Json::array();
  for (std::size_t i = 0; i < sample.live.listeners.size(); ++i) {
    const ListenerFacts& facts = sample.live.listeners[i];
    Json row{{"name", facts.name}, {"address", facts.address}, {"tls", facts.tls}};
    row["connections"] = i < sample.snapshot.listeners.size() ? sample.snapshot.listeners[i].open_total() : 0;
    row["accept_queue_length"] = facts.accept_queue_length ? Json(*facts.accept_queue_length) : Json{};
    row["accept_queue_limit"] = facts.accept_queue_limit ? Json(*facts.accept_queue_limit) : Json{};
    out.push_back(std::move(row));
  }
  return out;
}

Json limits_json(const State& state, const LiveFacts& live) {
  Json out{{"connections", live.connections_limit},
           {"http2_concurrent_streams", live.h2_concurrent_streams},
           {"viewers", state.options.stream_clients_max},
           {"slow_request_seconds", seconds(live.slow_threshold_ns)},
           {"stall_seconds", seconds(live.stall_threshold_ns)}};
  for (const TimeoutFacts& timeout : live.timeouts) {
    if (timeout.kind == DeadlineKind::idle) out["idle_timeout_seconds"] = seconds(timeout.timeout_ns);
  }
  return out;
}

}  // namespace

Json quantile_json(const std::vector<SeriesPoint>& points, std::size_t last, double q) {
  std::array<std::uint64_t, SeriesPoint::kBuckets> sum{};
  for (std::size_t i = points.size() > last ? points.size() - last : 0; i < points.size(); ++i) {
    const auto buckets = points[i].duration_all();
    for (std::size_t b = 0; b < sum.size(); ++b) sum[b] += buckets[b];
  }
  if (std::all_of(sum.begin(), sum.end(), [](auto count) { return count == 0; })) return {};
  return quantile(q, kDurationEdges, sum) / 1e9;
}

Sample Sample::of(const ServerView& view, const Moment& now) {
  Sample out{now, view.snapshot(), view.live(), {}, 0};
  // The newest second may not be closed yet.
  for (SeriesPoint& point : view.series(now.wall_ns - 62 * kSecondNs)) {
    if (point.recorded) out.minute.push_back(std::move(point));
  }
  if (out.minute.size() > 60) out.minute.erase(out.minute.begin(), out.minute.end() - 60);
  for (const ReactorFacts& reactor : view.reactors()) out.reactors_stalled += reactor.stall.has_value() ? 1U : 0U;
  return out;
}

Json overview_json(const State& state, const Sample& sample) {
  std::array<std::uint64_t, kCount<ConnectionState>> by_state{};
  std::array<std::uint64_t, kCount<Protocol>> by_protocol{};
  for_each_word<ConnectionState>([&](ConnectionState s) { by_state[index_of(s)] = sample.snapshot.connections(s); });
  for_each_word<Protocol>([&](Protocol p) { by_protocol[index_of(p)] = sample.snapshot.connections(p); });
  Json out = Json::object();
  out["at"] = seconds(sample.now.wall_ns);
  out["connections"] = sample.snapshot.connections();
  out["by_state"] = by_state_json(by_state);
  out["by_protocol"] = by_protocol_json(by_protocol);
  out["in_flight"] = sample.snapshot.requests_in_flight();
  out["h2_streams"] = sample.snapshot.h2_streams_open();
  out["pending_bytes"] = sample.snapshot.output_pending_bytes();
  out["stalled_reactors"] = sample.reactors_stalled;
  out["ready"] = sample.live.ready && !sample.live.is_draining();
  out["draining"] = sample.live.is_draining();
  out["drain"] = drain_json(state, sample, sample.live.is_draining());
  out["drain_estimate_seconds"] = out["drain"]["estimate_seconds"];
  out["viewers"] = state.streams.size();
  add_rates(out, sample.minute);
  return out;
}

Json status_json(const State& state, const Sample& sample, const Session& session) {
  const ServerIdentity identity = state.view.identity();
  const ServerSnapshot& snapshot = sample.snapshot;
  Json out = Json::object();
  out["boot_id"] = identity.boot_id;
  out["instance"] = identity.instance;
  out["version"] = identity.version;
  out["started_at"] = seconds(identity.started_wall_ns);
  out["uptime_seconds"] = std::max(0.0, seconds(sample.now.steady_ns - identity.started_ns));
  out["now_at"] = seconds(sample.now.wall_ns);
  out["ready"] = sample.live.ready && !sample.live.is_draining();
  out["draining"] = sample.live.is_draining();
  out["drain"] = drain_json(state, sample, true);
  out["session"] = session_json(session);
  out["overview"] = overview_json(state, sample);
  out["limits"] = limits_json(state, sample.live);
  out["totals"] = {{"accepted", snapshot.accepted()},
                   {"rejected", snapshot.rejected()},
                   {"closed", snapshot.closed()},
                   {"requests", snapshot.requests_finished()},
                   {"received_bytes", snapshot.received_bytes()},
                   {"sent_bytes", snapshot.sent_bytes()}};
  out["listeners"] = listeners_json(sample);
  out["reactors"] = state.view.reactor_count();
  out["rings"] = rings_json(state, sample.snapshot);
  Json build = Json::object();
  for (const auto& [name, value] : state.options.build) build[name] = value;
  out["build"] = std::move(build);
  out["viewers"] = state.streams.size();
  out["changes"] = state.changes.newest();
  return out;
}

}  // namespace equinox::admin
