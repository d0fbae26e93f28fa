#include "metrics/server_collector.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "metrics/family_builder.hpp"

namespace equinox::metrics {

namespace {

/// The data model's label names, without those that Prometheus keeps for itself.
bool is_label_name(std::string_view name) noexcept {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && !name.starts_with("__") && is_letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

/// One line that cannot be parsed costs a scraper the whole page, and a registry that is none the process.
void check(const Options& options) {
  std::set<std::string_view> names{"version", "compiler"};
  for (const auto& [name, value] : options.build) {
    if (!is_label_name(name)) {
      throw std::invalid_argument{"metrics: \"" + name +
                                  "\" of build is no label, allowed are letters, digits and '_'"};
    }
    if (!names.insert(name).second) {
      throw std::invalid_argument{"metrics: the label \"" + name + "\" of build is there already"};
    }
  }
  if (std::ranges::find(options.appended, nullptr) != options.appended.end()) {
    throw std::invalid_argument{"metrics: an empty pointer in appended"};
  }
}

}  // namespace

ServerCollector::ServerCollector(const ServerView& view, Options options) : view_{view}, options_{std::move(options)} {
  check(options_);
}

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
