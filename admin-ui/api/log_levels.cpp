#include "admin-ui/api/log_levels.hpp"

#include <array>
#include <utility>

#include "admin-ui/api/facts.hpp"

namespace equinox::admin {

LogLevels::LogLevels(LogLevel configured, std::function<void(LogLevel)> apply)
    : levels_{configured, configured, 0}, apply_{std::move(apply)} {}

void LogLevels::reload(LogLevel configured) {
  const std::lock_guard lock{mutex_};
  levels_.configured = configured;
  if (reverts_ns_ == 0) levels_.level = configured;
  apply_(levels_.level);
}

LogLevels::Levels LogLevels::levels() const {
  const std::lock_guard lock{mutex_};
  return levels_;
}

void LogLevels::set(LogLevel level, std::optional<double> for_seconds, const Moment& now) {
  const std::lock_guard lock{mutex_};
  levels_.level = level;
  const bool reverts = for_seconds.has_value() && level != levels_.configured;
  const auto ns = reverts ? static_cast<std::int64_t>(*for_seconds * 1e9) : std::int64_t{0};
  reverts_ns_ = reverts ? now.steady_ns + ns : 0;
  levels_.reverts_wall_ns = reverts ? now.wall_ns + ns : 0;
  apply_(level);
}

void LogLevels::revert(const Moment& now) {
  const std::lock_guard lock{mutex_};
  if (reverts_ns_ == 0 || now.steady_ns < reverts_ns_) return;
  reverts_ns_ = levels_.reverts_wall_ns = 0;
  levels_.level = levels_.configured;
  apply_(levels_.level);
}

std::string_view level_name(LogLevel level) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"debug", "info", "warn", "error", "off"};
  return kNames[static_cast<std::size_t>(level)];
}

Json log_levels_json(const LogLevels::Levels& levels) {
  Json row{{"component", "all"}, {"level", level_name(levels.level)}, {"configured", level_name(levels.configured)}};
  row["reverts_at"] = levels.reverts_wall_ns != 0 ? Json(seconds(levels.reverts_wall_ns)) : Json{};
  return {{"total", 1}, {"rows", Json::array({std::move(row)})}};
}

}  // namespace equinox::admin
