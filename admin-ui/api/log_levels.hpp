#pragma once

#include <equinox/admin.hpp>
#include <string_view>

#include "admin-ui/api/json.hpp"

namespace equinox::admin {

/// "warn" for LogLevel::warning and so on.
std::string_view level_name(LogLevel level) noexcept;
/// A LogLevelPage.
Json log_levels_json(const LogLevels::Levels& levels);

}  // namespace equinox::admin
