// Set-up half of Router: patterns, what hides what, indexes.

#include <algorithm>
#include <stdexcept>

#include "http/headers.hpp"
#include "http/router.hpp"

namespace equinox::http {
namespace {

[[noreturn]] void refuse(std::string_view pattern, std::string_view why) {
  throw std::invalid_argument{"route \"" + std::string{pattern} + "\": " + std::string{why}};
}

void check_literal(std::string_view pattern, std::string_view segment) {
  if (segment == "." || segment == "..") refuse(pattern, "dot segments are removed from every path: it cannot match");
  if (segment.find('*') != std::string_view::npos) refuse(pattern, "'*' may only be the last segment");
  if (segment.find_first_of("{}") != std::string_view::npos) {
    refuse(pattern, "a parameter must be a whole segment, allowed is \"/users/{id}\"");
  }
  if (segment.find_first_of("?#") != std::string_view::npos) refuse(pattern, "'?' and '#' are no part of a path");
  if (segment.find('%') != std::string_view::npos) refuse(pattern, "paths are decoded: write the octet itself");
  if (!all_octets(segment, kFieldValue)) refuse(pattern, "control characters");
}

std::string parameter_name(std::string_view pattern, std::string_view segment) {
  const std::string_view name = segment.substr(1, segment.size() - 2);
  if (!is_token(name) || name.find('*') != std::string_view::npos) refuse(pattern, "a parameter needs a name");
  return std::string{name};
}

/// "." is the name of no host: without the dot that may end a name nothing is left to compare. A '*' elsewhere than in
/// front would be compared as it stands, which is a name no client asks for.
bool is_valid_host(std::string_view host) noexcept {
  if (host.starts_with("*.")) host.remove_prefix(2);
  return is_valid_authority(host) && host_of(host) == host && !host.starts_with('.') &&
         host.find('*') == std::string_view::npos;
}

}  // namespace

Router::Pattern Router::parse_pattern(std::string_view text) {
  Pattern pattern;
  if (text == "*") {  // OPTIONS *
    pattern.segments.push_back({.text = "*", .is_parameter = false});
    return pattern;
  }
  if (text.empty() || text.front() != '/') refuse(text, "must start with '/'");
  std::string_view rest = text;
  std::size_t parameters = 0;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(end);
    if (segment == "*" && rest.empty()) {
      pattern.is_prefix = true;
      break;
    }
    if (segment.size() >= 2 && segment.front() == '{' && segment.back() == '}') {
      std::string name = parameter_name(text, segment);
      const auto same = [&name](const Segment& other) { return other.is_parameter && other.text == name; };
      if (std::any_of(pattern.segments.begin(), pattern.segments.end(), same)) {
        refuse(text, "the parameter {" + name + "} stands in it twice, allowed are different names");
      }
      if (++parameters >= RouteParameters::kMax) refuse(text, "too many parameters");
      pattern.segments.push_back({.text = std::move(name), .is_parameter = true});
    } else {
      check_literal(text, segment);
      pattern.segments.push_back({.text = std::string{segment}, .is_parameter = false});
    }
  }
  return pattern;
}

bool Router::Pattern::is_literal() const noexcept {
  return !is_prefix && std::none_of(segments.begin(), segments.end(), [](const Segment& s) { return s.is_parameter; });
}

bool Router::Pattern::covers(const Pattern& other) const noexcept {
  if (is_prefix) {
    const std::size_t needed = other.is_prefix ? segments.size() : segments.size() + 1;
    if (other.segments.size() < needed) return false;
    if (segments.empty() && other.segments.size() == 1 && other.segments[0].text == "*") return false;  // OPTIONS *
  } else if (other.is_prefix || segments.size() != other.segments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const Segment& theirs = other.segments[i];
    const bool same = segments[i].is_parameter ? theirs.is_parameter || !theirs.text.empty()
                                               : !theirs.is_parameter && theirs.text == segments[i].text;
    if (!same) return false;
  }
  return true;
}

bool Router::Pattern::operator==(const Pattern& other) const noexcept { return covers(other) && other.covers(*this); }

Router::Router(const Routes& routes) {
  for (RouteEntry& entry : routes.entries()) add(std::move(entry));
  if (routes.not_found_handler()) set_status_page(404, routes.not_found_handler());
  if (routes.method_not_allowed_handler()) set_status_page(405, routes.method_not_allowed_handler());
  if (routes.internal_error_handler()) set_status_page(500, routes.internal_error_handler());
}

const Route& Router::add(std::vector<Method> methods, std::string pattern, Handler handler, RouteOptions options) {
  return add(RouteEntry{.methods = std::move(methods),
                        .pattern = std::move(pattern),
                        .options = std::move(options),
                        .handler = std::move(handler),
                        .before = {},
                        .after = {}});
}

