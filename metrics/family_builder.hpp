#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <equinox/snapshot.hpp>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "metrics/metric_names.hpp"

namespace equinox::metrics {

struct LabelView {
  std::string_view name;
  std::string_view value;  ///< empty: the label is left out
};
using Labels = std::initializer_list<LabelView>;

/// Makes one metric family out of counts. Families come in the order of the table.
class FamilyBuilder {
 public:
  explicit FamilyBuilder(Metric metric);

  /// A counter or gauge.
  void value(Labels labels, double value);
  void count(Labels labels, std::uint64_t value) { this->value(labels, static_cast<double>(value)); }
  void seconds(Labels labels, std::uint64_t nanoseconds) { value(labels, static_cast<double>(nanoseconds) / 1e9); }
  /// Buckets are not cumulative; edges and sum are divided by `scale` (1e9 for nanoseconds).
  void histogram(Labels labels, std::span<const std::uint64_t> edges, std::span<const std::uint64_t> buckets,
                 std::uint64_t sum, double scale);
  template <std::size_t N>
  void histogram(Labels labels, const std::array<std::uint64_t, N>& edges, const HistogramValue<N>& value,
                 double scale) {
    histogram(labels, edges, value.buckets, value.sum, scale);
  }

  [[nodiscard]] std::size_t size() const noexcept { return family_.metric.size(); }
  /// Appends the family unless it is empty.
  void add_to(std::vector<prometheus::MetricFamily>& families) &&;

 private:
  prometheus::ClientMetric& add(Labels labels);
  bool is_counter_;
  prometheus::MetricFamily family_;
};

inline constexpr double kNanoseconds = 1e9;

}  // namespace equinox::metrics
