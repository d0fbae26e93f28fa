#pragma once

#include <cstdint>
#include <equinox/view.hpp>
#include <string>

#include "admin-ui/api/facts.hpp"

namespace equinox::admin {

struct State;

/// Looks once a second and writes what changed into the list of changes: reloads, drains, stalls, bursts of evictions,
/// abuse, refused connections. The ticker's thread only.
class Watch {
 public:
  void look(State& state, const Moment& now);

 private:
  void look_at_life(State& state, const Moment& now, const LiveFacts& live);
  void look_at_stalls(State& state, const Moment& now);
  void look_at_series(State& state, const Moment& now);

  bool has_looked_{false};
  std::int64_t reloaded_wall_ns_{0};
  std::string reload_error_;
  DrainState drain_{DrainState::none};
  std::string certificates_;         ///< what tells them apart; empty until the first are seen
  std::int64_t stalls_until_ns_{0};  ///< starts up to here are known
  std::int64_t second_wall_ns_{0};
  std::int64_t evictions_quiet_until_ns_{0};
  std::int64_t abuse_quiet_until_ns_{0};
  std::int64_t rejected_quiet_until_ns_{0};
};

}  // namespace equinox::admin
