#include <prometheus/collectable.h>

#include <equinox/metrics.hpp>
#include <exception>
#include <memory>
#include <utility>

#include "metrics/accept.hpp"
#include "metrics/exposition_source.hpp"
#include "metrics/scrape_slots.hpp"
#include "metrics/server_collector.hpp"

namespace equinox::metrics {

Handler exposition(const ServerView& view, Options options) {
  auto collector = std::make_shared<const ServerCollector>(view, std::move(options));
  return Handler{[collector, slots = ScrapeSlots{}](const Request& request) {
    auto slot = slots.take(request.client(), request.context().connection);
    if (slot == nullptr) {
      collector->count_error();
      return Response::error(503).with("Retry-After", "1");
    }
    auto page = collector->page();
    for (const auto& registry : collector->options().appended) {
      // As a part of our own: one that fails costs its families, not the scrape.
      try {
        for (auto& family : registry->Collect()) page.families.push_back(std::move(family));
      } catch (const std::exception&) {
        collector->count_error();
      }
    }
    const auto format = preferred_format(request.field("accept").value_or(""));
    const bool gzip = request.accepts_encoding("gzip");
    auto response = Response::stream(std::make_unique<ExpositionSource>(std::move(page), format, gzip, std::move(slot)),
                                     content_type(format));
    if (gzip) response.with("Content-Encoding", "gzip");
    response.with("Vary", "Accept, Accept-Encoding");
    response.with("Cache-Control", "no-store");
    return response;
  }};
}

}  // namespace equinox::metrics
