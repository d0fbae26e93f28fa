#pragma once

#include <cstdint>
#include <equinox/view.hpp>
#include <mutex>
#include <optional>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/looks.hpp"

namespace equinox::admin {

/// HTTP/2 frames per second by direction and type, from the totals at two looks. Any thread.
class FrameRates {
 public:
  void want(const Moment& now) const noexcept { looks_.want(now); }
  [[nodiscard]] bool is_wanted(const Moment& now) const noexcept { return looks_.is_wanted(now); }
  /// @param totals  as of `now`
  void look(const ServerSnapshot& totals, const Moment& now);
  /// Nothing until two looks were taken.
  [[nodiscard]] std::optional<double> of(std::size_t direction, std::size_t type) const;

 private:
  using Counts = std::array<std::array<std::uint64_t, kH2FrameLabels.size()>, kCount<Direction>>;
  Looks looks_;  ///< taken under the lock
  mutable std::mutex mutex_;
  Counts last_{};
  Counts grown_{};      ///< between the last two looks
  double length_s_{0};  ///< between them; 0: there are no two
};

}  // namespace equinox::admin
