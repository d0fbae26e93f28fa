#pragma once

#include <chrono>
#include <cstdint>
#include <equinox/config.hpp>
#include <equinox/routes.hpp>
#include <equinox/vocabulary.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/network.hpp"
#include "http/forwarded.hpp"
#include "http/limits.hpp"
#include "http/router.hpp"
#include "net/tls_context.hpp"

namespace equinox::server {

/// What one listener decides for its connections; replaced as a whole by a reload.
struct ListenerSettings {
  std::string name;
  bool is_tls{false};
  H2c h2c{H2c::on};
  std::shared_ptr<const net::TlsContext> tls;
  std::vector<Network> proxy_protocol_from;
};

/// Everything a reload may change, as one immutable snapshot handed to each reactor. An exchange that outlives its turn
/// keeps the snapshot it began with.
struct Settings {
  http::Router router;
  std::vector<RouteId> route_ids;  ///< numbers in telemetry, by http::Route::id
  http::Limits limits;
  LimitConfig bounds;
  TimeoutConfig timeouts;
  std::vector<ListenerSettings> listeners;
  std::vector<Network> trusted_proxies;
  std::uint64_t slow_ns{0};
  std::uint64_t stall_ns{0};
  bool request_ids{true};
  bool access_log{false};
  RedactionConfig redaction;
};

/// Gives a route's name its number in telemetry.
using RouteNumbering = std::function<RouteId(std::string_view name)>;

/// Validates and compiles. `previous` lends the TLS ticket keys, so that resumption survives a reload.
/// @throws std::invalid_argument with the key and the reason
std::shared_ptr<const Settings> make_settings(const ServerConfig& config, const Routes& routes,
                                              const RouteNumbering& number_of, const Settings* previous);

/// As it is shown: its own, or that of its scheme.
std::string listener_name(const ListenerConfig& listener);

/// What a timeout is at most: as many milliseconds as a record can hold, 49 days. std::chrono::milliseconds::max() for
/// "never" becomes this.
inline constexpr std::chrono::milliseconds kLongest{UINT32_MAX};
/// As every configuration is taken: no time in it is longer than that.
ServerConfig with_bounded_times(ServerConfig config) noexcept;

/// How long the deadline of that kind is; 0 for none. Of a PING: from the peer's last byte on.
inline std::chrono::milliseconds length_of(DeadlineKind kind, const TimeoutConfig& timeouts) noexcept {
  switch (kind) {
    case DeadlineKind::none: break;
    case DeadlineKind::handshake: return timeouts.handshake;
    case DeadlineKind::first_request:
    case DeadlineKind::head: return timeouts.header;
    case DeadlineKind::body: return timeouts.body;
    case DeadlineKind::handler: return timeouts.handler;
    case DeadlineKind::write: return timeouts.write;
    case DeadlineKind::idle: return timeouts.idle;
    case DeadlineKind::ping: return timeouts.ping_after + timeouts.ping;
    case DeadlineKind::max_age: return timeouts.max_age;
  }
  return {};
}

/// A process has no more descriptors than this, whatever its limit says.
inline constexpr std::uint64_t kDescriptorsAtMost = 1'048'576;
/// The most connections: as configured, else what the limit of descriptors leaves room for.
std::uint32_t connection_limit(const LimitConfig& limits);

/// What a TLS context is made from. @throws std::invalid_argument for an unknown version
net::TlsSettings tls_settings(const TlsConfig& config);

/// The bounds a codec needs, from the configuration.
http::Limits protocol_limits(const LimitConfig& limits);

}  // namespace equinox::server
