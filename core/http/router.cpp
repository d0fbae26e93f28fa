#include "http/router.hpp"

#include "http/headers.hpp"
#include "http/target.hpp"

namespace equinox::http {
namespace {

/// Walks several lists of route numbers, each ascending, in the order of the numbers.
class Merged {
 public:
  Merged(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b, std::span<const std::uint16_t> c) noexcept
      : lists_{a, b, c} {}
  /// The next number and which list it came from (0: literals); false at the end.
  bool next(std::uint16_t& id, bool& is_first) noexcept {
    std::size_t best = lists_.size();
    for (std::size_t i = 0; i < lists_.size(); ++i) {
      if (!lists_[i].empty() && (best == lists_.size() || lists_[i].front() < lists_[best].front())) best = i;
    }
    if (best == lists_.size()) return false;
    id = lists_[best].front();
    is_first = best == 0;
    lists_[best] = lists_[best].subspan(1);
    return true;
  }

 private:
  std::array<std::span<const std::uint16_t>, 3> lists_;
};

bool host_fits(std::string_view wanted, std::string_view host) noexcept {
  if (!wanted.starts_with("*.")) return equals_ignoring_case(wanted, host);
  const std::string_view suffix = wanted.substr(1);
  return host.size() > suffix.size() && equals_ignoring_case(host.substr(host.size() - suffix.size()), suffix);
}

}  // namespace

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

bool Router::fits(const Pattern& pattern, std::string_view path, RouteParameters& parameters,
                  std::size_t& count) const {
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

bool Router::try_route(std::uint16_t id, bool is_literal, const RequestHead& head, std::string_view listener,
                       RouteParameters& parameters, Match& match) const {
  const Route& route = *routes_[id];
  if (!route.options.listener.empty() && route.options.listener != listener) return false;
  if (!route.options.host.empty() && !host_fits(route.options.host, host_of(head.authority))) return false;
  std::size_t count = 0;
  if (!is_literal && !fits(patterns_[id], head.path, parameters, count)) return false;
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
  const std::vector<std::uint16_t>* const literal = literals_.find(head.path);
  if (literal != nullptr && by_first_.empty() && (others_.empty() || literal->front() < others_.front()) &&
      try_route(literal->front(), true, head, listener, parameters, match)) {
    return match;  // the usual case: nothing registered earlier could take it
  }
  const std::string_view first = head.path.size() > 1 ? head.path.substr(1, head.path.find('/', 1) - 1) : "";
  const std::vector<std::uint16_t>* const prefix = by_first_.find(first);
  const auto listed = [](const std::vector<std::uint16_t>* list) {
    return list == nullptr ? std::span<const std::uint16_t>{} : std::span<const std::uint16_t>{*list};
  };
  Merged candidates{listed(literal), listed(prefix), others_};
  std::uint16_t id = 0;
  bool is_literal = false;
  while (candidates.next(id, is_literal)) {
    if (!try_route(id, is_literal, head, listener, parameters, match)) continue;
    if (!match.parameters.empty() && head.path.find('%') != std::string_view::npos) decode(match, head, parameters);
    return match;
  }
  if (head.path == "*" && match.allow.empty()) return match_asterisk();
  if (match.allow.empty()) return match;
  match.allow.add(Method::options);
  match.status = head.method == Method::options ? MatchStatus::options : MatchStatus::method_not_allowed;
  return match;
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
Match Router::match_asterisk() const {
  Match match;
  match.status = MatchStatus::options;
  match.allow.add(Method::options);
  for (const auto& route : routes_) match.allow.add(route->methods);
  return match;
}

}  // namespace equinox::http
