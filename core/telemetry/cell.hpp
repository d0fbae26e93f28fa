#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace equinox::telemetry {

/// A 64-bit count written by one thread and read by any. Load and store are relaxed: a plain add, no lock prefix, no
/// fence (a fetch_add costs three times as much).
class Cell {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Stores all words of an array; unrolled, because the compiler leaves a loop over atomics as it is.
template <std::size_t N>
void store_all(std::array<std::atomic<std::uint64_t>, N>& into, const std::array<std::uint64_t, N>& words) noexcept {
  [&]<std::size_t... I>(std::index_sequence<I...>) { (into[I].store(words[I], std::memory_order_release), ...); }
  (std::make_index_sequence<N>{});
}

/// A value of some words that one thread overwrites and others copy out whole: a sequence lock. The writer never waits;
/// a reader that meets a write tries again. Without atomic_thread_fence, which ThreadSanitizer does not understand:
/// releasing each word makes the odd sequence visible to whoever acquires a new word.
template <typename T>
class SeqSlot {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(std::uint64_t) == 0);

 public:
  static constexpr std::size_t kWords = sizeof(T) / sizeof(std::uint64_t);
  using Words = std::array<std::uint64_t, kWords>;

  /// Owner's thread only.
  void write(const T& value) noexcept {
    const auto words = std::bit_cast<Words>(value);
    const auto sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    store_all(words_, words);
    sequence_.store(sequence + 2, std::memory_order_release);
  }
  /// Owner's thread only: what was written last.
  [[nodiscard]] T own() const noexcept {
    Words words;
    for (std::size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_relaxed);
    return std::bit_cast<T>(words);
  }
  /// Any thread. False when nothing was ever written, or when a write was in progress at each of some attempts.
  [[nodiscard]] bool read(T& into) const noexcept {
    std::uint64_t writes = 0;
    return read(into, writes);
  }
  /// Also says how many writes there had been.
  [[nodiscard]] bool read(T& into, std::uint64_t& writes) const noexcept {
    for (int attempt = 0; attempt < 64; ++attempt) {
      const auto before = sequence_.load(std::memory_order_acquire);
      if (before == 0) return false;
      if ((before & 1U) != 0) continue;
      Words words;
      for (std::size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_acquire);
      if (sequence_.load(std::memory_order_relaxed) != before) continue;
      into = std::bit_cast<T>(words);
      writes = before / 2;
      return true;
    }
    return false;
  }

 private:
  std::atomic<std::uint64_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
};

}  // namespace equinox::telemetry
