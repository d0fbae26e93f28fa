#pragma once

#include <string>

#include "config.hpp"
#include "landlock.hpp"

namespace equinox::appliance {

/// The files this configuration needs, now and after a reload: the folders of the configuration, certificates, keys and
/// tokens (a new file takes the place of the old one, or a link is turned), static roots, the folders of log files.
LandlockRules sandbox_rules(const ApplianceConfig& config);

}  // namespace equinox::appliance
