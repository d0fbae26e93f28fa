#include "admin-ui/api/log_levels.hpp"

#include <array>

namespace equinox::admin {

std::string_view level_name(LogLevel level) noexcept {
  constexpr std::array<std::string_view, 5> kNames{"debug", "info", "warn", "error", "off"};
  return kNames[static_cast<std::size_t>(level)];
}

void LogLevels::set(LogLevel level, std::optional<double> for_seconds, const Moment& now) {
  const std::lock_guard lock{mutex_};
  level_ = level;
  const bool reverts = for_seconds.has_value() && level != configured_;
  const auto ns = reverts ? static_cast<std::int64_t>(*for_seconds * 1e9) : std::int64_t{0};
  reverts_ns_ = reverts ? now.steady_ns + ns : 0;
  reverts_wall_ns_ = reverts ? now.wall_ns + ns : 0;
  if (apply_) apply_(level);
}

void LogLevels::revert(const Moment& now) {
  const std::lock_guard lock{mutex_};
  if (reverts_ns_ == 0 || now.steady_ns < reverts_ns_) return;
  reverts_ns_ = reverts_wall_ns_ = 0;
  level_ = configured_;
  if (apply_) apply_(level_);
}

Json LogLevels::page() const {
  const std::lock_guard lock{mutex_};
  Json row{{"component", "all"}, {"level", level_name(level_)}, {"configured", level_name(configured_)}};
  row["reverts_at"] = reverts_wall_ns_ != 0 ? Json(seconds(reverts_wall_ns_)) : Json{};
  return {{"total", 1}, {"rows", Json::array({std::move(row)})}};
}

}  // namespace equinox::admin
