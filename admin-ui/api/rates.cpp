#include "admin-ui/api/rates.hpp"

namespace equinox::admin {
namespace {

double per_second(std::uint64_t now, std::uint64_t before, double seconds) noexcept {
  return now > before ? static_cast<double>(now - before) / seconds : 0.0;
}

}  // namespace

void Rates::look(const ServerView& view, const Moment& now) {
  const std::lock_guard lock{mutex_};
  const double length = looks_.take(now);
  view.for_each_record([&](const ConnectionRecord& record) {
    const std::size_t reactor = record.id.reactor();
    const std::size_t slot = record.id.index();
    if (reactor >= entries_.size()) entries_.resize(reactor + 1);
    auto& slots = entries_[reactor];
    if (slot >= slots.size()) slots.resize(slot + slot / 4 + 64);
    Entry& entry = slots[slot];
    entry.is_known = length != 0 && entry.generation == record.id.generation;
    if (entry.is_known) {
      entry.rate = {per_second(record.hot.received_bytes, entry.received, length),
                    per_second(record.hot.sent_bytes, entry.sent, length)};
    }
    entry.generation = record.id.generation;
    entry.received = record.hot.received_bytes;
    entry.sent = record.hot.sent_bytes;
    return true;
  });
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
