#pragma once

#include <prometheus/collectable.h>

#include <atomic>
#include <cstdint>
#include <equinox/metrics.hpp>
#include <vector>

#include "metrics/scrape.hpp"

namespace equinox::metrics {

/// Turns a view into metric families on demand. Any thread; several scrapes may run at once.
class ServerCollector final : public prometheus::Collectable {
 public:
  /// @throws std::invalid_argument for options that would spoil every page
  ServerCollector(const ServerView& view, Options options);

  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override { return page().families; }
  /// The same with exemplars, for OpenMetrics.
  [[nodiscard]] Page page() const;
  /// A scrape that was not begun, as too many are under way, or a registry of the program that failed.
  void count_error() const noexcept { errors_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] const Options& options() const noexcept { return options_; }

 private:
  void append_cost(Page& page, double seconds) const;

  const ServerView& view_;
  Options options_;
  mutable std::atomic<std::uint64_t> errors_{0};
};

/// Lines a text page has for this metric.
std::size_t lines_of(prometheus::MetricType type, const prometheus::ClientMetric& metric) noexcept;
/// Lines a text page has for these families, comments not counted.
std::size_t series_count(const std::vector<prometheus::MetricFamily>& families) noexcept;

}  // namespace equinox::metrics
