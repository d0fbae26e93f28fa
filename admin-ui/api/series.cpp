#include "admin-ui/api/series.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace equinox::admin {
namespace {

using Buckets = std::array<std::uint64_t, SeriesPoint::kBuckets>;
using Points = std::vector<const SeriesPoint*>;  ///< of one step, the recorded ones, oldest first

double number(std::uint64_t value) { return static_cast<double>(value); }

/// Sum over a step of what one second counted.
template <typename F>
Json sum(const Points& points, F of) {
  double total = 0;
  for (const SeriesPoint* point : points) total += of(*point);
  return std::floor(total) == total ? Json(static_cast<std::int64_t>(total)) : Json(total);
}

Buckets histogram_of(const SeriesPoint& point, std::string_view name) {
  Buckets out{};
  const auto copy = [&out](const auto& from) { std::copy(from.begin(), from.end(), out.begin()); };
  if (name == "duration") return point.duration_all();
  if (name == "first_byte") copy(point.first_byte);
  if (name == "queue") copy(point.queue);
  if (name == "handler") copy(point.handler);
  if (name.starts_with("duration:"))
    copy(point.duration[index_of(parse<Protocol>(name.substr(9)).value_or(Protocol::h2))]);
  return out;
}

Buckets histogram_of(const Points& points, std::string_view name) {
  Buckets out{};
  for (const SeriesPoint* point : points) {
    const Buckets buckets = histogram_of(*point, name);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += buckets[i];
  }
  return out;
}

Json quantile_of(const Points& points, double q) {
  const Buckets buckets = histogram_of(points, "duration");
  if (std::all_of(buckets.begin(), buckets.end(), [](auto count) { return count == 0; })) return {};
  return quantile(q, kDurationEdges, buckets) / 1e9;
}

using Value = Json (*)(const Points&);
struct Named {
  std::string_view name;
  Value value;
};

template <std::uint64_t SeriesPoint::*Member>
Json total_of(const Points& points) {
  return sum(points, [](const SeriesPoint& p) { return number(p.*Member); });
}
template <std::uint64_t SeriesPoint::*Member>
Json last_of(const Points& points) {
  return points.back()->*Member;
}
template <RequestPhase Phase>
Json phase_of(const Points& points) {
  return sum(points, [](const SeriesPoint& p) { return number(p.phase_ns[index_of(Phase)]) / 1e9; });
}
template <CloseFamily Family>
Json family_total(const Points& points) {
  return sum(points, [](const SeriesPoint& p) {
    double out = 0;
    for_each_word<CloseReason>([&](CloseReason reason) {
      if (family_of(reason) == Family) out += p.closed_by_reason[index_of(reason)];
    });
    return out;
  });
}

constexpr std::array<Named, 31> kNumbers{{
    {"connections", last_of<&SeriesPoint::connections>},
    {"in_flight", last_of<&SeriesPoint::in_flight>},
    {"h2_streams", last_of<&SeriesPoint::h2_streams>},
    {"pending_bytes", last_of<&SeriesPoint::pending_bytes>},
    {"p50_seconds", [](const Points& points) { return quantile_of(points, 0.5); }},
    {"p99_seconds", [](const Points& points) { return quantile_of(points, 0.99); }},
    {"busy_ratio", [](const Points& points) { return Json(points.back()->busy_ratio()); }},
    {"accepted", total_of<&SeriesPoint::accepted>},
    {"closed", total_of<&SeriesPoint::closed>},
    {"requests", total_of<&SeriesPoint::requests>},
    {"errors_4xx", total_of<&SeriesPoint::errors_4xx>},
    {"errors_5xx", total_of<&SeriesPoint::errors_5xx>},
    {"evictions", total_of<&SeriesPoint::evictions>},
    {"received_bytes", total_of<&SeriesPoint::received_bytes>},
    {"sent_bytes", total_of<&SeriesPoint::sent_bytes>},
    {"phase_head_seconds", phase_of<RequestPhase::head>},
    {"phase_body_seconds", phase_of<RequestPhase::body>},
    {"phase_queue_seconds", phase_of<RequestPhase::queue>},
    {"phase_handler_seconds", phase_of<RequestPhase::handler>},
    {"phase_write_seconds", phase_of<RequestPhase::write>},
    {"closed_client", family_total<CloseFamily::client>},
    {"closed_normal", family_total<CloseFamily::normal>},
    {"closed_timer", family_total<CloseFamily::timer>},
    {"closed_protocol", family_total<CloseFamily::protocol>},
    {"closed_tls", family_total<CloseFamily::tls>},
    {"closed_abuse", family_total<CloseFamily::abuse>},
    {"closed_pressure", family_total<CloseFamily::pressure>},
    {"closed_admin", family_total<CloseFamily::admin>},
    {"closed_network", family_total<CloseFamily::network>},
    {"h2_resets", total_of<&SeriesPoint::h2_resets>},
    {"h2_blocked_seconds",
     [](const Points& points) {
       return sum(points, [](const SeriesPoint& p) { return number(p.h2_blocked_ns) / 1e9; });
     }},
}};
constexpr std::array<std::string_view, 7> kHistograms{
    "duration", "duration:http/1.1", "duration:h2", "duration:h2c", "first_byte", "queue", "handler"};

[[noreturn]] void refuse_name(std::string_view name) {
  std::string all = "closed_reason, reactor_busy_ratio, reactor_stalls";
  for (const Named& known : kNumbers) all.append(", ").append(known.name);
  for (const std::string_view known : kHistograms) all.append(", ").append(known);
  throw Problem{400, "bad-request", "There is no such series",
                std::string{"\""}.append(name).append("\" is none of ").append(all)};
}

/// Steps from `start` on, each with its recorded points. The last one may still be filling: left out, what ended
/// moments ago would be in the lists and not in the sums.
struct Window {
  std::int64_t start_s{0};
  std::int64_t step_s{1};
  std::vector<Points> steps;
};

Window window_of(const std::vector<SeriesPoint>& points, std::int64_t since_s, std::int64_t step_s,
                 std::int64_t end_s) {
  Window out;
  out.step_s = step_s;
  out.start_s = (since_s + step_s - 1) / step_s * step_s;
  const std::int64_t count = std::max<std::int64_t>(0, (end_s - out.start_s + step_s - 1) / step_s);
  out.steps.resize(static_cast<std::size_t>(std::min<std::int64_t>(count, kSeriesSeconds)));
  for (const SeriesPoint& point : points) {
    const std::int64_t offset = point.at_wall_ns / kSecondNs - out.start_s;
    if (!point.recorded || offset < 0) continue;
    const auto step = static_cast<std::size_t>(offset / step_s);
    if (step < out.steps.size()) out.steps[step].push_back(&point);
  }
  return out;
}

/// Behind the newest second that is closed: a null in the place of one that is about to be would stay with whoever
/// appends what the event stream tells.
std::int64_t end_of(const std::vector<SeriesPoint>& points, const Moment& now) {
  const std::int64_t end = now.wall_ns / kSecondNs;
  const bool is_closing = !points.empty() && points.back().at_wall_ns / kSecondNs == end - 2;
  return is_closing ? end - 1 : end;
}

template <typename F>
Json each_step(const Window& window, F value) {
  Json out = Json::array();
  for (const Points& points : window.steps) out.push_back(points.empty() ? Json{} : value(points));
  return out;
}

void add_reasons(Json& series, const Window& window) {
  for_each_word<CloseReason>([&](CloseReason reason) {
    const std::size_t index = index_of(reason);
    const auto seen = [index](const SeriesPoint* point) { return point->closed_by_reason[index] != 0; };
    const bool any = std::any_of(window.steps.begin(), window.steps.end(),
                                 [&](const Points& points) { return std::any_of(points.begin(), points.end(), seen); });
    if (!any) return;
    series["closed_reason:" + std::string{to_string(reason)}] = each_step(window, [&](const Points& points) {
      return sum(points, [&](const SeriesPoint& p) { return static_cast<double>(p.closed_by_reason[index]); });
    });
  });
}

void add_reactors(Json& series, const Window& window, std::size_t reactors, bool is_busy) {
  for (std::size_t r = 0; r < reactors; ++r) {
    const std::string name = (is_busy ? "reactor_busy_ratio:" : "reactor_stalls:") + std::to_string(r);
    series[name] = each_step(window, [&](const Points& points) {
      if (is_busy) {
        const auto& ratios = points.back()->reactor_busy_ratio;
        return r < ratios.size() ? Json(std::round(ratios[r] * 10000.0) / 10000.0) : Json{};
      }
      return sum(points, [r](const SeriesPoint& p) { return r < p.reactor_stalls.size() ? p.reactor_stalls[r] : 0.0; });
    });
  }
}

void add_series(Json& out, std::string_view name, const Window& window, std::size_t reactors) {
  if (name == "closed_reason") return add_reasons(out["series"], window);
  if (name == "reactor_busy_ratio") return add_reactors(out["series"], window, reactors, true);
  if (name == "reactor_stalls") return add_reactors(out["series"], window, reactors, false);
  if (std::find(kHistograms.begin(), kHistograms.end(), name) != kHistograms.end()) {
    Json edges = Json::array();
    for (const std::uint64_t edge : kDurationEdges) edges.push_back(seconds(edge));
    out["histograms"][std::string{name}] = {
        {"edges_seconds", std::move(edges)},
        {"counts", each_step(window, [name](const Points& points) { return Json(histogram_of(points, name)); })}};
    return;
  }
  const auto found =
      std::find_if(kNumbers.begin(), kNumbers.end(), [name](const Named& known) { return known.name == name; });
  if (found == kNumbers.end()) refuse_name(name);
  out["series"][std::string{name}] = each_step(window, found->value);
}

}  // namespace

