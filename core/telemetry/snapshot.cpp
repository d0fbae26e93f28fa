#include <algorithm>
#include <equinox/snapshot.hpp>
#include <equinox/view.hpp>

namespace equinox {

namespace {

template <typename Rows>
std::uint64_t sum_rows(const Rows& rows) noexcept {
  std::uint64_t total = 0;
  for (const auto& row : rows) {
    for (const auto count : row) total += count;
  }
  return total;
}

template <typename Row>
std::uint64_t sum_row(const Row& row) noexcept {
  std::uint64_t total = 0;
  for (const auto count : row) total += count;
  return total;
}

std::uint64_t difference(std::uint64_t entered, std::uint64_t left) noexcept {
  return entered > left ? entered - left : 0;
}

}  // namespace

double quantile(double q, std::span<const std::uint64_t> edges, std::span<const std::uint64_t> buckets) noexcept {
  const auto total = sum_row(buckets);
  if (total == 0 || edges.empty()) return 0;
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
  double below = 0;
  for (std::size_t i = 0; i < buckets.size() && i < edges.size(); ++i) {
    const auto inside = static_cast<double>(buckets[i]);
    if (inside > 0 && below + inside >= rank) {
      const double low = i == 0 ? 0 : static_cast<double>(edges[i - 1]);
      return low + (static_cast<double>(edges[i]) - low) * (rank - below) / inside;
    }
    below += inside;
  }
  return static_cast<double>(edges.back());
}

std::uint64_t ServerSnapshot::connections() const noexcept {
  std::uint64_t total = 0;
  for (const auto& listener : listeners) total += listener.open_total();
  return total;
}

std::uint64_t ServerSnapshot::connections(ConnectionState state) const noexcept {
  std::uint64_t total = 0;
  for (const auto& listener : listeners) {
    for (const auto& by_state : listener.open) total += by_state[index_of(state)];
  }
  return total;
}

std::uint64_t ServerSnapshot::connections(Protocol protocol) const noexcept {
  std::uint64_t total = 0;
  for (const auto& listener : listeners) total += sum_row(listener.open[index_of(protocol)]);
  return total;
}

std::uint64_t ServerSnapshot::accepted() const noexcept {
  std::uint64_t total = 0;
  for (const auto& listener : listeners) total += listener.accepted;
  return total;
}

std::uint64_t ServerSnapshot::rejected() const noexcept {
  std::uint64_t total = 0;
  for (const auto& listener : listeners) total += sum_row(listener.rejected);
  return total;
}

std::uint64_t ServerSnapshot::closed() const noexcept { return sum_rows(totals.closed); }

std::uint64_t ServerSnapshot::closed(CloseReason reason) const noexcept {
  std::uint64_t total = 0;
  for (const auto& by_reason : totals.closed) total += by_reason[index_of(reason)];
  return total;
}

std::uint64_t ServerSnapshot::evicted() const noexcept { return sum_rows(totals.evicted); }
std::uint64_t ServerSnapshot::requests_finished() const noexcept { return sum_rows(totals.requests_finished); }

std::uint64_t ServerSnapshot::requests_in_flight() const noexcept {
  return difference(sum_rows(totals.requests_started), sum_rows(totals.requests_finished));
}

std::uint64_t ServerSnapshot::received_bytes() const noexcept { return sum_row(totals.received_bytes); }
std::uint64_t ServerSnapshot::sent_bytes() const noexcept { return sum_row(totals.sent_bytes); }

std::uint64_t ServerSnapshot::output_pending_bytes() const noexcept {
  return difference(totals.output_pending[0], totals.output_pending[1]);
}

std::uint64_t ServerSnapshot::h2_streams_open() const noexcept {
  std::uint64_t total = 0;
  for (const auto& state : totals.h2_streams) total += difference(state[0], state[1]);
  return total;
}

std::array<std::uint64_t, SeriesPoint::kBuckets> SeriesPoint::duration_all() const noexcept {
  std::array<std::uint64_t, kBuckets> total{};
  for (const auto& by_bucket : duration) {
    for (std::size_t i = 0; i < kBuckets; ++i) total[i] += by_bucket[i];
  }
  return total;
}

double SeriesPoint::busy_ratio() const noexcept {
  if (reactor_busy_ratio.empty()) return 0;
  double total = 0;
  for (const auto ratio : reactor_busy_ratio) total += static_cast<double>(ratio);
  return total / static_cast<double>(reactor_busy_ratio.size());
}

}  // namespace equinox
