#pragma once

#include <array>
#include <cstdint>
#include <equinox/vocabulary.hpp>

#include "telemetry/cell.hpp"

namespace equinox::telemetry {

/// One pool at one moment.
struct PoolCount {
  std::uint64_t used_bytes{0};  ///< lent; of egress batches with what they grew by
  std::uint64_t free_bytes{0};
  std::uint64_t hits{0};    ///< asked for and found
  std::uint64_t misses{0};  ///< asked for and made
};

/// The pools of one reactor as others see them: written by its thread, once a second.
class PoolCells {
 public:
  void set(BufferPool pool, const PoolCount& count) noexcept {
    Row& row = rows_[static_cast<std::size_t>(pool)];
    row.used_bytes.set(count.used_bytes);
    row.free_bytes.set(count.free_bytes);
    row.hits.set(count.hits);
    row.misses.set(count.misses);
  }
  [[nodiscard]] PoolCount get(BufferPool pool) const noexcept {
    const Row& row = rows_[static_cast<std::size_t>(pool)];
    return {row.used_bytes.get(), row.free_bytes.get(), row.hits.get(), row.misses.get()};
  }

 private:
  struct Row {
    Cell used_bytes, free_bytes, hits, misses;
  };
  std::array<Row, kCount<BufferPool>> rows_{};
};

}  // namespace equinox::telemetry
