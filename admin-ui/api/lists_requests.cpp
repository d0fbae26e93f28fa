// Closed connections and finished requests.

#include <algorithm>
#include <cmath>
#include <limits>

#include "admin-ui/api/lists.hpp"
#include "admin-ui/api/state.hpp"

namespace equinox::admin {
namespace {

std::int64_t ended_wall_ns(const RequestRecord& record) noexcept { return record.started_wall_ns + record.total_ns; }

std::optional<Protocol> protocol_of(const Request& request) {
  const auto text = parameter(request, "protocol");
  if (!text || text->empty()) return std::nullopt;
  const auto protocol = parse<Protocol>(*text);
  if (!protocol) throw bad_request("protocol is not known");
  return protocol;
}

/// A heatmap cell as it was asked for.
struct Cell {
  std::int64_t from_ns{0};
  std::int64_t to_ns{0};
  std::int64_t above_ns{0};
  std::int64_t up_to_ns{0};
  std::string measure;
  std::optional<std::string> route;
  std::optional<Protocol> protocol;
};

std::int64_t nanoseconds(double seconds) { return static_cast<std::int64_t>(std::llround(seconds * 1e9)); }

Cell cell_of(const Request& request) {
  const auto from = number_parameter(request, "from");
  const auto to = number_parameter(request, "to");
  if (!from || !to || *to < *from) {
    throw bad_request("from and to are Unix seconds, from before to");
  }
  Cell cell;
  cell.from_ns = nanoseconds(*from);
  cell.to_ns = nanoseconds(*to);
  cell.above_ns = nanoseconds(number_parameter(request, "above_seconds").value_or(0));
  const auto up_to = number_parameter(request, "up_to_seconds");
  cell.up_to_ns = up_to ? nanoseconds(*up_to) : std::numeric_limits<std::int64_t>::max();
  cell.measure = parameter(request, "measure").value_or("duration");
  if (cell.measure != "duration" && cell.measure != "first_byte" && cell.measure != "queue" &&
      cell.measure != "handler") {
    throw bad_request("measure is duration, first_byte, queue or handler");
  }
  cell.route = parameter(request, "route");
  cell.protocol = protocol_of(request);
  return cell;
}

std::int64_t measured_ns(const RequestRecord& record, std::string_view measure) noexcept {
  if (measure == "first_byte") return record.first_byte_ns;
  if (measure == "queue") return record.phases_ns[index_of(RequestPhase::queue)];
  if (measure == "handler") return record.phases_ns[index_of(RequestPhase::handler)];
  return record.total_ns;
}

/// How late a second of the histograms may be closed on a busy machine.
constexpr std::int64_t kLateNs = kSecondNs;

bool is_in(const Cell& cell, const RequestRecord& record, const Names& names) {
  const std::int64_t ended = ended_wall_ns(record);
  // The histogram's second is the one in which the request ended.
  if (ended < cell.from_ns || ended >= cell.to_ns) return false;
  const std::int64_t value = measured_ns(record, cell.measure);
  if (value < 0 || (cell.above_ns > 0 && value <= cell.above_ns) || value > cell.up_to_ns) return false;
  if (cell.protocol && record.protocol != *cell.protocol) return false;
  return !cell.route || cell.route->empty() || names.route(record.route) == *cell.route;
}

/// What the histogram counted in the cell; nothing when the histograms are not kept that finely.
std::optional<std::uint64_t> counted_in(const Cell& cell, const ServerView& view) {
  if (cell.route && !cell.route->empty()) return std::nullopt;
  if (cell.protocol && cell.measure != "duration") return std::nullopt;
  std::uint64_t total = 0;
  for (const SeriesPoint& point : view.series(cell.from_ns)) {
    if (!point.recorded || point.at_wall_ns < cell.from_ns / kSecondNs * kSecondNs || point.at_wall_ns >= cell.to_ns)
      continue;
    for (std::size_t i = 0; i < SeriesPoint::kBuckets; ++i) {
      const std::int64_t low = i == 0 ? 0 : static_cast<std::int64_t>(kDurationEdges[i - 1]);
      const std::int64_t high = i < kDurationEdges.size() ? static_cast<std::int64_t>(kDurationEdges[i])
                                                          : std::numeric_limits<std::int64_t>::max();
      if (low < cell.above_ns || high > cell.up_to_ns) continue;
      if (cell.measure == "first_byte") total += point.first_byte[i];
      if (cell.measure == "queue") total += point.queue[i];
      if (cell.measure == "handler") total += point.handler[i];
      if (cell.measure != "duration") continue;
      total += cell.protocol ? point.duration[index_of(*cell.protocol)][i] : point.duration_all()[i];
    }
  }
  return total;
}

struct RequestKey {
  std::uint64_t connection;
  StreamId stream;
  std::int64_t started;
  auto operator<=>(const RequestKey&) const = default;
};
RequestKey key_of(const RequestRecord& record) noexcept {
  return {record.connection, record.stream, record.started_wall_ns};
}

}  // namespace

Json closed_json(const State& state, const Request& request, const Moment& now) {
  const RowContext context = state.row_context(now);
  const Query query{parameter(request, "query").value_or(""), context.names, state.redaction, now};
  const std::size_t limit = limit_of(request);
  constexpr std::int64_t kNewest = std::numeric_limits<std::int64_t>::max();
  const auto before = static_cast<std::uint64_t>(integer_parameter(request, "before", kNewest, 0, kNewest));
  std::array<std::uint64_t, kCloseReasons> by_reason{};
  std::uint64_t total = 0;
  Json rows = Json::array();
  state.view.closed([&](const ClosedRecord& record) {
    if (!query.matches({nullptr, &record, nullptr})) return true;
    ++total;
    ++by_reason[index_of(record.reason)];
    if (record.sequence < before && rows.size() < limit) rows.push_back(closed_row(record, context));
    return true;
  });
  Json reasons = Json::object();
  for_each_word<CloseReason>([&](CloseReason reason) {
    if (by_reason[index_of(reason)] != 0) reasons[std::string{to_string(reason)}] = by_reason[index_of(reason)];
  });
  const RingTotals ring = state.view.snapshot().ring_closed;
  return {{"total", total},
          {"by_reason", std::move(reasons)},
          {"oldest_at", moment_or_null(ring.reach_wall_ns())},
          {"capacity", ring.capacity},
          {"rows", std::move(rows)}};
}

Json slow_requests_json(const State& state, const Request& request, const Moment& now) {
  RowContext context = state.row_context(now);
  context.slow_ns = state.view.live().slow_threshold_ns;
  const auto route = parameter(request, "route");
  const auto protocol = protocol_of(request);
  const std::size_t limit = limit_of(request);
  std::uint64_t total = 0;
  Json rows = Json::array();
  state.view.slow_requests([&](const RequestRecord& record) {
    if (route && !route->empty() && context.names.route(record.route) != *route) return true;
    if (protocol && record.protocol != *protocol) return true;
    ++total;
    if (rows.size() < limit) rows.push_back(request_row(record, context));
    return true;
  });
  return {{"total", total},
          {"kept", total},
          {"sampled", false},
          {"threshold_seconds", seconds(context.slow_ns)},
          {"oldest_at", moment_or_null(state.view.snapshot().ring_slow.reach_wall_ns())},
          {"rows", std::move(rows)}};
}

Json cell_requests_json(const State& state, const Request& request, const Moment& now) {
  Cell cell = cell_of(request);
  RowContext context = state.row_context(now);
  context.slow_ns = state.view.live().slow_threshold_ns;
  const std::optional<std::uint64_t> counted = counted_in(cell, state.view);
  std::vector<RequestRecord> found;
  std::int64_t oldest = 0;
  constexpr std::size_t kMost = 20'000;  // bounded, whatever the rings hold
  const auto take = [&](const RequestRecord& record) {
    oldest = oldest == 0 ? ended_wall_ns(record) : std::min(oldest, ended_wall_ns(record));
    if (is_in(cell, record, context.names)) found.push_back(record);
    return found.size() < kMost;
  };
  const auto look = [&] {
    state.view.sampled_requests(take);
    if (found.size() < kMost) state.view.recent_requests(take);
  };
  look();
  if (found.empty() && counted.value_or(0) > 0) {
    // A second is closed by a thread that may come late: what ended meanwhile was counted in that second too. Later
    // still, one was left out, and what ended in it was counted in the next.
    cell.from_ns -= kLateNs;
    cell.to_ns += kLateNs;
    look();
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
  found.erase(
      std::unique(found.begin(), found.end(), [](const auto& a, const auto& b) { return key_of(a) == key_of(b); }),
      found.end());
  std::stable_sort(found.begin(), found.end(), [&cell](const RequestRecord& a, const RequestRecord& b) {
    return measured_ns(a, cell.measure) > measured_ns(b, cell.measure);
  });
  const std::uint64_t total = std::max<std::uint64_t>(counted.value_or(found.size()), found.size());
  Json rows = Json::array();
  const std::size_t limit = limit_of(request);
  for (std::size_t i = 0; i < found.size() && i < limit; ++i) rows.push_back(request_row(found[i], context));
  return {{"total", total},
          {"kept", found.size()},
          {"sampled", found.size() < total},
          {"threshold_seconds", seconds(context.slow_ns)},
          {"oldest_at", moment_or_null(oldest)},
          {"rows", std::move(rows)}};
}

}  // namespace equinox::admin
