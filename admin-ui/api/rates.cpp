#include "admin-ui/api/rates.hpp"

namespace equinox::admin {
namespace {

constexpr std::int64_t kInterestNs = 30'000'000'000;
/// Two looks further apart than this say nothing about now.
constexpr std::int64_t kStaleNs = 5'000'000'000;

double per_second(std::uint64_t now, std::uint64_t before, double seconds) noexcept {
  return now > before ? static_cast<double>(now - before) / seconds : 0.0;
}

}  // namespace

bool Rates::is_wanted(const Moment& now) const noexcept {
  const std::int64_t wanted = wanted_ns_.load(std::memory_order_relaxed);
  return wanted != 0 && now.steady_ns - wanted < kInterestNs;
}

void Rates::look(const ServerView& view, const Moment& now) {
  const std::lock_guard lock{mutex_};
  const std::int64_t gap = now.steady_ns - looked_ns_;
  const bool is_fresh = looked_ns_ != 0 && gap > 0 && gap < kStaleNs;
  const double length = static_cast<double>(gap) / 1e9;
  view.for_each_record([&](const ConnectionRecord& record) {
    const std::size_t reactor = record.id.reactor();
    const std::size_t slot = record.id.index();
    if (reactor >= entries_.size()) entries_.resize(reactor + 1);
    auto& slots = entries_[reactor];
    if (slot >= slots.size()) slots.resize(slot + slot / 4 + 64);
    Entry& entry = slots[slot];
    entry.is_known = is_fresh && entry.generation == record.id.generation;
    if (entry.is_known) {
      entry.rate = {per_second(record.hot.received_bytes, entry.received, length),
                    per_second(record.hot.sent_bytes, entry.sent, length)};
    }
    entry.generation = record.id.generation;
    entry.received = record.hot.received_bytes;
    entry.sent = record.hot.sent_bytes;
    return true;
  });
  looked_ns_ = now.steady_ns;
}

std::optional<Rate> Rates::of(const ConnectionRecord& record) const {
  const std::lock_guard lock{mutex_};
  const std::size_t reactor = record.id.reactor();
  const std::size_t slot = record.id.index();
  if (reactor >= entries_.size() || slot >= entries_[reactor].size()) return std::nullopt;
  const Entry& entry = entries_[reactor][slot];
  if (!entry.is_known || entry.generation != record.id.generation) return std::nullopt;
  return entry.rate;
}

}  // namespace equinox::admin
