#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <equinox/snapshot.hpp>
#include <memory>
#include <vector>

#include "telemetry/latency_histogram.hpp"

namespace equinox::telemetry {

/// The labels of one series of the request family, in one word.
struct SeriesKey {
  RouteId route{0};
  std::uint8_t method{0};
  std::uint16_t status{0};
  std::uint8_t version{0};
  std::uint8_t scheme{0};
  ErrorType error{ErrorType::none};

  [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
    return (std::uint64_t{1} << 63U) | (std::uint64_t{route} << 40U) | (std::uint64_t{method} << 32U) |
           (std::uint64_t{status} << 16U) | (std::uint64_t{version} << 12U) | (std::uint64_t{scheme} << 8U) |
           static_cast<std::uint64_t>(error);
  }
  static constexpr SeriesKey unpack(std::uint64_t bits) noexcept {
    return {static_cast<RouteId>(bits >> 40U),
            static_cast<std::uint8_t>(bits >> 32U),
            static_cast<std::uint16_t>(bits >> 16U),
            static_cast<std::uint8_t>((bits >> 12U) & 15U),
            static_cast<std::uint8_t>((bits >> 8U) & 15U),
            static_cast<ErrorType>(bits & 255U)};
  }
};

/// Which series exist: one open-addressed table for all reactors of a server, written once per new series, read
/// without a lock ever after. Past the budget new series fold into the route `_other`, and past a small reserve of
/// those into six last ones by status class. `_unmatched` has a small budget of its own: what no route took says
/// something that must not drown in `_other` because there are many routes.
class SeriesDirectory {
 public:
  explicit SeriesDirectory(std::size_t budget = 150);

  struct Found {
    std::uint32_t index;
    bool folded;
  };
  /// Any reactor's thread; lock-free.
  Found find_or_add(SeriesKey key) noexcept;
  /// Slots, used or not.
  [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
  /// The key at a slot; 0 when it is free.
  [[nodiscard]] std::uint64_t key_at(std::size_t slot) const noexcept {
    return slots_[slot].load(std::memory_order_acquire);
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return count_.load(std::memory_order_relaxed) + unmatched_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t kFoldReserve = 60;
  static constexpr std::size_t kUnmatchedBudget = 30;
  static constexpr std::uint32_t kFull = ~std::uint32_t{0};
  std::uint32_t probe(std::uint64_t key, std::atomic<std::size_t>& count, std::size_t limit) noexcept;

  std::size_t budget_;
  std::size_t mask_;
  std::atomic<std::size_t> count_{0};
  std::atomic<std::size_t> unmatched_{0};
  std::vector<std::atomic<std::uint64_t>> slots_;
};

/// One reactor's histograms of the request family: blocks made at first use, published by a release store.
class RequestSeriesCells {
 public:
  explicit RequestSeriesCells(SeriesDirectory& directory);
  ~RequestSeriesCells();
  RequestSeriesCells(const RequestSeriesCells&) = delete;
  RequestSeriesCells& operator=(const RequestSeriesCells&) = delete;

  struct Placed {
    std::uint32_t index;
    bool folded;
  };
  /// Owner's thread only. Allocates once per series, never again.
  Placed observe(SeriesKey key, std::uint64_t duration_ns, std::size_t bucket) noexcept {
    const auto bits = key.packed();
    if (bits != last_key_) look_up(key);
    blocks_[last_.index].load(std::memory_order_relaxed)->add(bucket, duration_ns);
    return last_;
  }
  /// Any thread: adds what this reactor counted in the slot.
  void add_to(std::size_t slot, DurationValue& into) const noexcept {
    if (const auto* block = blocks_[slot].load(std::memory_order_acquire)) block->add_to(into);
  }

 private:
  void look_up(SeriesKey key) noexcept;

  SeriesDirectory& directory_;
  std::uint64_t last_key_{0};
  Placed last_{0, false};
  std::vector<std::atomic<DurationCells*>> blocks_;
};

}  // namespace equinox::telemetry
