#pragma once

#include <algorithm>
#include <array>
#include <equinox/endpoint.hpp>
#include <memory>
#include <mutex>
#include <vector>

namespace equinox::metrics {

/// How many scrapes are under way. A page is collected as a whole and held until its client has taken it: without a
/// bound, clients that read nothing would fill the memory with pages; and one of them must not keep the others out.
class ScrapeSlots {
 public:
  static constexpr std::size_t kMost = 16;
  static constexpr std::ptrdiff_t kMostOfOneClient = 4;
  using Slot = std::shared_ptr<void>;

  /// Free again when the slot goes. Null when all are taken, or as many as one client may have. Any thread.
  [[nodiscard]] Slot take(const Endpoint& client) const {
    const std::lock_guard lock{taken_->mutex};
    auto& clients = taken_->clients;
    if (clients.size() >= kMost || std::ranges::count(clients, client.address) >= kMostOfOneClient) return nullptr;
    clients.push_back(client.address);
    return Slot{taken_.get(), [taken = taken_, address = client.address](void*) { taken->release(address); }};
  }

 private:
  using Address = decltype(Endpoint::address);
  struct Taken {
    std::mutex mutex;
    std::vector<Address> clients;
    void release(const Address& address) {
      const std::lock_guard lock{mutex};
      clients.erase(std::ranges::find(clients, address));
    }
  };
  std::shared_ptr<Taken> taken_{std::make_shared<Taken>()};
};

}  // namespace equinox::metrics
