#pragma once

#include <atomic>
#include <cstdint>
#include <equinox/view.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "admin-ui/api/facts.hpp"

namespace equinox::admin {

/// How fast each connection moves, from two looks at its byte counts. Looks only while somebody asked within the last
/// half minute: records know totals, not rates. Any thread.
class Rates {
 public:
  /// Somebody wants rates: the next ticks take looks.
  void want(const Moment& now) const noexcept { wanted_ns_.store(now.steady_ns, std::memory_order_relaxed); }
  [[nodiscard]] bool is_wanted(const Moment& now) const noexcept;
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
  mutable std::atomic<std::int64_t> wanted_ns_{0};
  mutable std::mutex mutex_;
  std::vector<std::vector<Entry>> entries_;  ///< by reactor and slot
  std::int64_t looked_ns_{0};
};

}  // namespace equinox::admin
