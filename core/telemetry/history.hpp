#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <equinox/snapshot.hpp>
#include <vector>

#include "telemetry/cell.hpp"

namespace equinox::telemetry {

/// A bounded ring of values: one writer overwrites the oldest, any thread reads. Allocated and touched at
/// construction.
template <typename T>
class HistoryRing {
 public:
  explicit HistoryRing(std::size_t capacity) : slots_(capacity == 0 ? 1 : capacity) {}

  /// Owner's thread only.
  void push(const T& value) noexcept {
    const auto at = written_.load(std::memory_order_relaxed);
    slots_[next_].write(value);
    next_ = next_ + 1 == slots_.size() ? 0 : next_ + 1;
    written_.store(at + 1, std::memory_order_release);
  }

  /// Any thread. Calls f(const T&, sequence) newest first until it returns false; `sequence` counts from 0 over the
  /// life of the ring. Entries that are overwritten meanwhile are left out.
  template <typename F>
  void newest_first(F&& f) const {
    const auto end = written_.load(std::memory_order_acquire);
    const auto begin = end > slots_.size() ? end - slots_.size() : 0;
    for (auto at = end; at > begin;) {
      --at;
      T value;
      std::uint64_t writes = 0;
      // A slot on another lap than this position holds a newer entry: the writer has overtaken the reader.
      if (!slots_[at % slots_.size()].read(value, writes) || writes != at / slots_.size() + 1) continue;
      if (!f(static_cast<const T&>(value), at)) return;
    }
  }
  [[nodiscard]] RingTotals totals() const noexcept {
    const auto written = written_.load(std::memory_order_acquire);
    return {written < slots_.size() ? written : slots_.size(), slots_.size(), written};
  }

 private:
  std::vector<SeqSlot<T>> slots_;
  std::size_t next_{0};
  std::atomic<std::uint64_t> written_{0};
};

}  // namespace equinox::telemetry
