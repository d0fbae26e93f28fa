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

  /// Walks a ring from its newest entry back. Any thread; entries that are overwritten meanwhile are left out.
  class Cursor {
   public:
    explicit Cursor(const HistoryRing& ring) noexcept
        : ring_{&ring}, at_{ring.written_.load(std::memory_order_acquire)} {}
    /// The next older entry and its place, counted from 0 over the life of the ring; false when there is none.
    bool next(T& into, std::uint64_t& sequence) noexcept {
      const auto size = ring_->slots_.size();
      while (at_ > 0) {
        --at_;
        std::uint64_t writes = 0;
        const bool whole = ring_->slots_[at_ % size].read(into, writes);
        // A slot on a later lap than this position holds a newer entry: the writer has overtaken this reader.
        if (writes > at_ / size + 1) break;
        if (!whole || writes != at_ / size + 1) continue;
        sequence = at_;
        return true;
      }
      at_ = 0;
      return false;
    }

   private:
    const HistoryRing* ring_;
    std::uint64_t at_;
  };

  /// Any thread. Calls f(const T&, sequence) newest first until it returns false.
  template <typename F>
  void newest_first(F&& f) const {
    Cursor cursor{*this};
    T value;
    std::uint64_t sequence = 0;
    while (cursor.next(value, sequence)) {
      if (!f(static_cast<const T&>(value), sequence)) return;
    }
  }
  /// The oldest entry. Any thread; false when there is none, or the writer was faster at each of some attempts.
  [[nodiscard]] bool oldest(T& into) const noexcept {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const auto written = written_.load(std::memory_order_acquire);
      if (written == 0) return false;
      const auto at = written > slots_.size() ? written - slots_.size() : 0;
      std::uint64_t writes = 0;
      if (slots_[at % slots_.size()].read(into, writes) && writes == at / slots_.size() + 1) return true;
    }
    return false;
  }
  [[nodiscard]] RingTotals totals() const noexcept {
    const auto written = written_.load(std::memory_order_acquire);
    return {written < slots_.size() ? written : slots_.size(), slots_.size(), written, 0, 0};
  }

 private:
  std::vector<SeqSlot<T>> slots_;
  std::size_t next_{0};
  std::atomic<std::uint64_t> written_{0};
};

}  // namespace equinox::telemetry
