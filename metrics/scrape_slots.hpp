#pragma once

#include <atomic>
#include <memory>

namespace equinox::metrics {

/// How many scrapes are under way. A page is collected as a whole and held until its client has taken it: without a
/// bound, clients that read nothing would fill the memory with pages.
class ScrapeSlots {
 public:
  static constexpr int kMost = 16;
  using Slot = std::shared_ptr<void>;

  /// Free again when the slot goes. Null when all are taken. Any thread.
  [[nodiscard]] Slot take() const {
    if (used_->fetch_add(1, std::memory_order_relaxed) >= kMost) {
      used_->fetch_sub(1, std::memory_order_relaxed);
      return nullptr;
    }
    return Slot{used_.get(), [used = used_](void*) { used->fetch_sub(1, std::memory_order_relaxed); }};
  }

 private:
  std::shared_ptr<std::atomic<int>> used_{std::make_shared<std::atomic<int>>(0)};
};

}  // namespace equinox::metrics
