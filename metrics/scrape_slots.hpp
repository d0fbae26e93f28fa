#pragma once

#include <algorithm>
#include <array>
#include <equinox/endpoint.hpp>
#include <equinox/ids.hpp>
#include <memory>
#include <mutex>
#include <vector>

namespace equinox::metrics {

/// How many scrapes are under way. A page is collected as a whole and held until its client has taken it: without a
/// bound, clients that read nothing would fill the memory with pages; and one of them must not keep the others out.
class ScrapeSlots {
 public:
  static constexpr std::size_t kMost = 16;
  static constexpr std::ptrdiff_t kMostOfOneClient = 12;
  static constexpr std::ptrdiff_t kMostOfOneConnection = 2;
  using Slot = std::shared_ptr<void>;

  /// Free again when the slot goes. Null when all are taken, or as many as one client or connection may have. Any
  /// thread.
  [[nodiscard]] Slot take(const Endpoint& client, ConnectionId connection) const {
    const std::lock_guard lock{taken_->mutex};
    auto& holders = taken_->holders;
    if (holders.size() >= kMost || std::ranges::count(holders, client.address, &Holder::client) >= kMostOfOneClient ||
        std::ranges::count(holders, connection, &Holder::connection) >= kMostOfOneConnection) {
      return nullptr;
    }
    const Holder holder{client.address, connection};
    holders.push_back(holder);
    return Slot{taken_.get(), [taken = taken_, holder](void*) { taken->release(holder); }};
  }

 private:
  struct Holder {
    decltype(Endpoint::address) client;
    ConnectionId connection;
    bool operator==(const Holder&) const = default;
  };
  struct Taken {
    std::mutex mutex;
    std::vector<Holder> holders;
    void release(const Holder& holder) {
      const std::lock_guard lock{mutex};
      holders.erase(std::ranges::find(holders, holder));
    }
  };
  std::shared_ptr<Taken> taken_{std::make_shared<Taken>()};
};

}  // namespace equinox::metrics
