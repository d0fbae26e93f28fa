#pragma once

#include <equinox/routes.hpp>
#include <equinox/view.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config.hpp"
#include "handlers/compressed_cache.hpp"

namespace equinox::appliance {

/// What the handlers of configured routes need from the running process.
struct SiteParts {
  const ServerView* view{nullptr};  ///< null only for checking: handlers that need it then answer 503
  handlers::Offload offload{};
  std::string dashboard{};  ///< URL for the welcome page; empty: none
};

/// The handler of one route. @throws std::invalid_argument for a static root that cannot be opened
Handler make_handler(const RouteConfig& route, const ApplianceConfig& config, const SiteParts& parts);
/// All routes of the configuration, in order. @throws std::invalid_argument as make_handler
Routes make_site(const ApplianceConfig& config, const SiteParts& parts);

/// Whether every `tls` block can be used, admin's too: certificates, keys, ciphers.
std::vector<ConfigProblem> check_certificates(const ApplianceConfig& config);
/// Whether the fallbacks of static routes can be sent.
std::vector<ConfigProblem> check_fallbacks(const ApplianceConfig& config);
/// Whether the routes can all be reached and the server takes the rest: what it can tell without any file.
std::vector<ConfigProblem> check_rules(const ApplianceConfig& config);
/// check_certificates(), check_fallbacks() and check_rules(): all that only the server itself can tell.
std::vector<ConfigProblem> check_site(const ApplianceConfig& config);

}  // namespace equinox::appliance
