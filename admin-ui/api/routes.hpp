#pragma once

#include <equinox/routes.hpp>
#include <functional>
#include <memory>

#include "admin-ui/api/calls.hpp"
#include "admin-ui/api/state.hpp"

namespace equinox::admin {

/// The routes over a state; the state lives as long as one of their copies.
Routes routes_over(const std::shared_ptr<State>& state);

using ApiHandler = std::function<Response(State&, const Request&, const Moment&)>;
/// Turns what a handler throws into a problem document and adds the fields every answer carries.
SyncHandler guarded(const std::shared_ptr<State>& state, ApiHandler handler);

/// The part that changes things: close, jobs, drain, reload, log level.
void add_action_calls(Calls& calls, const std::shared_ptr<State>& state);

}  // namespace equinox::admin
