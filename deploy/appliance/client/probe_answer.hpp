#pragma once

#include <cstddef>
#include <string>

namespace equinox::appliance {

/// What a probe got, over whichever protocol.
struct ProbeAnswer {
  int status{0};
  std::string body;
};

/// More than this of a body is read, but not kept.
inline constexpr std::size_t kProbeKeptBytes = std::size_t{1} << 20U;

}  // namespace equinox::appliance
