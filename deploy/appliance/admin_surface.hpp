#pragma once

#include <equinox/log_level.hpp>
#include <equinox/server.hpp>
#include <functional>
#include <memory>

#include "config.hpp"
#include "reload_outcome.hpp"
#include "surfaces.hpp"

namespace equinox::appliance {

/// What the admin surface counts about itself; made first, because other surfaces export it.
struct AdminUsage;
std::shared_ptr<AdminUsage> make_admin_usage();
AdminFactsSource facts_of(std::shared_ptr<AdminUsage> usage);

struct AdminSurface {
  std::unique_ptr<Server> server{};                    ///< null when it is off
  std::function<void(LogLevel)> log_level_reloaded{};  ///< empty without the API
};

/// Dashboard, admin API and metrics of `traffic`, on a server of its own with one reactor. The result must be stopped
/// before `traffic` goes away.
AdminSurface make_admin(const ApplianceConfig& config, Server& traffic, ReloadAction reload,
                        const std::shared_ptr<AdminUsage>& usage);

}  // namespace equinox::appliance
