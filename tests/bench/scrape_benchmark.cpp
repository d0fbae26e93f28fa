// A scrape from the request to the last byte of the page, with a thousand to a million connections open.

#include <array>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>

#include "bench/growth.hpp"
#include "metrics/server_collector.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox::metrics {
namespace {

/// Traffic as it is: some routes, some statuses, every connection idle.
class Observed {
 public:
  explicit Observed(std::size_t connections)
      : telemetry{options(connections), {"boot", "host", "bench", "1", 0, 0}, {"http"}} {
    RecordHot hot;
    hot.generation = 1;
    hot.protocol = Protocol::http11;
    hot.state = ConnectionState::idle;
    auto& reactor = telemetry.reactor(0);
    for (std::uint32_t i = 0; i < connections; ++i) reactor.open(ConnectionId::make(0, i, 1), hot, {}, 0);
    telemetry::RequestSample sample;
    sample.protocol = Protocol::http11;
    for (int i = 0; i < 40; ++i) {
      sample.route = telemetry.intern_route("/route" + std::to_string(i % 20));
      sample.status = i < 20 ? 200 : 404;
      sample.total_ns = 10'000LL * (i + 1);
      reactor.stats().request_started(0, 0);
      reactor.request_finished(sample);
    }
  }
  telemetry::ServerTelemetry telemetry;

 private:
  static telemetry::TelemetryOptions options(std::size_t connections) {
    telemetry::TelemetryOptions out;
    out.connections_per_reactor = connections;
    return out;
  }
};

void collect(benchmark::State& state) {
  const Observed observed{static_cast<std::size_t>(state.range(0))};
  const ServerCollector collector{observed.telemetry, {}};
  for (auto _ : state) benchmark::DoNotOptimize(collector.Collect());
}
BENCHMARK(collect)->Apply(bench::growth)->Unit(benchmark::kMicrosecond);

void scrape(benchmark::State& state) {
  const Observed observed{static_cast<std::size_t>(state.range(0))};
  const Handler handler = exposition(observed.telemetry);
  RequestHead head;
  head.path = "/metrics";
  const RequestContext context;
  std::array<char, 16384> room{};
  std::size_t bytes = 0;
  for (auto _ : state) {
    Response response = (*handler.sync())(Request{head, context});
    auto* source = std::get_if<std::unique_ptr<BodySource>>(&response.body());
    if (source == nullptr) throw std::runtime_error{"the page was refused"};
    PullResult pulled{PullStatus::bytes, 0};
    for (bytes = 0; pulled.status == PullStatus::bytes; bytes += pulled.count) pulled = (*source)->pull(room);
  }
  state.counters["page_bytes"] = static_cast<double>(bytes);
}
BENCHMARK(scrape)->Apply(bench::growth)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace equinox::metrics
