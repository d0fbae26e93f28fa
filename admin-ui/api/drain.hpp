#pragma once

#include "admin-ui/api/json.hpp"

namespace equinox::admin {

struct Sample;
struct State;

/// Where a drain stands, or what one would have to wait for, with an estimate. Scans the records while requests run.
/// @param with_holders  also what holds it longest
Json drain_json(const State& state, const Sample& sample, bool with_holders);

}  // namespace equinox::admin
