#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "admin-ui/api/facts.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox::admin {

inline constexpr std::uint32_t kConnections = 100'000;
inline constexpr std::size_t kReactors = 4;

inline telemetry::TelemetryOptions telemetry_options() {
  telemetry::TelemetryOptions out;
  out.reactors = kReactors;
  out.listeners = 2;
  return out;
}

/// Records as reactors publish them, in the slots a server would use.
inline void open_connection(telemetry::ServerTelemetry& telemetry, std::uint32_t n, const Moment& now) {
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
  cold.memory_bytes = 472 + n % 1'000 * 64;
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
  telemetry.reactor(id.reactor()).open(id, hot, cold, now.wall_ns);
}

}  // namespace equinox::admin
