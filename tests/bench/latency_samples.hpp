#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace bench {

/// Nanoseconds in buckets that are 1/16 of a power of two wide: 6 % resolution from 1 ns to 18 minutes, constant
/// memory.
class LatencySamples {
 public:
  void add(std::uint64_t nanoseconds) noexcept {
    ++cells_[index_of(nanoseconds)];
    ++count_;
    largest_ = std::max(largest_, nanoseconds);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] double largest_us() const noexcept { return static_cast<double>(largest_) / 1e3; }

  /// @param share 0..1; @return microseconds, the upper edge of the bucket that holds it
  [[nodiscard]] double quantile_us(double share) const noexcept {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      seen += cells_[i];
      if (seen > rank) return static_cast<double>(upper_edge(i)) / 1e3;
    }
    return largest_us();
  }

 private:
  static constexpr unsigned kSubBits = 4;
  static std::size_t index_of(std::uint64_t value) noexcept {
    if (value < (1U << kSubBits)) return static_cast<std::size_t>(value);
    const auto top = static_cast<unsigned>(std::bit_width(value)) - 1;
    const std::uint64_t sub = (value >> (top - kSubBits)) & ((1U << kSubBits) - 1);
    return std::min<std::size_t>(kCells - 1, ((top - kSubBits + 1) << kSubBits) + static_cast<std::size_t>(sub));
  }
  static std::uint64_t upper_edge(std::size_t index) noexcept {
    if (index < (1U << kSubBits)) return index + 1;
    const auto top = static_cast<unsigned>(index >> kSubBits) + kSubBits - 1;
    const std::uint64_t sub = (index & ((1U << kSubBits) - 1)) + 1;
    return (std::uint64_t{1} << top) + (sub << (top - kSubBits));
  }

  static constexpr std::size_t kCells = 640;
  std::array<std::uint64_t, kCells> cells_{};
  std::uint64_t count_{0};
  std::uint64_t largest_{0};
};

}  // namespace bench
