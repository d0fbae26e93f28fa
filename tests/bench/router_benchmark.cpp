// Finding a route: by kind of pattern, with ten, a hundred and a thousand others beside it.

#include <benchmark/benchmark.h>

#include <string>

#include "http/router.hpp"

namespace equinox::http {
namespace {

Router router_of(std::size_t groups) {
  const SyncHandler nothing = [](const Request&) { return Response{}; };
  Router router;
  for (std::size_t i = 0; i < groups; ++i) {
    const std::string group = "/group" + std::to_string(i);
    router.add({Method::get}, group + "/status", nothing);
    router.add({Method::get}, group + "/items/{id}", nothing);
    router.add({Method::get}, group + "/files/*", nothing);
  }
  return router;
}

void match(benchmark::State& state, const char* rest, MatchStatus expected) {
  const auto groups = static_cast<std::size_t>(state.range(0));
  const Router router = router_of(groups);
  const std::string path = "/group" + std::to_string(groups / 2) + rest;
  RequestHead head;
  head.path = path;
  head.authority = "a.example";
  RouteParameters parameters;
  for (auto _ : state) {
    const Match found = router.match(head, "http", parameters);
    if (found.status != expected) state.SkipWithError("another route was found");
  }
}

#define MATCH(name, rest, expected) \
  BENCHMARK_CAPTURE(match, name, rest, expected)->RangeMultiplier(10)->Range(10, 1000)->ArgName("groups")

MATCH(literal, "/status", MatchStatus::found);
MATCH(parameter, "/items/4711", MatchStatus::found);
MATCH(prefix, "/files/css/app.css", MatchStatus::found);
MATCH(nothing, "/nowhere", MatchStatus::not_found);

}  // namespace
}  // namespace equinox::http
