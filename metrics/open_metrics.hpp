#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <span>
#include <string>

#include "metrics/scrape.hpp"

namespace equinox::metrics {

/// Appends one family as OpenMetrics 1.0 text. Labels keep their order; a family that is not in our table is written
/// too, without a unit. `exemplars` are those of this family, by metric and bucket.
void write_open_metrics(const prometheus::MetricFamily& family, std::span<const PlacedExemplar> exemplars,
                        std::string& out);
/// What ends a page.
inline constexpr std::string_view kOpenMetricsEnd = "# EOF\n";

}  // namespace equinox::metrics
