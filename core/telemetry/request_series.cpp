#include "telemetry/request_series.hpp"

#include <algorithm>
#include <bit>

namespace equinox::telemetry {

namespace {

std::size_t hash_of(std::uint64_t key) noexcept {
  return static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ULL) >> 32U);
}

/// The last resort: one of six series by status class, 0 without an answer.
SeriesKey last_resort(const SeriesKey& key) noexcept {
  SeriesKey out;
  out.route = kRouteOther;
  out.method = static_cast<std::uint8_t>(kMethodLabels.size() - 1);
  out.status = static_cast<std::uint16_t>(key.status / 100 * 100);
  out.version = 1;
  return out;
}

}  // namespace

// Twice the greatest number of series, so that a probe is short; the last resort has room of its own.
SeriesDirectory::SeriesDirectory(std::size_t budget)
    : budget_{std::clamp<std::size_t>(budget, 1, 100'000)},
      mask_{std::bit_ceil(2 * (budget_ + kFoldReserve + kUnmatchedBudget + 8)) - 1},
      slots_(mask_ + 1) {}

std::uint32_t SeriesDirectory::probe(std::uint64_t key, std::atomic<std::size_t>& count, std::size_t limit) noexcept {
  for (std::size_t at = hash_of(key) & mask_, tried = 0; tried <= mask_; ++tried, at = (at + 1) & mask_) {
    auto present = slots_[at].load(std::memory_order_acquire);
    if (present == key) return static_cast<std::uint32_t>(at);
    if (present != 0) continue;
    // Reserve before inserting, so that reactors that race stay within the budget together.
    if (count.fetch_add(1, std::memory_order_relaxed) >= limit) {
      count.fetch_sub(1, std::memory_order_relaxed);
      return kFull;
    }
    if (slots_[at].compare_exchange_strong(present, key, std::memory_order_acq_rel)) {
      return static_cast<std::uint32_t>(at);
    }
    count.fetch_sub(1, std::memory_order_relaxed);
    if (present == key) return static_cast<std::uint32_t>(at);
  }
  return kFull;
}

SeriesDirectory::Found SeriesDirectory::find_or_add(SeriesKey key) noexcept {
  const bool is_unmatched = key.route == kRouteUnmatched;
  const auto own =
      is_unmatched ? probe(key.packed(), unmatched_, kUnmatchedBudget) : probe(key.packed(), count_, budget_);
  if (own != kFull) return {own, key.route == kRouteOther};  // of a name that was one too many
  key.route = kRouteOther;
  if (const auto found = probe(key.packed(), count_, budget_ + kFoldReserve); found != kFull) return {found, true};
  // Six classes at most (0 to 5); the table keeps room for eight, so this cannot fail.
  const auto found = probe(last_resort(key).packed(), count_, mask_);
  return {found == kFull ? 0 : found, true};
}

RequestSeriesCells::RequestSeriesCells(SeriesDirectory& directory)
    : directory_{directory}, blocks_(directory.capacity()) {}

RequestSeriesCells::~RequestSeriesCells() {
  for (auto& block : blocks_) delete block.load(std::memory_order_relaxed);
}

void RequestSeriesCells::look_up(SeriesKey key) noexcept {
  const auto found = directory_.find_or_add(key);
  auto& block = blocks_[found.index];
  // First use by this reactor: the only allocation, at most once per series.
  if (block.load(std::memory_order_relaxed) == nullptr) block.store(new DurationCells, std::memory_order_release);
  last_key_ = key.packed();
  last_ = {found.index, found.folded};
}

}  // namespace equinox::telemetry