const Route& Router::add(RouteEntry entry) {
  Pattern pattern = parse_pattern(entry.pattern);
  if (routes_.size() >= UINT16_MAX) refuse(entry.pattern, "too many routes");
  if (!entry.options.host.empty() && !is_valid_host(entry.options.host)) {
    refuse(entry.pattern, "\"" + entry.options.host + "\" is no host, allowed is a name without port, or *.name");
  }
  if (entry.options.name.starts_with('_')) {
    refuse(entry.pattern, "the name \"" + entry.options.name +
                              "\" begins with \"_\", as the server's own do in metrics, allowed is another");
  }
  MethodSet methods;
  for (const Method method : entry.methods) methods.add(method);
  if (entry.methods.empty()) methods = MethodSet::any();
  if (methods.has(Method::connect)) refuse(entry.pattern, "CONNECT has no path and is not served");
  if (entry.pattern == "*" && !(methods == MethodSet{Method::options})) {
    refuse(entry.pattern, "is the target of OPTIONS * and of nothing else, allowed is \"/*\" for every path");
  }

  auto route = std::make_unique<Route>(Route{.id = static_cast<std::uint16_t>(routes_.size()),
                                             .methods = methods,
                                             .pattern = std::move(entry.pattern),
                                             .options = std::move(entry.options),
                                             .handler = std::move(entry.handler),
                                             .before = std::move(entry.before),
                                             .after = std::move(entry.after)});
  if (route->options.name.empty()) route->options.name = route->pattern;
  route->is_literal = pattern.is_literal();
  settle_head(*route, pattern);
  refuse_hidden(*route, pattern);
  index(*route, pattern);
  patterns_.push_back(std::move(pattern));
  routes_.push_back(std::move(route));
  return *routes_.back();
}

/// GET answers HEAD too, unless the same pattern has a HEAD route of its own, before or after.
void Router::settle_head(Route& route, const Pattern& pattern) {
  const bool wants_head = route.methods.has(Method::get) && !route.methods.has(Method::head);
  bool has_own = false;
  for (const auto& earlier : routes_) {
    if (!(patterns_[earlier->id] == pattern) || earlier->options.host != route.options.host ||
        earlier->options.listener != route.options.listener) {
      continue;
    }
    if (earlier->methods.has(Method::head) && !earlier->brings_head) has_own = true;
    if (route.methods.has(Method::head) && earlier->brings_head) {
      earlier->methods.remove(Method::head);
      earlier->brings_head = false;
    }
  }
  if (!wants_head || has_own) return;
  route.methods.add(Method::head);
  route.brings_head = true;
}

/// Whether each host that fits `wanted` fits `earlier`. "*.a.example" stands for what is below a.example, and so does
/// "*.b.a.example".
bool Router::covers_host(std::string_view earlier, std::string_view wanted) noexcept {
  return earlier.empty() || host_fits(earlier, wanted);
}

/// Several may hide it together, each taking some of its methods.
void Router::refuse_hidden(const Route& route, const Pattern& pattern) const {
  MethodSet taken;
  for (const auto& earlier : routes_) {
    const bool same_listener = earlier->options.listener.empty() || earlier->options.listener == route.options.listener;
    if (!same_listener || !covers_host(earlier->options.host, route.options.host)) continue;
    if (!patterns_[earlier->id].covers(pattern)) continue;
    taken.add(earlier->methods);
    if (!taken.covers(route.methods)) continue;
    const bool is_alone = earlier->methods.covers(route.methods);
    refuse(route.pattern, "cannot match, \"" + earlier->pattern + "\" was registered before it and takes all of it" +
                              (is_alone ? "" : ", with others"));
  }
}

/// What a literal path may meet is known beforehand: for each request it is one list, found by one look.
void Router::index(const Route& route, const Pattern& pattern) {
  RouteParameters parameters;
  std::size_t count = 0;
  if (route.is_literal) {
    if (literals_.find(route.pattern) == nullptr) {
      for (const auto& earlier : routes_) {
        if (!earlier->is_literal && fits(patterns_[earlier->id], route.pattern, parameters, count)) {
          literals_.add(route.pattern, earlier->id);
        }
      }
    }
    literals_.add(route.pattern, route.id);
    return;
  }
  literals_.for_each([&](std::string_view path, std::vector<std::uint16_t>& routes) {
    if (fits(pattern, path, parameters, count)) routes.push_back(route.id);
  });
  if (pattern.segments.empty() || pattern.segments.front().is_parameter) {
    others_.push_back(route.id);
  } else {
    by_first_.add(pattern.segments.front().text, route.id);
  }
}

}  // namespace equinox::http
