#include "admin-ui/api/calls.hpp"

#include <algorithm>
#include <string_view>

#include "admin-ui/api/routes.hpp"

namespace equinox::admin {
namespace {

bool has_parameter(std::string_view pattern) noexcept { return pattern.find('{') != std::string_view::npos; }

/// What a known path answers to a method it does not have; OPTIONS is told what it has.
SyncHandler other_methods(const std::shared_ptr<State>& state, std::string allowed) {
  return guarded(state, [allowed = std::move(allowed)](State&, const Request& request, const Moment&) {
    if (request.method() == Method::options) {
      return Response::empty().with("Cache-Control", "no-store").with("Allow", allowed);
    }
    const std::string method{request.method_name()};
    const Problem problem{405, "method-not-allowed", "This call has other methods",
                          method + " is not one of " + allowed};
    return problem.response().with("Allow", allowed);
  });
}

}  // namespace

void any_method(Routes& routes, const std::string& pattern, const SyncHandler& handler) {
  routes.any(pattern, handler);
  routes.add({Method::trace}, pattern, handler);
}

void Calls::add(Method method, std::string path, SyncHandler handler) {
  auto found = std::find_if(paths_.begin(), paths_.end(), [&path](const Path& known) { return known.pattern == path; });
  if (found == paths_.end()) found = paths_.insert(paths_.end(), Path{std::move(path), {}});
  found->calls.push_back({method, std::move(handler)});
}

void Calls::add_to(Routes& routes, const std::shared_ptr<State>& state) {
  std::stable_partition(paths_.begin(), paths_.end(), [](const Path& path) { return !has_parameter(path.pattern); });
  for (const Path& path : paths_) {
    std::string allowed;
    for (const Call& call : path.calls) {
      allowed.append(allowed.empty() ? "" : ", ").append(to_string(call.method));
      std::vector<Method> methods{call.method};
      if (call.method == Method::get) {
        // By name: the route for all other methods would take the HEAD that a GET brings along.
        methods.push_back(Method::head);
        allowed.append(", HEAD");
      }
      routes.add(std::move(methods), path.pattern, call.handler);
    }
    any_method(routes, path.pattern, other_methods(state, std::move(allowed)));
  }
}

}  // namespace equinox::admin
