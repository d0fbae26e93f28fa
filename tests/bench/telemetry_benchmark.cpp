// What a request costs in telemetry, and that it costs the same beside a thousand connections and a million.

#include <memory>
#include <vector>

#include "bench/growth.hpp"
#include "telemetry/latency_histogram.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox::telemetry {
namespace {

using bench::ScatteredOrder;
constexpr std::int64_t kWall = 1'700'000'000'123'000'000;

void histogram_cell(benchmark::State& state) {
  DurationCells cells;
  std::uint64_t value = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cells.observe<kDurationEdges>(value));
    value = value * 6'364'136'223'846'793'005ULL >> 34U;  // up to 1 s, each bucket in turn
    value += 1;
  }
}
BENCHMARK(histogram_cell);

void record_update(benchmark::State& state) {
  RecordSlot slot;
  RecordHot hot;
  hot.generation = 1;
  for (auto _ : state) {
    ++hot.requests;
    slot.write_hot(hot, 472);
  }
}
BENCHMARK(record_update);

/// One reactor with its open connections.
class Open {
 public:
  explicit Open(std::size_t count) : telemetry_{options(count), {"boot", "host", "bench", "1", 0, 0}, {"http"}} {
    route = telemetry_.intern_route("/api/items/{id}");
    RecordHot hot;
    hot.protocol = Protocol::http11;
    hot.state = ConnectionState::idle;
    for (std::uint32_t i = 0; i < count; ++i) {
      ids.push_back(ConnectionId::make(0, i, 1));
      hot.generation = 1;
      slots.push_back(&reactor().open(ids.back(), hot, {}, kWall));
    }
  }
  ReactorTelemetry& reactor() { return telemetry_.reactor(0); }
  [[nodiscard]] const ServerView& view() const { return telemetry_; }

  RouteId route{0};
  std::vector<ConnectionId> ids;
  std::vector<RecordSlot*> slots;

 private:
  static TelemetryOptions options(std::size_t count) {
    TelemetryOptions out;
    out.connections_per_reactor = count;
    return out;
  }
  ServerTelemetry telemetry_;
};

void record_publish(benchmark::State& state) {
  Open open{static_cast<std::size_t>(state.range(0))};
  ScatteredOrder order{state};
  RecordHot hot;
  hot.generation = 1;
  hot.protocol = Protocol::http11;
  hot.state = ConnectionState::idle;
  for (auto _ : state) {
    const std::uint32_t i = order.next();
    ++hot.requests;
    open.reactor().publish(*open.slots[i], open.ids[i], hot, 472, kWall);
  }
}
BENCHMARK(record_publish)->Apply(bench::growth_in_use);

void request_counted(benchmark::State& state) {
  Open open{static_cast<std::size_t>(state.range(0))};
  ScatteredOrder order{state};
  RequestSample sample;
  sample.route = open.route;
  sample.status = 200;
  sample.protocol = Protocol::http11;
  sample.stream = 1;
  sample.wall_ns = kWall;
  sample.first_byte_ns = 20'000;
  sample.total_ns = 50'000;
  sample.phases_ns = {0, 0, 0, 50'000, 0};
  sample.target = "/api/items/17?key=secret";
  for (auto _ : state) {
    sample.connection = open.ids[order.next()];
    open.reactor().stats().request_started(0, 0);
    open.reactor().stats().route_entered(open.route);
    open.reactor().request_finished(sample);
  }
}
BENCHMARK(request_counted)->Apply(bench::growth_in_use);

/// What every metric of the server is made from: sums of cells, so that no connection is looked at.
void snapshot(benchmark::State& state) {
  const Open open{static_cast<std::size_t>(state.range(0))};
  for (auto _ : state) benchmark::DoNotOptimize(open.view().snapshot());
}
BENCHMARK(snapshot)->Apply(bench::growth);

}  // namespace
}  // namespace equinox::telemetry
