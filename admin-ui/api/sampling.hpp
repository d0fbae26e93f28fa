#pragma once

#include <cstdint>
#include <equinox/snapshot.hpp>

namespace equinox::admin {

/// How coarse the lists of requests are: under load not every finished request is kept one by one. One thread.
class Sampling {
 public:
  /// @return one of how many was kept since the last look; a power of two, 1: every one. Rises at once, falls only
  /// after
  ///         five calmer looks, so that load around the threshold does not make it flicker.
  std::uint64_t look(const ServerSnapshot& now);

 private:
  bool has_looked_{false};
  std::uint64_t finished_{0};
  std::uint64_t kept_{0};
  std::uint64_t shown_{1};
  int calmer_{0};
};

}  // namespace equinox::admin
