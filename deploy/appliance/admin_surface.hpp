#pragma once

#include <equinox/server.hpp>
#include <memory>

#include "config.hpp"
#include "reload_outcome.hpp"
#include "surfaces.hpp"

namespace equinox::appliance {

/// What the admin surface counts about itself; made first, because other surfaces export it.
struct AdminUsage;
std::shared_ptr<AdminUsage> make_admin_usage();
AdminFactsSource facts_of(std::shared_ptr<AdminUsage> usage);

/// Dashboard, admin API and metrics of `traffic`, on a server of its own with one reactor; null when it is off. The
/// result must be stopped before `traffic` goes away.
std::unique_ptr<Server> make_admin(const ApplianceConfig& config, Server& traffic, ReloadAction reload,
                                   const std::shared_ptr<AdminUsage>& usage);

}  // namespace equinox::appliance
