// The connections of one reactor, a thousand to a million: one is found by its id, one ends and another comes.

#include <memory>
#include <vector>

#include "bench/growth.hpp"
#include "server/connection_table.hpp"
#include "server/lending.hpp"
#include "telemetry/reactor_telemetry.hpp"

namespace equinox::server {
namespace {

using bench::ScatteredOrder;

telemetry::TelemetryOptions options_for(std::size_t connections) {
  telemetry::TelemetryOptions out;
  out.connections_per_reactor = connections + ConnectionTable::kChunk;
  return out;
}

/// Connections without a socket: nothing is sent or received here.
class Connections {
 public:
  explicit Connections(std::size_t count)
      : telemetry_{0, options_for(count), directory_, closed_},
        lent_{std::make_unique<Lending>(ReactorIndex{0}, Clock{}, "", telemetry_)} {
    for (std::size_t i = 0; i < count; ++i) ids.push_back(open());
  }
  ConnectionId open() { return table.emplace(Connection::Origin{}, UniqueFd{}, *lent_).id(); }
  void end(ConnectionId id) {
    // Its record is freed as by settle_accounts, which would also ask the socket.
    if (telemetry::RecordSlot* slot = telemetry_.find(id)) {
      telemetry_.close(*slot, id, slot->own_hot(), {}, 1'000'000'000, 1'700'000'000'000'000'000);
    }
    table.erase(id);
  }

 private:
  telemetry::SeriesDirectory directory_;
  std::atomic<std::uint64_t> closed_{0};
  telemetry::ReactorTelemetry telemetry_;
  std::unique_ptr<Lending> lent_;

 public:
  ConnectionTable table{0};
  std::vector<ConnectionId> ids;
};

void table_find(benchmark::State& state) {
  const Connections connections{static_cast<std::size_t>(state.range(0))};
  ScatteredOrder order{state};
  for (auto _ : state) benchmark::DoNotOptimize(connections.table.find(connections.ids[order.next()]));
}
BENCHMARK(table_find)->Apply(bench::growth_in_use);

void table_find_stale(benchmark::State& state) {
  const Connections connections{static_cast<std::size_t>(state.range(0))};
  ScatteredOrder order{state};
  for (auto _ : state) {
    ConnectionId id = connections.ids[order.next()];
    ++id.generation;
    if (connections.table.find(id) != nullptr) state.SkipWithError("a stale id found something");
  }
}
BENCHMARK(table_find_stale)->Apply(bench::growth_in_use);

/// With its record, its gauges and its line in the ring of closed ones.
void table_replace(benchmark::State& state) {
  Connections connections{static_cast<std::size_t>(state.range(0))};
  ScatteredOrder order{state};
  for (auto _ : state) {
    ConnectionId& id = connections.ids[order.next()];
    connections.end(id);
    id = connections.open();
  }
}
BENCHMARK(table_replace)->Apply(bench::growth_in_use);

}  // namespace
}  // namespace equinox::server
