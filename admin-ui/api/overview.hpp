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

/// Quantile over the last of some seconds; null without requests. Beyond the histogram it is its last edge.
Json quantile_json(const std::vector<SeriesPoint>& points, std::size_t last, double q);
Json overview_json(const State& state, const Sample& sample);
Json status_json(const State& state, const Sample& sample, const Session& session);

}  // namespace equinox::admin
