#pragma once

#include <cstdint>
#include <equinox/endpoint.hpp>
#include <equinox/view.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace equinox::admin {

/// Both clocks at one moment.
struct Moment {
  std::int64_t steady_ns{0};
  std::int64_t wall_ns{0};
  static Moment now() noexcept;
};

/// What may be shown of targets and addresses.
struct Redaction {
  bool show_query_values{false};
  bool truncate_client_address{false};
};

/// Names of routes and listeners by index.
struct Names {
  std::vector<std::string> routes;
  std::vector<std::string> listeners;

  static Names of(const ServerView& view) { return {view.route_names(), view.listener_names()}; }
  [[nodiscard]] std::string_view route(RouteId id) const noexcept {
    return id < routes.size() ? std::string_view{routes[id]} : "_other";
  }
  [[nodiscard]] std::string_view listener(std::size_t index) const noexcept {
    return index < listeners.size() ? std::string_view{listeners[index]} : std::string_view{};
  }
};

/// "/a?x=1&y" → "/a?x=***&***" unless values may be shown.
std::string shown_target(std::string_view target, const Redaction& redaction);
std::string shown_peer(const Endpoint& endpoint, const Redaction& redaction);
/// The same; a proxy that forwards requests mostly names no port, and 0 would be none.
std::string shown_client(const Endpoint& endpoint, const Redaction& redaction);
/// The same for an address that is text already, with or without a port: "192.0.2.1", "[2001:db8::1]:80".
std::string shown_address(std::string_view text, const Redaction& redaction);
/// The method's name; empty for an index outside the table.
std::string_view method_label(std::uint8_t method) noexcept;

/// Whether it can tell of a request. One that was refused before it was understood counts as none, but has an answer.
inline bool has_request(const ClosedRecord& record) noexcept { return record.requests != 0 || record.status != 0; }

/// What a connection moved per second between the last two looks.
struct Rate {
  double received{0};
  double sent{0};
};

}  // namespace equinox::admin
