#pragma once

#include <array>
#include <string_view>

#include "admin-ui/api/access.hpp"

namespace equinox::admin {

/// What may be done over the API, as audit, log and metric name it, and the least role it takes.
struct AuditAction {
  std::string_view name;
  Role role;
  bool can_fail{false};  ///< allowed, tried, and not done
};

inline constexpr AuditAction kCloseAction{"close", Role::operator_};
inline constexpr AuditAction kDrainConnectionsAction{"drain connections", Role::operator_};
inline constexpr AuditAction kStopJobAction{"stop job", Role::operator_};
inline constexpr AuditAction kDrainAction{"drain", Role::operator_};
inline constexpr AuditAction kUndrainAction{"undrain", Role::operator_, true};
inline constexpr AuditAction kReloadAction{"reload", Role::admin, true};
inline constexpr AuditAction kLogLevelAction{"log level", Role::operator_};
inline constexpr std::array kAuditActions{kCloseAction,   kDrainConnectionsAction, kStopJobAction, kDrainAction,
                                          kUndrainAction, kReloadAction,           kLogLevelAction};
/// Whoever has a token may; nobody is somebody before, and after.
inline constexpr std::string_view kSignInAction = "sign in";
inline constexpr std::string_view kSignOutAction = "sign out";
/// The server does it.
inline constexpr std::string_view kTokensFileAction = "tokens file";

}  // namespace equinox::admin
