#include "redirect_target.hpp"

#include <algorithm>

namespace equinox::appliance {
namespace {

constexpr auto kNowhere = std::string_view::npos;

/// Where the authority begins: behind "scheme:" and whatever slashes, or behind two of them. Browsers take a backslash
/// for a slash.
std::size_t find_authority(std::string_view to) noexcept {
  const std::size_t scheme_end = to.find_first_of(":/\\?#{");
  const bool has_scheme = scheme_end != kNowhere && to[scheme_end] == ':';
  const std::size_t slashes = has_scheme ? scheme_end + 1 : 0;
  const std::size_t begin = std::min(to.find_first_not_of("/\\", slashes), to.size());
  return has_scheme || begin >= 2 ? begin : kNowhere;
}

}  // namespace

std::string_view host_naming_placeholder(std::string_view to) noexcept {
  const std::size_t begin = find_authority(to);
  // Of what may begin a path, only a query keeps its colons: "https:" would be a scheme.
  if (begin == kNowhere) return to.starts_with("{query}") ? to.substr(1, 5) : std::string_view{};
  std::size_t at = begin;
  while (true) {
    at = to.find_first_of("{/\\?#", at);
    const std::size_t close = to.find('}', at);
    if (at == kNowhere || to[at] != '{' || close == kNowhere) return {};
    const std::string_view name = to.substr(at + 1, close - at - 1);
    if (name == "path" && at != begin) return {};  // begins with a slash
    const bool is_parameter = name != "path" && name != "rest" && name != "query";
    const bool is_own_host = name == "host" || name == "authority";
    const bool is_below_a_host = is_parameter && at == begin && to.substr(close + 1).starts_with('.');
    if (!is_own_host && !is_below_a_host) return name;
    at = close + 1;
  }
}

}  // namespace equinox::appliance
