#pragma once

#include "admin-ui/api/json.hpp"
#include "admin-ui/api/rows.hpp"

namespace equinox::admin {

struct State;

Json closed_json(const State& state, const Request& request, const Moment& now);
Json slow_requests_json(const State& state, const Request& request, const Moment& now);
/// The requests behind a heatmap cell. @throws Problem 400
Json cell_requests_json(const State& state, const Request& request, const Moment& now);
Json strip_json(const ServerView& view, std::size_t cells, const Moment& now);
Json deadlines_json(const ServerView& view, const Moment& now);
Json routes_json(const State& state, const Moment& now);
Json http2_json(State& state, const Moment& now);
Json reactors_json(const State& state, const Moment& now);
Json stalls_json(const State& state, std::size_t limit, const Moment& now);
Json config_json(const State& state);
Json certificates_json(const ServerView& view);
/// Memory, descriptors and CPU of this process (Linux /proc).
Json process_json();
/// Everything about one connection. @throws Problem 404
Json connection_json(const State& state, ConnectionId id, const Moment& now);

}  // namespace equinox::admin
