#pragma once

#include <equinox/view.hpp>
#include <vector>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"

namespace equinox::admin {

struct State;
struct Session;

/// What several documents of one moment are made from, read once.
struct Sample {
  Moment now;
  ServerSnapshot snapshot;
  LiveFacts live;
  std::vector<SeriesPoint> minute;  ///< the last 60 recorded seconds, oldest first
  std::size_t reactors_stalled{0};
  static Sample of(const ServerView& view, const Moment& now);
};

Json overview_json(const State& state, const Sample& sample);
/// @param with_holders  also what holds it longest (scans the records)
Json drain_json(const State& state, const Sample& sample, bool with_holders);
Json status_json(const State& state, const Sample& sample, const Session& session);

}  // namespace equinox::admin
