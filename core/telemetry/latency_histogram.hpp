#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <equinox/snapshot.hpp>

#include "telemetry/cell.hpp"

namespace equinox::telemetry {

/// Which bucket a value falls into, by a table over its exponent and the bits below, then one comparison: no search, no
/// branch. Buckets are "less than or equal to the edge".
template <const auto& Edges>
class BucketTable {
  static constexpr std::size_t kSubBits = 2;
  /// Where no edge is that small, small values need not be told apart: the conversion to a floating-point number, which
  /// has exponent and bits at hand, then needs no case of its own for zero. From 64 on the cells are in order.
  static constexpr bool kIsCoarse = Edges[0] >= 64;
  static constexpr std::size_t kMantissaShift = 52 - kSubBits;
  static constexpr std::uint64_t kLeast = std::bit_cast<std::uint64_t>(4.0) >> kMantissaShift;
  static constexpr std::size_t kCells = 65U << kSubBits;
  static_assert(Edges.back() < std::uint64_t{1} << 53U, "a larger edge could be rounded into another cell");

 public:
  static constexpr std::size_t kEdges = Edges.size();

  static constexpr std::size_t bucket(std::uint64_t value) noexcept {
    const std::size_t base = kTable[cell(value)];
    return base + static_cast<std::size_t>(value > kPadded[base]);
  }

 private:
  static constexpr std::size_t cell(std::uint64_t value) noexcept {
    if constexpr (kIsCoarse) {
      // Half of it, so that every value is one of a signed number, which converts in one instruction.
      const auto half = static_cast<double>(static_cast<std::int64_t>(value >> 1U | 4U));
      return static_cast<std::size_t>((std::bit_cast<std::uint64_t>(half) >> kMantissaShift) - kLeast);
    } else {
      const auto width = static_cast<std::size_t>(std::bit_width(value));
      const std::uint64_t below =
          width > kSubBits + 1 ? value >> (width - 1 - kSubBits) : value << (kSubBits + 1 - width);
      return (width << kSubBits) | static_cast<std::size_t>(below & ((1U << kSubBits) - 1U));
    }
  }
  /// Edges below the first value of each cell. At most one edge may lie inside a cell.
  static constexpr std::array<std::uint8_t, kCells> make_table() {
    std::array<std::uint8_t, kCells> table{};
    for (auto& entry : table) entry = 255;
    for (std::size_t i = 0; i < kEdges; ++i) {
      auto& entry = table[cell(Edges[i])];
      if (entry != 255) throw "two edges in one cell: more sub-bits are needed";
      entry = static_cast<std::uint8_t>(i);
    }
    std::uint8_t below = 0;
    for (auto& entry : table) {
      if (entry != 255) {
        below = static_cast<std::uint8_t>(entry + 1);
      } else {
        entry = below;
      }
    }
    return table;
  }
  static constexpr std::array<std::uint64_t, kEdges + 1> pad() {
    std::array<std::uint64_t, kEdges + 1> out{};
    for (std::size_t i = 0; i < kEdges; ++i) out[i] = Edges[i];
    out[kEdges] = ~std::uint64_t{0};
    return out;
  }
  static constexpr std::array<std::uint8_t, kCells> kTable = make_table();
  static constexpr std::array<std::uint64_t, kEdges + 1> kPadded = pad();
};

/// Per-bucket (not cumulative) cells and a sum in the unit of the edges. One writer.
template <std::size_t Edges>
class HistogramCells {
 public:
  void add(std::size_t bucket, std::uint64_t value) noexcept {
    buckets_[bucket].add();
    sum_.add(value);
  }
  /// A value of 0: no sum to move.
  void add_zero() noexcept { buckets_[0].add(); }
  /// Chooses the bucket, which it returns.
  template <const auto& E>
  std::size_t observe(std::uint64_t value) noexcept {
    static_assert(E.size() == Edges);
    const auto bucket = BucketTable<E>::bucket(value);
    add(bucket, value);
    return bucket;
  }
  void add_to(HistogramValue<Edges>& into) const noexcept {
    for (std::size_t i = 0; i <= Edges; ++i) into.buckets[i] += buckets_[i].get();
    into.sum += sum_.get();
  }

 private:
  std::array<Cell, Edges + 1> buckets_{};
  Cell sum_;
};

using DurationCells = HistogramCells<kDurationEdges.size()>;

}  // namespace equinox::telemetry
