// Routes, HTTP/2, reactors, stalls, configuration, certificates, process.

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "admin-ui/api/lists.hpp"
#include "admin-ui/api/overview.hpp"
#include "admin-ui/api/state.hpp"

namespace equinox::admin {
namespace {

template <std::size_t Edges>
Json histogram_json(const HistogramValue<Edges>& value, const std::array<std::uint64_t, Edges>& edges, double scale) {
  Json bounds = Json::array();
  for (const std::uint64_t edge : edges) bounds.push_back(static_cast<double>(edge) / scale);
  return {{"edges", std::move(bounds)}, {"counts", value.buckets}};
}

template <std::size_t Edges>
Json quantile_or_null(const HistogramValue<Edges>& value, const std::array<std::uint64_t, Edges>& edges, double q) {
  return value.count() == 0 ? Json{} : Json(quantile(q, edges, value.buckets) / 1e9);
}

template <std::size_t N>
void add(HistogramValue<N>& sum, const HistogramValue<N>& value) {
  for (std::size_t i = 0; i < value.buckets.size(); ++i) sum.buckets[i] += value.buckets[i];
  sum.sum += value.sum;
}

template <std::size_t N>
Json code_counts(const std::array<std::array<std::uint64_t, N>, 2>& counts) {
  Json out = Json::array();
  for (std::size_t d = 0; d < 2; ++d) {
    for (std::size_t code = 0; code < N; ++code) {
      if (counts[d][code] == 0) continue;
      out.push_back({{"direction", Vocabulary<Direction>::names[d]},
                     {"error_code", kH2ErrorLabels[code]},
                     {"total", counts[d][code]}});
    }
  }
  return out;
}

std::uint64_t now_in(const std::array<std::uint64_t, 2>& entered_left) noexcept {
  return entered_left[0] > entered_left[1] ? entered_left[0] - entered_left[1] : 0;
}

/// Requests per second of each route in the last 10 s. Their sum is counted; how it is shared out comes from the
/// requests that were kept, which under load are a sample.
std::vector<double> recent_rates(const State& state, std::size_t routes, const Moment& now) {
  constexpr std::int64_t kSpan = 10 * kSecondNs;
  std::uint64_t ended = 0;
  std::int64_t seconds_recorded = 0;
  for (const SeriesPoint& point : state.view.series(now.wall_ns - kSpan - kSecondNs)) {
    if (!point.recorded) continue;
    ended += point.requests;
    ++seconds_recorded;
  }
  std::vector<double> out(routes);
  double kept = 0;
  state.view.recent_requests([&](const RequestRecord& record) {
    if (now.wall_ns - (record.started_wall_ns + record.total_ns) >= kSpan) return false;
    if (record.route < out.size()) out[record.route] += 1;
    kept += 1;
    return true;
  });
  if (kept == 0) return out;
  // Before a second was recorded only the requests themselves tell.
  const double per_second = seconds_recorded == 0 || ended == 0
                                ? kept / seconds(kSpan)
                                : static_cast<double>(ended) / static_cast<double>(seconds_recorded);
  for (double& rate : out) rate *= per_second / kept;
  return out;
}

}  // namespace

Json routes_json(const State& state, const Moment& now) {
  const ServerSnapshot snapshot = state.view.snapshot();
  const Names names = Names::of(state.view);
  std::vector<DurationValue> durations(snapshot.routes.size());
  for (const RequestSeries& series : snapshot.requests) {
    if (series.route < durations.size()) add(durations[series.route], series.duration);
  }
  const std::vector<double> rates = recent_rates(state, snapshot.routes.size(), now);
  Json rows = Json::array();
  const std::size_t count = std::min<std::size_t>(snapshot.routes.size(), 500);
  for (std::size_t i = 0; i < count; ++i) {
    const RouteTotals& totals = snapshot.routes[i];
    Json row{{"route", names.route(static_cast<RouteId>(i))},
             {"requests", totals.finished},
             {"requests_per_second", rates[i]},
             {"errors", totals.errors},
             {"in_flight", totals.in_flight()},
             {"slow", totals.slow},
             {"received_bytes", totals.received_bytes},
             {"sent_bytes", totals.sent_bytes}};
    row["error_ratio"] =
        totals.finished == 0 ? 0.0 : static_cast<double>(totals.errors) / static_cast<double>(totals.finished);
    // What is folded into a route that nobody asked for is no answer about it.
    const DurationValue own = totals.finished != 0 ? durations[i] : DurationValue{};
    row["p50_seconds"] = quantile_or_null(own, kDurationEdges, 0.5);
    row["p99_seconds"] = quantile_or_null(own, kDurationEdges, 0.99);
    row["last_hit_at"] = totals.last_hit_wall_ns != 0 ? Json(seconds(totals.last_hit_wall_ns)) : Json{};
    rows.push_back(std::move(row));
  }
  return {{"total", snapshot.routes.size()}, {"rows", std::move(rows)}};
}

Json http2_json(State& state, const Moment& now) {
  state.frame_rates.want(now);
  const ServerSnapshot snapshot = state.view.snapshot();
  const auto& totals = snapshot.totals;
  Json frames = Json::array();
  for (std::size_t d = 0; d < 2; ++d) {
    for (std::size_t type = 0; type < kH2FrameLabels.size(); ++type) {
      Json row{{"direction", Vocabulary<Direction>::names[d]},
               {"type", kH2FrameLabels[type]},
               {"total", totals.h2_frames[d][type]}};
      const auto rate = state.frame_rates.of(d, type);
      row["per_second"] = rate ? Json(std::round(*rate * 10) / 10) : Json{};
      frames.push_back(std::move(row));
    }
  }
  std::array<std::int64_t, kCloseReasons> last{};
  state.view.closed([&last](const ClosedRecord& record) {
    auto& at = last[index_of(record.reason)];
    at = std::max(at, record.closed_wall_ns);
    return true;
  });
  Json abuse = Json::array();
  for_each_word<CloseReason>([&](CloseReason reason) {
    if (family_of(reason) != CloseFamily::abuse) return;
    const std::int64_t at = last[index_of(reason)];
    abuse.push_back({{"kind", to_string(reason)},
                     {"total", snapshot.closed(reason)},
                     {"last_at", at != 0 ? Json(seconds(at)) : Json{}}});
  });
  return {
      {"connections", snapshot.connections(Protocol::h2) + snapshot.connections(Protocol::h2c)},
      {"streams",
       {{"open", now_in(totals.h2_streams[0])},
        {"half_closed_local", now_in(totals.h2_streams[1])},
        {"half_closed_remote", now_in(totals.h2_streams[2])}}},
      {"opened_total", totals.h2_streams_opened},
      {"held_total", totals.h2_requests_held},
      {"resets", code_counts(totals.h2_resets)},
      {"goaways", code_counts(totals.h2_goaways)},
      {"frames", std::move(frames)},
      {"blocked_seconds",
       {{"connection", seconds(totals.h2_connection_blocked_ns)}, {"stream", seconds(totals.h2_stream_blocked_ns)}}},
      {"ping_rtt", histogram_json(totals.h2_ping_rtt, kRttEdges, 1e9)},
      {"concurrent_streams_peak", histogram_json(totals.h2_streams_peak, kStreamsEdges, 1)},
      {"abuse", std::move(abuse)}};
}

Json reactors_json(const State& state, const Moment& now) {
  const RowContext context = state.row_context(now);
  const ServerSnapshot snapshot = state.view.snapshot();
  SeriesPoint last;
  for (SeriesPoint& point : state.view.series(now.wall_ns - 4 * kSecondNs)) {
    if (point.recorded) last = std::move(point);
  }
  HistogramValue<kLoopEdges.size()> iteration;
  HistogramValue<kLoopEdges.size()> lag;
  const auto facts = state.view.reactors();
  Json rows = Json::array();
  for (std::size_t i = 0; i < snapshot.reactors.size(); ++i) {
    const ReactorTotals& totals = snapshot.reactors[i];
    add(iteration, totals.iteration);
    add(lag, totals.timer_lag);
    Json row{{"reactor", i}, {"connections", totals.connections}, {"mailbox_length", totals.mailbox_length}};
    row["busy_ratio"] = i < last.reactor_busy_ratio.size() ? Json(last.reactor_busy_ratio[i]) : Json(0.0);
    row["cpu_ratio"] =
        i < last.reactor_cpu_ratio.size() && totals.cpu_ns != 0 ? Json(last.reactor_cpu_ratio[i]) : Json{};
    row["iteration_p99_seconds"] = quantile_or_null(totals.iteration, kLoopEdges, 0.99);
    row["timer_lag_p99_seconds"] = quantile_or_null(totals.timer_lag, kLoopEdges, 0.99);
    row["events_per_wakeup"] =
        totals.wakeups == 0 ? Json{} : Json(static_cast<double>(totals.events) / static_cast<double>(totals.wakeups));
    row["last_iteration_seconds_ago"] = 0.0;
    row["stall"] = nullptr;
    for (const ReactorFacts& fact : facts) {
      if (fact.reactor != i) continue;
      row["last_iteration_seconds_ago"] = seconds(fact.last_iteration_ns_ago);
      if (fact.stall) row["stall"] = stall_row(*fact.stall, context);
    }
    rows.push_back(std::move(row));
  }
  return {{"total", snapshot.reactors.size()},
          {"rows", std::move(rows)},
          {"stall_threshold_seconds", seconds(state.view.live().stall_threshold_ns)},
          {"iteration", histogram_json(iteration, kLoopEdges, 1e9)},
          {"timer_lag", histogram_json(lag, kLoopEdges, 1e9)},
          {"events_per_wakeup", histogram_json(snapshot.totals.events_per_wakeup, kEventsEdges, 1)}};
}

Json stalls_json(const State& state, std::size_t limit, const Moment& now) {
  const RowContext context = state.row_context(now);
  std::vector<StallRecord> all;
  state.view.stalls([&all](const StallRecord& stall) {
    all.push_back(stall);
    return true;
  });
  std::stable_sort(all.begin(), all.end(), [](const StallRecord& a, const StallRecord& b) {
    return a.running != b.running ? a.running : a.started_wall_ns > b.started_wall_ns;
  });
  Json rows = Json::array();
  for (std::size_t i = 0; i < all.size() && i < limit; ++i) rows.push_back(stall_row(all[i], context));
  return {{"total", all.size()},
          {"threshold_seconds", seconds(state.view.live().stall_threshold_ns)},
          {"oldest_at", moment_or_null(state.view.snapshot().ring_stalls.reach_wall_ns())},
          {"rows", std::move(rows)}};
}

Json config_json(const State& state) {
  const LiveFacts live = state.view.live();
  Json rows = Json::array();
  for (const ConfigFact& fact : state.view.config()) {
    Json row{{"key", fact.key},
             {"value", fact.value},
             {"origin", fact.origin},
             {"changed", fact.changed},
             {"reload", fact.reload}};
    row["default"] = text_or_null(fact.default_value);
    rows.push_back(std::move(row));
  }
  const std::int64_t reloaded = live.last_reload_wall_ns;
  const std::int64_t started = state.view.identity().started_wall_ns;
  const std::size_t total = rows.size();
  return {{"total", total},
          {"rows", std::move(rows)},
          {"file", text_or_null(state.options.config_file)},
          {"loaded_at", seconds(reloaded != 0 && live.last_reload_successful ? reloaded : started)},
          {"last_reload_at", reloaded != 0 ? Json(seconds(reloaded)) : Json{}},
          {"last_reload_successful", reloaded != 0 ? Json(live.last_reload_successful) : Json{}},
          {"last_reload_error", text_or_null(live.last_reload_error)}};
}

Json certificates_json(const ServerView& view) {
  Json rows = Json::array();
  for (const CertificateFacts& fact : view.live().certificates) {
    Json row{{"name", fact.name},
             {"listener", fact.listener},
             {"names", fact.names},
             {"key", fact.key},
             {"not_before_at", fact.not_before_s},
             {"not_after_at", fact.not_after_s},
             {"self_signed", fact.self_signed}};
    row["issuer"] = text_or_null(fact.issuer);
    row["loaded_at"] = fact.loaded_wall_ns != 0 ? Json(seconds(fact.loaded_wall_ns)) : Json{};
    rows.push_back(std::move(row));
  }
  const std::size_t total = rows.size();
  return {{"total", total}, {"rows", std::move(rows)}};
}

namespace {

void add_memory_and_threads(Json& out) {
  std::ifstream status{"/proc/self/status"};
  std::string word;
  while (status >> word) {
    std::uint64_t value = 0;
    if (word == "VmRSS:" && status >> value) out["resident_memory_bytes"] = value * 1024;
    if (word == "Threads:" && status >> value) out["threads"] = value;
  }
}

/// Without the one that reads the directory.
std::optional<std::uint64_t> open_descriptors() {
  struct stat directory {};
  // Since Linux 6.2 the size says how many there are.
  if (::stat("/proc/self/fd", &directory) == 0 && directory.st_size > 0) {
    return static_cast<std::uint64_t>(directory.st_size);
  }
  std::error_code failed;
  std::uint64_t open = 0;
  for (auto entry = std::filesystem::directory_iterator{"/proc/self/fd", failed};
       !failed && entry != std::filesystem::directory_iterator{}; entry.increment(failed)) {
    if (++open == 200'000) break;
  }
  return open != 0 ? std::optional{open - 1} : std::nullopt;
}

}  // namespace

Json process_json() {
  Json out{{"pid", ::getpid()}};
  add_memory_and_threads(out);
  if (const auto open = open_descriptors()) out["open_fds"] = *open;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out["max_fds"] = limit.rlim_cur;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    out["cpu_seconds"] = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  }
  return out;
}

}  // namespace equinox::admin
