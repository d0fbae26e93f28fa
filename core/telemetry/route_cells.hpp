#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <equinox/snapshot.hpp>
#include <vector>

#include "telemetry/cell.hpp"

namespace equinox::telemetry {

struct RouteCells {
  Cell started, finished, errors, slow, received_bytes, sent_bytes, last_hit_wall_ns;
};

/// One reactor's counters by route, in blocks made at first use: there is room for far more names than most servers
/// ever have, and it costs nothing until they are asked for.
class RouteTable {
 public:
  /// @param routes  greatest number of route ids, the two reserved ones included
  explicit RouteTable(std::size_t routes)
      : routes_{std::max<std::size_t>(routes, kFirstRoute)}, blocks_((routes_ + kBlock - 1) / kBlock) {}
  ~RouteTable() {
    for (auto& block : blocks_) delete block.load(std::memory_order_relaxed);
  }
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  /// Owner's thread only. Allocates once per block, never again.
  RouteCells& at(RouteId route) noexcept {
    const std::size_t index = route < routes_ ? route : kRouteOther;
    Block* const present = blocks_[index / kBlock].load(std::memory_order_relaxed);
    Block& block = present != nullptr ? *present : make(index / kBlock);
    return block[index % kBlock];
  }
  /// Any thread: adds what this reactor counted.
  void add_to(std::vector<RouteTotals>& into) const {
    for (std::size_t number = 0; number < blocks_.size(); ++number) {
      const Block* const block = blocks_[number].load(std::memory_order_acquire);
      if (block == nullptr) continue;
      into.resize(std::max(into.size(), (number + 1) * kBlock));
      for (std::size_t i = 0; i < kBlock; ++i) add((*block)[i], into[number * kBlock + i]);
    }
  }

 private:
  static constexpr std::size_t kBlock = 64;  // 3.5 KB
  using Block = std::array<RouteCells, kBlock>;

  Block& make(std::size_t number) noexcept {
    auto* const block = new Block{};
    blocks_[number].store(block, std::memory_order_release);
    return *block;
  }
  static void add(const RouteCells& from, RouteTotals& to) noexcept {
    to.finished += from.finished.get();  // before `started`: no more are seen to end than to begin
    to.started += from.started.get();
    to.errors += from.errors.get();
    to.slow += from.slow.get();
    to.received_bytes += from.received_bytes.get();
    to.sent_bytes += from.sent_bytes.get();
    to.last_hit_wall_ns = std::max(to.last_hit_wall_ns, static_cast<std::int64_t>(from.last_hit_wall_ns.get()));
  }

  std::size_t routes_;
  std::vector<std::atomic<Block*>> blocks_;
};

}  // namespace equinox::telemetry
