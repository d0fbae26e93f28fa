// The cost of a page of connections in the Admin API, with 100,000 connections open: from the request to the JSON.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>

#include "admin-ui/api/routes.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox::admin {
namespace {

constexpr std::uint32_t kConnections = 100'000;
constexpr std::size_t kReactors = 4;

telemetry::TelemetryOptions telemetry_options() {
  telemetry::TelemetryOptions out;
  out.reactors = kReactors;
  out.listeners = 2;
  return out;
}

/// Records as reactors publish them, in the slots a server would use.
void open(telemetry::ServerTelemetry& telemetry, std::uint32_t n, const Moment& now) {
  const auto id = ConnectionId::make(static_cast<ReactorIndex>(n % kReactors),
                                     static_cast<std::uint32_t>(n / kReactors), 1 + n % 7);
  RecordHot hot;
  hot.generation = id.generation;
  hot.state = static_cast<ConnectionState>(n % kCount<ConnectionState>);
  hot.protocol = static_cast<Protocol>(n % kCount<Protocol>);
  hot.requests = n % 100;
  hot.received_bytes = n * 37ULL % 100'003;
  hot.sent_bytes = n * 7919ULL % 1'000'003;
  hot.last_active_ns = now.steady_ns - static_cast<std::int64_t>(n % 90) * 1'000'000'000;
  hot.deadline = n % 5 == 0 ? DeadlineKind::none : DeadlineKind::idle;
  hot.deadline_due_ns = hot.last_active_ns + 100'000'000'000;
  hot.deadline_total_ms = 100'000;
  hot.route = static_cast<RouteId>(n % 3);
  RecordCold cold;
  cold.opened_ns = now.steady_ns - static_cast<std::int64_t>(n) * 1'000'000;
  cold.opened_wall_ns = now.wall_ns - static_cast<std::int64_t>(n) * 1'000'000;
  const Endpoint peer = Endpoint::v4(
      {10, static_cast<std::uint8_t>(n >> 16U), static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)},
      static_cast<std::uint16_t>(1024 + n % 60'000));
  cold.peer_address = peer.address;
  cold.peer_port = peer.port;
  cold.peer_known = true;
  cold.listener = static_cast<std::uint16_t>(n % 2);
  cold.sampled_ns = now.steady_ns;
  cold.rtt_us = n % 50'000;
  cold.target_request = hot.requests;
  cold.target.assign("/api/items/" + std::to_string(n) + "?key=secret" + std::to_string(n));
  telemetry.reactor(id.reactor()).open(id, hot, cold);
}

class Fixture {
 public:
  Fixture()
      : telemetry_{telemetry_options(), {"boot", "host", "traffic", "1", 0, 0}, {"http", "https"}},
        state_{std::make_shared<State>(telemetry_, Actions{}, Options{})} {
    telemetry_.intern_route("/api/items/{id}");
    const Moment now = Moment::now();
    for (std::uint32_t n = 0; n < kConnections; ++n) open(telemetry_, n, now);
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

BENCHMARK_MAIN();
