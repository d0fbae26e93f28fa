#pragma once

#include <equinox/view.hpp>
#include <string>

#include "telemetry/server_telemetry.hpp"

namespace equinox::metrics {

/// A server's telemetry that has seen some traffic, without a server.
class ObservedServer {
 public:
  static constexpr std::int64_t kWall = 1'700'000'000'123'000'000;

  explicit ObservedServer(std::size_t reactors = 2) : telemetry{options(reactors), identity(), {"http", "https"}} {}

  RouteId route(std::string_view name) { return telemetry.intern_route(name); }

  void request(RouteId route, std::uint16_t status, std::int64_t total_ns, std::size_t reactor = 0,
               ErrorType error = ErrorType::none) {
    telemetry::RequestSample sample;
    sample.route = route;
    sample.status = status;
    sample.error = error;
    sample.total_ns = total_ns;
    sample.phases_ns = {0, 0, 0, total_ns, 0};
    sample.first_byte_ns = total_ns / 2;
    sample.wall_ns = kWall;
    sample.connection = ConnectionId::make(static_cast<ReactorIndex>(reactor), 7, 1);
    sample.stream = 1;
    sample.protocol = Protocol::http11;
    sample.request_id = request_id;
    sample.trace_id = trace_id;
    sample.target = "/secret?token=1";
    telemetry.reactor(reactor).stats().request_started(0, 0);
    telemetry.reactor(reactor).request_finished(sample);
  }

  void open_and_close(CloseReason reason) {
    const auto id = ConnectionId::make(0, 1, 1);
    RecordHot hot;
    hot.generation = 1;
    hot.state = ConnectionState::idle;
    hot.protocol = Protocol::http11;
    auto& slot = telemetry.reactor(0).open(id, hot, {}, kWall);
    telemetry::CloseFacts facts;
    facts.reason = reason;
    telemetry.reactor(0).close(slot, id, hot, facts, 1'000'000'000, kWall);
  }

  telemetry::ServerTelemetry telemetry;
  std::string request_id{"request-1"};  ///< of the requests to come
  std::string trace_id{"0af7651916cd43dd8448eb211c80319c"};

 private:
  static telemetry::TelemetryOptions options(std::size_t reactors) {
    telemetry::TelemetryOptions out;
    out.reactors = reactors;
    out.connections_per_reactor = 100;
    out.closed = out.slow = out.samples = out.recent = out.timeline = out.stalls = 16;
    return out;
  }
  static ServerIdentity identity() { return {"boot", "host", "traffic", "1.2.3", kWall, 0}; }
};

}  // namespace equinox::metrics
