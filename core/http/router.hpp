#pragma once

#include <array>
#include <cstdint>
#include <equinox/handler.hpp>
#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <equinox/routes.hpp>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/route_index.hpp"

namespace equinox::http {

/// A set of methods; `other` stands for every method without a name here.
struct MethodSet {
  std::uint16_t bits{0};
  constexpr MethodSet() = default;
  constexpr MethodSet(Method method) noexcept : bits{bit(method)} {}  // NOLINT(google-explicit-constructor)
  constexpr MethodSet(std::initializer_list<Method> methods) noexcept {
    for (const Method method : methods) bits = static_cast<std::uint16_t>(bits | bit(method));
  }
  /// All but CONNECT and TRACE, which must be asked for by name.
  static constexpr MethodSet any() noexcept {
    MethodSet all;
    all.bits = static_cast<std::uint16_t>(((1U << kMethodCount) - 1U) & ~unsigned{bit(Method::connect)} &
                                          ~unsigned{bit(Method::trace)});
    return all;
  }
  static constexpr std::uint16_t bit(Method method) noexcept {
    return static_cast<std::uint16_t>(1U << static_cast<unsigned>(method));
  }
  [[nodiscard]] constexpr bool has(Method method) const noexcept { return (bits & bit(method)) != 0; }
  [[nodiscard]] constexpr bool covers(MethodSet other) const noexcept { return (other.bits & ~bits) == 0; }
  constexpr void add(MethodSet other) noexcept { bits = static_cast<std::uint16_t>(bits | other.bits); }
  constexpr void remove(Method method) noexcept { bits = static_cast<std::uint16_t>(bits & ~unsigned{bit(method)}); }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits == 0; }
  constexpr bool operator==(const MethodSet&) const = default;
};
/// "GET, HEAD, POST": the value of an Allow field (RFC 9110 §10.2.1).
std::string to_string(MethodSet methods);

struct Route {
  std::uint16_t id{0};  ///< position of registration, 0-based: also its place in Router::routes()
  MethodSet methods;    ///< with the HEAD that GET brings along
  std::string pattern;
  RouteOptions options;  ///< name is never empty
  Handler handler;
  std::vector<Before> before;  ///< outermost first
  std::vector<After> after;    ///< innermost first
  bool brings_head{false};     ///< HEAD is in `methods` only because GET is
  bool is_literal{false};      ///< neither parameters nor a prefix
};

/// Where a match puts the path parameters; the caller owns one and reuses it.
struct RouteParameters {
  static constexpr std::size_t kMax = 16;
  std::array<PathParameter, kMax> items;
  std::string decoded;  ///< values in which a %2F was decoded
};

enum class MatchStatus : std::uint8_t {
  found,
  not_found,           ///< 404
  method_not_allowed,  ///< 405; `allow` says which are
  options,             ///< OPTIONS that no route takes itself: answer with `allow` (RFC 9110 §9.3.7)
  not_implemented,     ///< 501: CONNECT
};

struct Match {
  MatchStatus status{MatchStatus::not_found};
  const Route* route{nullptr};                ///< found only
  std::span<const PathParameter> parameters;  ///< in the caller's RouteParameters; names live as long as the router
  MethodSet allow;
};

/// Method and path → route. Patterns: literal ("/api/status"), parameters ("/users/{id}/posts/{post}"; a parameter is
/// one whole, non-empty segment), prefix ("/files/*": everything below "/files/", the rest is parameter "*"; not
/// "/files" itself). The route registered first wins, whatever its kind: "/users/{id}" before "/users/me" would take
/// "/users/me". A registration that could therefore never be reached, also for several others together, is an error.
/// Among routes of different methods the first that takes the method wins. GET brings HEAD along unless the same
/// pattern has a HEAD route of its own. Built once at set-up, then immutable and safe to read from several threads.
class Router {
 public:
  Router() = default;
  Router(Router&&) = default;
  Router& operator=(Router&&) = default;

  /// Compiles a collection, with its custom answers as status pages.
  /// @throws std::invalid_argument as add()
  explicit Router(const Routes& routes);

  /// @throws std::invalid_argument a bad pattern or option, a duplicate, or a route that an earlier one hides
  const Route& add(RouteEntry entry);
  const Route& add(std::vector<Method> methods, std::string pattern, Handler handler, RouteOptions options = {});

  /// @param listener  name of the listener the request came in by
  [[nodiscard]] Match match(const RequestHead& head, std::string_view listener, RouteParameters& parameters) const;

  [[nodiscard]] std::span<const std::unique_ptr<Route>> routes() const noexcept { return routes_; }

  /// Replaces the built-in answer of a status (404, 405, 500 …).
  void set_status_page(int status, SyncHandler page) { pages_[status] = std::move(page); }
  [[nodiscard]] const SyncHandler* status_page(int status) const noexcept;

 private:
  struct Segment {
    std::string text;  ///< literal, or the parameter's name
    bool is_parameter{false};
  };
  struct Pattern {
    std::vector<Segment> segments;
    bool is_prefix{false};
    [[nodiscard]] bool is_literal() const noexcept;
    [[nodiscard]] bool covers(const Pattern& other) const noexcept;
    bool operator==(const Pattern& other) const noexcept;
  };
  static Pattern parse_pattern(std::string_view text);
  void refuse_hidden(const Route& route, const Pattern& pattern) const;
  void settle_head(Route& route, const Pattern& pattern);
  void index(const Route& route, const Pattern& pattern);
  static bool host_fits(std::string_view wanted, std::string_view host) noexcept;
  static bool covers_host(std::string_view earlier, std::string_view wanted) noexcept;
  static bool fits(const Pattern& pattern, std::string_view path, RouteParameters& parameters, std::size_t& count);
  bool try_route(std::uint16_t id, const RequestHead& head, std::string_view listener, RouteParameters& parameters,
                 Match& match) const;
  bool try_patterns(const RequestHead& head, std::string_view listener, RouteParameters& parameters,
                    Match& match) const;
  void decode(const Match& match, const RequestHead& head, RouteParameters& parameters) const;
  void match_asterisk(Match& match) const;

  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<Pattern> patterns_;      // by route id
  RouteIndex literals_;                // whole path → all routes that take it, patterns too, in order
  RouteIndex by_first_;                // first segment → routes with parameters or a prefix, in order
  std::vector<std::uint16_t> others_;  // routes whose first segment is not literal, in order
  std::map<int, SyncHandler> pages_;
};

}  // namespace equinox::http
