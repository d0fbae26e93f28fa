#include "handlers/static_path.hpp"

#include <climits>

namespace equinox::handlers {

std::optional<StaticPath> map_static_path(std::string_view rest) noexcept {
  StaticPath out;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  out.names_folder = rest.empty() || rest.back() == '/';
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  out.relative = rest;
  if (rest.size() >= PATH_MAX) return std::nullopt;
  bool is_first = true;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    const bool is_well_known = is_first && segment == ".well-known";
    if (segment.empty() || segment.size() > NAME_MAX || (segment.front() == '.' && !is_well_known)) return std::nullopt;
    if (segment.find('\0') != std::string_view::npos) return std::nullopt;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
    if (rest.empty()) return std::nullopt;  // two slashes at the end
    is_first = false;
  }
  return out;
}

}  // namespace equinox::handlers
