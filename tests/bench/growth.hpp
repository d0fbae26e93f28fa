#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace equinox::bench {

/// A thousand to a million entries.
inline void growth(benchmark::internal::Benchmark* benchmark) {
  benchmark->RangeMultiplier(10)->Range(1'000, 1'000'000)->ArgName("entries");
}

/// The same with a thousand of them in use, and with all. What is said to cost the same beside any number must be flat
/// in the first; the second shows the caches, which hold a thousand entries and not a million.
inline void growth_in_use(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"entries", "used"});
  for (const std::int64_t entries : {1'000, 10'000, 100'000, 1'000'000}) {
    benchmark->Args({entries, 1'000});
    if (entries > 1'000) benchmark->Args({entries, entries});
  }
}

/// `used` of the numbers 0..count-1 in an order that no prefetcher guesses; walked round and round.
class ScatteredOrder {
 public:
  explicit ScatteredOrder(const benchmark::State& state)
      : ScatteredOrder{static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1))} {}
  ScatteredOrder(std::size_t count, std::size_t used) : order_(count) {
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
    std::uint64_t seed = 88'172'645'463'325'252ULL;  // any but 0; the same order in each run
    for (std::size_t i = count; i > 1; --i) {
      seed ^= seed << 13U;
      seed ^= seed >> 7U;
      seed ^= seed << 17U;
      std::swap(order_[i - 1], order_[seed % i]);
    }
    order_.resize(used);
  }
  std::uint32_t next() noexcept {
    if (at_ == order_.size()) at_ = 0;
    return order_[at_++];
  }

 private:
  std::vector<std::uint32_t> order_;
  std::size_t at_{0};
};

}  // namespace equinox::bench
