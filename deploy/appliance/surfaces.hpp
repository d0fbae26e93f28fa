#pragma once

#include <equinox/metrics.hpp>
#include <equinox/server.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config.hpp"

namespace equinox::appliance {

/// What the admin surface counts about itself; empty without one.
using AdminFactsSource = std::function<metrics::AdminFacts()>;

/// Probes and metrics of `traffic`, on a server of its own with one reactor; null when it is off.
std::unique_ptr<Server> make_ops(const ApplianceConfig& config, const Server& traffic, const AdminFactsSource& admin);

metrics::Options metrics_options(const ApplianceConfig& config, const AdminFactsSource& admin = {});
/// What both further servers have in common: one reactor, small rings, the same log.
ServerConfig surface_config(const ApplianceConfig& config, std::string name, std::string address);
/// Where a browser on this machine finds the dashboard, once its socket is open; empty when the admin surface is off.
std::string dashboard_url(const ApplianceConfig& config);
/// The names under which the admin surface answers: the configured ones, and the addresses it listens at. The link to
/// the dashboard has one of them.
std::vector<std::string> admin_hosts(const AdminConfig& admin);
/// All values with their origins, for the dashboard's configuration screen.
std::vector<ConfigFact> config_facts(const Settings& settings);

}  // namespace equinox::appliance
