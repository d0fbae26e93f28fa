#pragma once

#include <equinox/handler.hpp>
#include <equinox/method.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace equinox {

/// What a route may carry besides method, pattern and handler.
struct RouteOptions {
  std::string name{};  ///< metric label and dashboard name, without "_" in front; the pattern when empty
  std::string host{};  ///< only requests to this authority's host, without case; "*.example.net" allowed; empty: any
  std::string listener{};                                 ///< only connections of this listener; empty: any
  std::optional<std::uint64_t> request_body_max_bytes{};  ///< instead of the server's limit
  /// Added to every answer of the route, the server's own too. None that the server sets itself: Connection,
  /// Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, Content-Length, Date.
  std::vector<std::pair<std::string, std::string>> response_fields{};
};

/// One entry as registered. `methods` empty: all but CONNECT, which no route takes, and TRACE, which must be named.
struct RouteEntry {
  std::vector<Method> methods;
  std::string pattern;
  RouteOptions options;
  Handler handler;
  std::vector<Before> before;  ///< outermost first
  std::vector<After> after;    ///< innermost first
};

/// An ordered collection of routes; the first that matches wins. Patterns: "/users", "/users/{id}", "/files/*", and "*"
/// for OPTIONS * alone: every path is "/*". A plain value until a server compiles it; mistakes (a pattern that cannot
/// match, a duplicate) are std::invalid_argument, thrown by add() or when the server starts. The collection of a server
/// that was started takes nothing more: every member that would change it throws std::logic_error; Server::reload()
/// takes another one.
class Routes {
 public:
  Routes& get(std::string pattern, Handler handler, RouteOptions options = {}) {
    return add({Method::get}, std::move(pattern), std::move(handler), std::move(options));
  }
  Routes& head(std::string pattern, Handler handler, RouteOptions options = {}) {
    return add({Method::head}, std::move(pattern), std::move(handler), std::move(options));
  }
  Routes& post(std::string pattern, Handler handler, RouteOptions options = {}) {
    return add({Method::post}, std::move(pattern), std::move(handler), std::move(options));
  }
  Routes& put(std::string pattern, Handler handler, RouteOptions options = {}) {
    return add({Method::put}, std::move(pattern), std::move(handler), std::move(options));
  }
  Routes& patch(std::string pattern, Handler handler, RouteOptions options = {}) {
    return add({Method::patch}, std::move(pattern), std::move(handler), std::move(options));
  }
  Routes& del(std::string pattern, Handler handler, RouteOptions options = {}) {
    return add({Method::del}, std::move(pattern), std::move(handler), std::move(options));
  }
  Routes& options(std::string pattern, Handler handler, RouteOptions route_options = {}) {
    return add({Method::options}, std::move(pattern), std::move(handler), std::move(route_options));
  }
  /// All methods but CONNECT and TRACE.
  Routes& any(std::string pattern, Handler handler, RouteOptions options = {}) {
    return add({}, std::move(pattern), std::move(handler), std::move(options));
  }
  /// @throws std::invalid_argument for an empty handler, a pattern without '/' and response_fields that cannot be sent
  Routes& add(std::vector<Method> methods, std::string pattern, Handler handler, RouteOptions options = {});

  /// Middleware for every route added to this collection, before or after this call.
  /// @throws std::invalid_argument for an empty function
  Routes& before(Before middleware);
  Routes& after(After middleware);

  /// Adds the routes of `inner` below `prefix` ("/api"), wrapped in `inner`'s middleware.
  /// @throws std::invalid_argument when `prefix` does not begin with '/' or ends with it, and when `inner` has answers
  ///         of its own (not_found() and its like): those are of the outermost collection only, so they would be lost
  Routes& mount(std::string_view prefix, Routes inner);
  /// A group is a collection filled by `fill` and mounted. @throws as mount()
  Routes& group(std::string_view prefix, const std::function<void(Routes&)>& fill);

  /// Custom answers of the outermost collection; the handlers are synchronous, and an empty one brings the server's own
  /// answer back. `internal_error` is used for exceptions and unanswered requests.
  Routes& not_found(SyncHandler handler);
  Routes& method_not_allowed(SyncHandler handler);
  Routes& internal_error(SyncHandler handler);

  /// All entries with this collection's middleware already applied, in order.
  [[nodiscard]] std::vector<RouteEntry> entries() const;
  [[nodiscard]] const SyncHandler& not_found_handler() const noexcept { return not_found_; }
  [[nodiscard]] const SyncHandler& method_not_allowed_handler() const noexcept { return method_not_allowed_; }
  [[nodiscard]] const SyncHandler& internal_error_handler() const noexcept { return internal_error_; }

 protected:
  /// Nothing may be added any more: it would be read by nobody, or by a thread that does not expect a change.
  void seal() noexcept { seal_.is_set = true; }

 private:
  /// Belongs to the object, not to its value: a copy of a server's routes may be changed and handed to reload().
  struct Seal {
    bool is_set{false};
    Seal() = default;
    ~Seal() = default;
    Seal(const Seal&) noexcept {}
    Seal(Seal&&) noexcept {}
    Seal& operator=(const Seal&) noexcept { return *this; }
    Seal& operator=(Seal&&) noexcept { return *this; }
  };
  void require_open() const;

  Seal seal_;
  std::vector<RouteEntry> entries_;
  std::vector<Before> before_;
  std::vector<After> after_;
  SyncHandler not_found_;
  SyncHandler method_not_allowed_;
  SyncHandler internal_error_;
};

}  // namespace equinox
