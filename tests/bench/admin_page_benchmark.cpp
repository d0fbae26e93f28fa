// The cost of a page of connections in the Admin API, with 100,000 connections open: from the request to the JSON.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include "admin-ui/api/routes.hpp"
#include "bench/made_connections.hpp"

namespace equinox::admin {
namespace {

class Fixture {
 public:
  Fixture()
      : telemetry_{telemetry_options(), {"boot", "host", "traffic", "1", 0, 0}, {"http", "https"}},
        state_{std::make_shared<State>(telemetry_, Actions{}, Options{})} {
    telemetry_.intern_route("/api/items/{id}");
    const Moment now = Moment::now();
    for (std::uint32_t n = 0; n < kConnections; ++n) open_connection(telemetry_, n, now);
    // Two looks, so that rates are known.
    state_->rates.look(telemetry_, now);
    state_->rates.look(telemetry_, {now.steady_ns + 1'000'000'000, now.wall_ns + 1'000'000'000});
    for (RouteEntry& entry : routes_over(state_).entries()) {
      if (entry.pattern == "/api/v1/connections" && !entry.methods.empty()) page_ = *entry.handler.sync();
    }
    if (!page_) throw std::logic_error{"there is no list of connections"};
  }

  /// One call of GET /connections; bytes of the answer.
  std::size_t page(std::string_view query) const {
    RequestHead head;
    head.path = "/api/v1/connections";
    head.query = query;
    head.authority = "127.0.0.1:9181";
    RequestContext context;
    context.peer = context.client = Endpoint::v4({127, 0, 0, 1}, 40'000);
    const Request request{head, context, {}, {}};
    Response response = page_(request);
    const auto* text = std::get_if<std::string>(&response.body());
    if (response.status().code() != 200 || text == nullptr) throw std::runtime_error{"the page was refused"};
    return text->size();
  }

 private:
  telemetry::ServerTelemetry telemetry_;
  std::shared_ptr<State> state_;
  SyncHandler page_;
};

void page_of_200(benchmark::State& state, const char* query) {
  static const Fixture fixture;
  std::size_t bytes = 0;
  for (auto _ : state) benchmark::DoNotOptimize(bytes = fixture.page(query));
  state.counters["answer_bytes"] = static_cast<double>(bytes);
}

#define PAGE(name, query) BENCHMARK_CAPTURE(page_of_200, name, query "&limit=200")->Unit(benchmark::kMillisecond)

PAGE(all_by_id, "query=");
PAGE(all_by_bytes_sent, "sort=sent&order=desc");
PAGE(idle_by_age, "query=state:idle+idle>5s&sort=age&order=desc");
PAGE(by_route_and_words, "query=route:/api/*+proto:h2+-state:closing&sort=rtt&order=desc");
PAGE(by_target, "query=target:*99*&sort=peer");
PAGE(by_bare_word, "query=items/7&sort=received&order=desc");
PAGE(by_rate, "query=out_rate>=0&sort=out_rate&order=desc");
PAGE(nothing_found, "query=sni:nobody+age>10h&sort=sent");

}  // namespace
}  // namespace equinox::admin
