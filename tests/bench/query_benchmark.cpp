// The query language alone: what it costs to look at 100,000 records, without sorting and without JSON.

#include <benchmark/benchmark.h>

#include <memory>

#include "admin-ui/api/query.hpp"
#include "bench/made_connections.hpp"

namespace equinox::admin {
namespace {

const telemetry::ServerTelemetry& made_view() {
  static const auto kView = [] {
    auto view = std::make_unique<telemetry::ServerTelemetry>(telemetry_options(),
                                                             ServerIdentity{"boot", "host", "traffic", "1", 0, 0},
                                                             std::vector<std::string>{"http", "https"});
    view->intern_route("/api/items/{id}");
    const Moment now = Moment::now();
    for (std::uint32_t n = 0; n < kConnections; ++n) open_connection(*view, n, now);
    return view;
  }();
  return *kView;
}

void query_100000(benchmark::State& state, const char* text) {
  const telemetry::ServerTelemetry& view = made_view();
  std::size_t found = 0;
  for (auto _ : state) {
    const Query query{text, Names::of(view), {}, Moment::now()};
    found = 0;
    view.for_each_record([&](const ConnectionRecord& record) {
      found += query.matches({&record, nullptr, nullptr}) ? 1 : 0;
      return true;
    });
  }
  state.counters["found"] = static_cast<double>(found);
}

#define QUERY(name, text) BENCHMARK_CAPTURE(query_100000, name, text)->Unit(benchmark::kMillisecond)

QUERY(empty, "");
QUERY(word, "state:idle");
QUERY(number, "sent>500k");
QUERY(text, "target:*99*");
QUERY(bare, "items/7");
QUERY(five_terms, "proto:h2 -state:closing idle>5s requests>10 route:/api/*");

}  // namespace
}  // namespace equinox::admin
