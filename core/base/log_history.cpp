#include "base/log_history.hpp"

#include <algorithm>
#include <cstring>

#include "base/log_ring.hpp"

namespace equinox {

LogHistory::LogHistory(std::size_t lines) : entries_(lines) {
  // One record always fits, however few lines were asked for.
  if (lines != 0) bytes_.resize(std::max(lines * kBytesPerLine, sizeof(LogRecord)));
}

/// Forgets the oldest records until one of `size` lies contiguous at `begin`.
bool LogHistory::take_room(std::size_t size, std::size_t& begin) noexcept {
  if (size > bytes_.size()) return false;
  if (next_ + size > bytes_.size()) {
    // What lies behind `next_` is of the round before: older than all that begins at 0.
    while (first_ != written_ && entry(first_).begin >= next_) ++first_;
    next_ = 0;
  }
  begin = next_;
  const auto is_overlapped = [&](const Entry& oldest) { return oldest.begin >= begin && oldest.begin < begin + size; };
  while (first_ != written_ && (written_ - first_ == entries_.size() || is_overlapped(entry(first_)))) ++first_;
  next_ = begin + size;
  return true;
}

void LogHistory::add(const LogRecord& record) {
  if (entries_.empty() || !record.connection()) return;
  const std::size_t size = record.used_bytes();
  const std::lock_guard lock{mutex_};
  std::size_t begin = 0;
  if (!take_room(size, begin)) return;
  std::memcpy(bytes_.data() + begin, static_cast<const void*>(&record), size);
  entries_[written_ % entries_.size()] = {record.connection(), static_cast<std::uint32_t>(begin),
                                          static_cast<std::uint32_t>(size)};
  ++written_;
}

LogRecord LogHistory::copy_of(const Entry& entry) const noexcept {
  LogRecord record = LogRing::blank();
  std::memcpy(static_cast<void*>(&record), bytes_.data() + entry.begin, entry.size);
  return record;
}

LogHistory::Excerpt LogHistory::about(ConnectionId connection, std::size_t limit) const {
  Excerpt out;
  const std::lock_guard lock{mutex_};
  if (first_ != 0) out.forgotten_before = copy_of(entry(first_)).at();
  for (std::uint64_t number = written_; number != first_; --number) {
    const Entry& candidate = entry(number - 1);
    if (candidate.connection != connection) continue;
    out.is_limited = out.records.size() == limit;
    if (out.is_limited) break;
    out.records.push_back(copy_of(candidate));
  }
  std::reverse(out.records.begin(), out.records.end());
  return out;
}

LogHistory::Totals LogHistory::totals() const {
  const std::lock_guard lock{mutex_};
  return {written_ - first_, entries_.size(), written_};
}

}  // namespace equinox
