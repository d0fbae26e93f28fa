#pragma once

#include <equinox/metrics.hpp>
#include <equinox/server.hpp>
#include <memory>
#include <string>

#include "config.hpp"

namespace equinox::appliance {

/// Probes and metrics of `traffic`, on a server of its own with one reactor; null when it is off.
std::unique_ptr<Server> make_ops(const ApplianceConfig& config, const Server& traffic);

metrics::Options metrics_options(const ApplianceConfig& config);
/// What both further servers have in common: one reactor, small rings, the same log.
ServerConfig surface_config(const ApplianceConfig& config, std::string name, std::string address);
/// Where a browser on this machine finds the dashboard; empty when the admin surface is off.
std::string dashboard_url(const ApplianceConfig& config);
/// All values with their origins, for the dashboard's configuration screen.
std::vector<ConfigFact> config_facts(const Settings& settings);

}  // namespace equinox::appliance
