#pragma once

#include <equinox/method.hpp>
#include <equinox/routes.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace equinox::admin {

struct State;

/// Every method there is: TRACE is in no route that does not name it.
void any_method(Routes& routes, const std::string& pattern, const SyncHandler& handler);

/// The calls of the API, gathered by path: a known path asked with another method is 405 with Allow (RFC 9110 §15.5.6),
/// never a call with a parameter that happens to match.
class Calls {
 public:
  void get(std::string path, SyncHandler handler) { add(Method::get, std::move(path), std::move(handler)); }
  void post(std::string path, SyncHandler handler) { add(Method::post, std::move(path), std::move(handler)); }
  void put(std::string path, SyncHandler handler) { add(Method::put, std::move(path), std::move(handler)); }
  void del(std::string path, SyncHandler handler) { add(Method::del, std::move(path), std::move(handler)); }

  /// Registers them, paths without parameters first.
  void add_to(Routes& routes, const std::shared_ptr<State>& state);

 private:
  struct Call {
    Method method;
    SyncHandler handler;
  };
  struct Path {
    std::string pattern;
    std::vector<Call> calls;
  };
  void add(Method method, std::string path, SyncHandler handler);

  std::vector<Path> paths_;
};

}  // namespace equinox::admin