Json series_json(const ServerView& view, const Request& request, const Moment& now) {
  const std::string names = parameter(request, "names").value_or("");
  if (names.empty() || names.size() > 1000) {
    throw bad_request("names is needed, at most 1000 bytes");
  }
  const std::int64_t step = integer_parameter(request, "step_seconds", 1, 1, 300);
  const double asked = number_parameter(request, "since").value_or(0);
  const std::int64_t reach = now.wall_ns / kSecondNs - kSeriesSeconds;
  const std::int64_t since = std::max(static_cast<std::int64_t>(std::floor(asked)), reach);
  const std::vector<SeriesPoint> points = view.series(since * kSecondNs);
  const Window window = window_of(points, since, step, end_of(points, now));
  Json out{{"boot_id", view.identity().boot_id}, {"now_at", seconds(now.wall_ns)},
           {"start_at", window.start_s},         {"step_seconds", step},
           {"points", window.steps.size()},      {"series", Json::object()},
           {"histograms", Json::object()}};
  std::string_view rest = names;
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (comma != 0) add_series(out, rest.substr(0, comma), window, view.reactor_count());
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return out;
}

Json series_event(const SeriesPoint& point) {
  const Points points{&point};
  Json values = Json::object();
  for (const Named& named : kNumbers) values[std::string{named.name}] = named.value(points);
  Json histograms = Json::object();
  for (const std::string_view name : kHistograms) histograms[std::string{name}] = histogram_of(points, name);
  return {{"at", seconds(point.at_wall_ns)}, {"values", std::move(values)}, {"histograms", std::move(histograms)}};
}

}  // namespace equinox::admin
