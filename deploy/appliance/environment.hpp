#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config.hpp"

namespace equinox::appliance {

/// Replaces every "auto" by what it means on this machine, with the rule as its origin: reactors, connections (raises
/// RLIMIT_NOFILE to its hard limit), memory ("none" without a limit), HTTP/2 resets, log formats, instance. @return
/// warnings for the log.
std::vector<std::string> resolve_environment(ApplianceConfig& config);
/// Of a reload, before the rest of `next` is resolved: an "auto" that only a start can follow keeps what it came to
/// then. A machine that has changed since is not a changed file, and must not refuse one.
void keep_resolved(const ApplianceConfig& running, ApplianceConfig& next);

/// One socket handed over by the service manager (sd_listen_fds(3)).
struct InheritedSocket {
  int descriptor{-1};
  std::string name;     ///< from LISTEN_FDNAMES; empty: none
  std::string address;  ///< as bound, "127.0.0.1:8080"; empty when it is no IP socket
};
/// Takes them once: the variables are removed so that no child believes they are meant for it.
std::vector<InheritedSocket> take_inherited_sockets();
/// The names of the surfaces' sockets among those handed over.
inline constexpr std::string_view kOpsSocket = "equinox-ops";
inline constexpr std::string_view kAdminSocket = "equinox-admin";
/// Gives each socket to the listener or surface of its name, else to the one with its port. More sockets for a listener
/// than reactors raise the number of reactors: a socket nobody accepts from would leave its clients waiting.
/// @return a message for each socket that nobody wants, and for what was raised
std::vector<std::string> adopt_sockets(ApplianceConfig& config, const std::vector<InheritedSocket>& sockets);
/// What was handed over counts, not what "admin.address" says: that surface may be open to others only as it might be
/// at such an address.
std::vector<ConfigProblem> check_adopted_admin(const ApplianceConfig& config,
                                               const std::vector<InheritedSocket>& sockets);

}  // namespace equinox::appliance
