#pragma once

#include <cstdint>
#include <equinox/view.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/looks.hpp"

namespace equinox::admin {

/// How fast each connection moves, from two looks at its byte counts: records know totals, not rates. Any thread.
class Rates {
 public:
  void want(const Moment& now) const noexcept { looks_.want(now); }
  [[nodiscard]] bool is_wanted(const Moment& now) const noexcept { return looks_.is_wanted(now); }
  void look(const ServerView& view, const Moment& now);
  [[nodiscard]] std::optional<Rate> of(const ConnectionRecord& record) const;

 private:
  struct Entry {
    std::uint32_t generation{0};
    bool is_known{false};
    std::uint64_t received{0};
    std::uint64_t sent{0};
    Rate rate;
  };
  Looks looks_;  ///< taken under the lock
  mutable std::mutex mutex_;
  std::vector<std::vector<Entry>> entries_;  ///< by reactor and slot
};

}  // namespace equinox::admin
