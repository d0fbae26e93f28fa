#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <equinox/metrics.hpp>
#include <equinox/view.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace equinox::metrics {

/// An exemplar and the bucket it belongs to: indices into a page's families.
struct PlacedExemplar {
  std::size_t family{0};
  std::size_t metric{0};
  std::size_t bucket{0};
  Exemplar exemplar{};
};

/// One scrape's result; both text formats are written from it.
struct Page {
  std::vector<prometheus::MetricFamily> families;
  std::vector<PlacedExemplar> exemplars;  ///< by family, metric, bucket
};

/// What a scrape reads, once.
struct Sources {
  ServerSnapshot snapshot;
  LiveFacts live;
  ServerIdentity identity;
  std::vector<std::string> routes;
  std::vector<std::string> listeners;
  const Options* options{nullptr};

  [[nodiscard]] std::string_view route_name(RouteId route) const noexcept {
    return route < routes.size() ? std::string_view{routes[route]} : "_other";
  }
  [[nodiscard]] std::string_view listener_name(std::size_t listener) const noexcept {
    return listener < listeners.size() ? std::string_view{listeners[listener]} : "_other";
  }
};

// Each appends its families in the order of the table.
void collect_connections(const Sources& from, Page& page);
void collect_tls(const Sources& from, Page& page);
void collect_requests(const Sources& from, Page& page);
void collect_http2(const Sources& from, Page& page);
void collect_tcp(const Sources& from, Page& page);
void collect_reactors(const Sources& from, Page& page);
void collect_self(const Sources& from, Page& page);
/// From procfs; what cannot be read is left out.
void collect_process(Page& page);

}  // namespace equinox::metrics
