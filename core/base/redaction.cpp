#include "base/redaction.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace equinox {

std::string masked_query(std::string_view text) {
  const std::size_t mark = text.find('?');
  if (mark == std::string_view::npos) return std::string{text};
  std::string out{text.substr(0, mark + 1)};
  std::string_view rest = text.substr(mark + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    // A pair without '=' may be a secret as well.
    if (equals != std::string_view::npos) out.append(pair.substr(0, equals + 1));
    if (!pair.empty()) out.append("***");
    if (end < rest.size()) out.push_back('&');
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

Endpoint truncated(const Endpoint& endpoint) noexcept {
  Endpoint cut = endpoint;
  const std::size_t kept = endpoint.is_v4() ? 15 : 6;
  std::fill(cut.address.begin() + static_cast<std::ptrdiff_t>(kept), cut.address.end(), std::uint8_t{0});
  cut.port = 0;
  return cut;
}

}  // namespace equinox
