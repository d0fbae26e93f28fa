#pragma once

#include <functional>
#include <string>
#include <vector>

namespace equinox::appliance {

/// What a reload of configuration and certificates came to.
struct ReloadOutcome {
  std::string error;                 ///< why nothing has changed; empty: done
  std::vector<std::string> changed;  ///< keys
};
/// Has configuration and certificates read again, and waits for what comes of it.
using ReloadAction = std::function<ReloadOutcome()>;

}  // namespace equinox::appliance
