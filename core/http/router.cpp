#include "http/router.hpp"

#include "http/headers.hpp"
#include "http/target.hpp"

namespace equinox::http {

std::string to_string(MethodSet methods) {
  std::string text;
  for (std::size_t i = 0; i + 1 < kMethodCount; ++i) {
    const auto method = static_cast<Method>(i);
    if (!methods.has(method)) continue;
    if (!text.empty()) text.append(", ");
    text.append(to_string(method));
  }
  return text;
}

const SyncHandler* Router::status_page(int status) const noexcept {
  const auto found = pages_.find(status);
  return found == pages_.end() ? nullptr : &found->second;
}

bool Router::host_fits(std::string_view wanted, std::string_view host) noexcept {
  // "a.example." is the same host, written as a fully qualified name.
  for (std::string_view* const name : {&wanted, &host}) {
    if (name->ends_with('.')) name->remove_suffix(1);
  }
  if (!wanted.starts_with("*.")) return equals_ignoring_case(wanted, host);
  const std::string_view suffix = wanted.substr(1);
  return host.size() > suffix.size() && equals_ignoring_case(host.substr(host.size() - suffix.size()), suffix);
}

bool Router::fits(const Pattern& pattern, std::string_view path, RouteParameters& parameters, std::size_t& count) {
  std::size_t at = 0;
  count = 0;
  for (const Segment& segment : pattern.segments) {
    if (at >= path.size() || path[at] != '/') return false;
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view text = path.substr(at + 1, end - at - 1);
    if (segment.is_parameter) {
      if (text.empty()) return false;
      parameters.items[count++] = {segment.text, text};
    } else if (text != segment.text) {
      return false;
    }
    at = end;
  }
  if (!pattern.is_prefix) return at == path.size();
  if (at >= path.size() || path[at] != '/') return false;
  parameters.items[count++] = {"*", path.substr(at + 1)};
  return true;
}

bool Router::try_route(std::uint16_t id, const RequestHead& head, std::string_view listener,
                       RouteParameters& parameters, Match& match) const {
  const Route& route = *routes_[id];
  if (!route.options.listener.empty() && route.options.listener != listener) return false;
  if (!route.options.host.empty() && !host_fits(route.options.host, host_of(head.authority))) return false;
  std::size_t count = 0;
  if (!route.is_literal && !fits(patterns_[id], head.path, parameters, count)) return false;
  if (!route.methods.has(head.method)) {
    match.allow.add(route.methods);
    return false;
  }
  match.status = MatchStatus::found;
  match.route = &route;
  match.parameters = {parameters.items.data(), count};
  return true;
}

Match Router::match(const RequestHead& head, std::string_view listener, RouteParameters& parameters) const {
  Match match;
  if (head.method == Method::connect) {
    match.status = MatchStatus::not_implemented;
    return match;
  }
  if (const std::vector<std::uint16_t>* const candidates = literals_.find(head.path)) {
    for (const std::uint16_t id : *candidates) {
      if (try_route(id, head, listener, parameters, match)) return match;
    }
  } else if (try_patterns(head, listener, parameters, match)) {
    return match;
  }
  if (head.path == "*" && match.allow.empty()) {
    match_asterisk(match);
    return match;  // always the same one: it is built where the caller wants it
  }
  if (match.allow.empty()) return match;
  match.allow.add(Method::options);
  match.status = head.method == Method::options ? MatchStatus::options : MatchStatus::method_not_allowed;
  return match;
}

/// Those that begin with the path's first segment and those that may begin with any, in the order of registration.
bool Router::try_patterns(const RequestHead& head, std::string_view listener, RouteParameters& parameters,
                          Match& match) const {
  const std::string_view first = head.path.size() > 1 ? head.path.substr(1, head.path.find('/', 1) - 1) : "";
  const std::vector<std::uint16_t>* const listed = by_first_.find(first);
  std::span<const std::uint16_t> named = listed == nullptr ? std::span<const std::uint16_t>{} : *listed;
  std::span<const std::uint16_t> others = others_;
  while (!named.empty() || !others.empty()) {
    auto& earlier = others.empty() || (!named.empty() && named.front() < others.front()) ? named : others;
    const std::uint16_t id = earlier.front();
    earlier = earlier.subspan(1);
    if (!try_route(id, head, listener, parameters, match)) continue;
    if (head.path.find('%') != std::string_view::npos) decode(match, head, parameters);
    return true;
  }
  return false;
}

/// Values, but not the rest of a prefix: there a decoded slash could not be told from a separator.
void Router::decode(const Match& match, const RequestHead& head, RouteParameters& parameters) const {
  parameters.decoded.clear();
  parameters.decoded.reserve(head.path.size());
  for (std::size_t i = 0; i < match.parameters.size(); ++i) {
    PathParameter& parameter = parameters.items[i];
    if (parameter.name != "*") parameter.value = decode_rest(parameter.value, parameters.decoded);
  }
}

/// OPTIONS * asks what the server can do at all (RFC 9110 §9.3.7).
void Router::match_asterisk(Match& match) const {
  match.status = MatchStatus::options;
  match.allow.add(Method::options);
  for (const auto& route : routes_) match.allow.add(route->methods);
}

}  // namespace equinox::http
