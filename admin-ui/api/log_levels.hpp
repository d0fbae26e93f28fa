#pragma once

#include <equinox/log_level.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"

namespace equinox::admin {

/// The log level as it was changed through the API; falls back by itself. Any thread.
class LogLevels {
 public:
  LogLevels(LogLevel configured, std::function<void(LogLevel)> apply)
      : configured_{configured}, level_{configured}, apply_{std::move(apply)} {}
  [[nodiscard]] bool can_change() const noexcept { return static_cast<bool>(apply_); }
  void set(LogLevel level, std::optional<double> for_seconds, const Moment& now);
  void revert(const Moment& now);
  [[nodiscard]] Json page() const;

 private:
  LogLevel configured_;
  LogLevel level_;
  std::function<void(LogLevel)> apply_;
  std::int64_t reverts_wall_ns_{0};
  std::int64_t reverts_ns_{0};  ///< 0: for good
  mutable std::mutex mutex_;
};

/// "warn" for LogLevel::warning and so on.
std::string_view level_name(LogLevel level) noexcept;

}  // namespace equinox::admin
