#include "metrics/family_builder.hpp"

#include <limits>

#include "metrics/label_value.hpp"

namespace equinox::metrics {

namespace {

prometheus::MetricType type_of(MetricKind kind) noexcept {
  switch (kind) {
    case MetricKind::counter: return prometheus::MetricType::Counter;
    case MetricKind::gauge: return prometheus::MetricType::Gauge;
    case MetricKind::histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

}  // namespace

FamilyBuilder::FamilyBuilder(Metric metric) : is_counter_{info_of(metric).kind == MetricKind::counter} {
  const auto& info = info_of(metric);
  family_.name = info.name;
  family_.help = info.help;
  family_.type = type_of(info.kind);
}

prometheus::ClientMetric& FamilyBuilder::add(Labels labels) {
  auto& metric = family_.metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const auto& label : labels) {
    if (label.value.empty()) continue;
    auto& made = metric.label.emplace_back();
    made.name = label.name;
    made.value = label_value(label.value);
  }
  return metric;
}

void FamilyBuilder::value(Labels labels, double value) {
  auto& metric = add(labels);
  if (is_counter_) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void FamilyBuilder::histogram(Labels labels, std::span<const std::uint64_t> edges,
                              std::span<const std::uint64_t> buckets, std::uint64_t sum, double scale) {
  auto& histogram = add(labels).histogram;
  histogram.bucket.reserve(buckets.size());
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    cumulative += buckets[i];
    auto& bucket = histogram.bucket.emplace_back();
    bucket.cumulative_count = cumulative;
    bucket.upper_bound =
        i < edges.size() ? static_cast<double>(edges[i]) / scale : std::numeric_limits<double>::infinity();
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = static_cast<double>(sum) / scale;
}

void FamilyBuilder::add_to(std::vector<prometheus::MetricFamily>& families) && {
  if (!family_.metric.empty()) families.push_back(std::move(family_));
}

}  // namespace equinox::metrics
