#include "metrics/server_collector.hpp"

#include <chrono>
#include <exception>

#include "metrics/family_builder.hpp"

namespace equinox::metrics {

std::size_t lines_of(prometheus::MetricType type, const prometheus::ClientMetric& metric) noexcept {
  return type == prometheus::MetricType::Histogram ? metric.histogram.bucket.size() + 2
         : type == prometheus::MetricType::Summary ? metric.summary.quantile.size() + 2
                                                   : 1;
}

std::size_t series_count(const std::vector<prometheus::MetricFamily>& families) noexcept {
  std::size_t lines = 0;
  for (const auto& family : families) {
    for (const auto& metric : family.metric) lines += lines_of(family.type, metric);
  }
  return lines;
}

Page ServerCollector::page() const {
  const auto begin = std::chrono::steady_clock::now();
  Sources from;
  from.options = &options_;
  from.snapshot = view_.snapshot();
  from.live = view_.live();
  from.identity = view_.identity();
  from.routes = view_.route_names();
  from.listeners = view_.listener_names();
  Page page;
  page.families.reserve(100);
  using Part = void (*)(const Sources&, Page&);
  constexpr Part kParts[] = {collect_connections, collect_tls,      collect_requests, collect_http2,
                             collect_tcp,         collect_reactors, collect_self};
  for (const auto part : kParts) {
    // A part that fails costs its own families, not the scrape.
    try {
      part(from, page);
    } catch (const std::exception&) {
      errors_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (options_.process) collect_process(page);
  append_cost(page, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return page;
}

void ServerCollector::append_cost(Page& page, double seconds) const {
  FamilyBuilder collect{Metric::scrape_collect};
  collect.value({}, seconds);
  FamilyBuilder errors{Metric::scrape_errors};
  errors.count({}, errors_.load(std::memory_order_relaxed));
  FamilyBuilder series{Metric::scrape_series};
  series.count({}, series_count(page.families) + 3);
  std::move(collect).add_to(page.families);
  std::move(series).add_to(page.families);
  std::move(errors).add_to(page.families);
}

std::shared_ptr<prometheus::Collectable> collectable(const ServerView& view, Options options) {
  return std::make_shared<ServerCollector>(view, std::move(options));
}

}  // namespace equinox::metrics
