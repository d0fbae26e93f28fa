#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "metrics/family_builder.hpp"
#include "metrics/scrape.hpp"

namespace equinox::metrics {

namespace {

std::string status_text(std::uint16_t status, StatusLabel how) {
  if (status == 0) return {};
  if (how == StatusLabel::status_class) return std::string(1, static_cast<char>('0' + status / 100)) + "xx";
  return std::to_string(status);
}

std::string error_text(const RequestSeries& series) {
  return series.error == ErrorType::status ? std::to_string(series.status) : std::string{to_string(series.error)};
}

/// Series that get the same labels must become one: classes of status codes join their codes.
std::vector<RequestSeries> joined(const Sources& from, std::vector<std::size_t>& place) {
  std::vector<RequestSeries> out;
  place.clear();
  const bool by_class = from.options->status == StatusLabel::status_class;
  for (auto series : from.snapshot.requests) {
    if (by_class) series.status = static_cast<std::uint16_t>(series.status / 100 * 100);
    const auto same = std::find_if(out.begin(), out.end(), [&](const RequestSeries& other) {
      return by_class && other.route == series.route && other.method == series.method &&
             other.status == series.status && other.version == series.version && other.scheme == series.scheme &&
             other.error == series.error;
    });
    place.push_back(static_cast<std::size_t>(same - out.begin()));
    if (same == out.end()) {
      out.push_back(series);
      continue;
    }
    for (std::size_t i = 0; i < series.duration.buckets.size(); ++i) {
      same->duration.buckets[i] += series.duration.buckets[i];
    }
    same->duration.sum += series.duration.sum;
  }
  return out;
}

void place_exemplars(const Sources& from, const std::vector<std::size_t>& place, Page& page) {
  for (const auto& exemplar : from.snapshot.exemplars) {
    PlacedExemplar placed{page.families.size() - 1, place[exemplar.series], exemplar.bucket, exemplar};
    // Several reactors may have one for the same bucket: the newest tells most.
    const auto same = std::find_if(page.exemplars.begin(), page.exemplars.end(), [&](const PlacedExemplar& other) {
      return other.family == placed.family && other.metric == placed.metric && other.bucket == placed.bucket;
    });
    if (same == page.exemplars.end()) {
      page.exemplars.push_back(placed);
    } else if (same->exemplar.at_wall_ns < exemplar.at_wall_ns) {
      *same = placed;
    }
  }
  std::sort(page.exemplars.begin(), page.exemplars.end(), [](const PlacedExemplar& a, const PlacedExemplar& b) {
    return std::tie(a.family, a.metric, a.bucket) < std::tie(b.family, b.metric, b.bucket);
  });
}

void durations(const Sources& from, Page& page) {
  FamilyBuilder family{Metric::request_duration};
  std::vector<std::size_t> place;
  for (const auto& series : joined(from, place)) {
    const auto status = status_text(series.status, from.options->status);
    // With classes the exact code must not come back through error_type.
    const auto error = series.error == ErrorType::status ? status : error_text(series);
    family.histogram({{"http_request_method", kMethodLabels[series.method]},
                      {"http_response_status_code", status},
                      {"http_route", from.route_name(series.route)},
                      {"network_protocol_version", kVersionLabels[series.version]},
                      {"url_scheme", kSchemeLabels[series.scheme]},
                      {"error_type", error}},
                     kDurationEdges, series.duration, kNanoseconds);
  }
  if (family.size() == 0) return;
  std::move(family).add_to(page.families);
  place_exemplars(from, place, page);
}

void active(const Sources& from, Page& page) {
  FamilyBuilder family{Metric::active_requests};
  const auto& totals = from.snapshot.totals;
  for (std::size_t method = 0; method < kMethodLabels.size(); ++method) {
    for (std::size_t scheme = 0; scheme < kSchemeLabels.size(); ++scheme) {
      const auto started = totals.requests_started[method][scheme];
      const auto finished = totals.requests_finished[method][scheme];
      family.count({{"http_request_method", kMethodLabels[method]}, {"url_scheme", kSchemeLabels[scheme]}},
                   started > finished ? started - finished : 0);
    }
  }
  std::move(family).add_to(page.families);
}

void body_sizes(const Sources& from, Page& page) {
  if (!from.options->body_sizes) return;
  const auto write = [&](Metric metric, const auto& sizes) {
    FamilyBuilder family{metric};
    for (std::size_t method = 0; method < kMethodLabels.size(); ++method) {
      for (std::size_t version = 0; version < kVersionLabels.size(); ++version) {
        family.histogram(
            {{"http_request_method", kMethodLabels[method]}, {"network_protocol_version", kVersionLabels[version]}},
            kSizeEdges, sizes[method][version], 1);
      }
    }
    std::move(family).add_to(page.families);
  };
  write(Metric::request_body_size, from.snapshot.totals.request_body);
  write(Metric::response_body_size, from.snapshot.totals.response_body);
}

void phases(const Sources& from, Page& page) {
  FamilyBuilder first_byte{Metric::time_to_first_byte};
  FamilyBuilder phase_family{Metric::phase};
  for (std::size_t version = 0; version < kVersionLabels.size(); ++version) {
    first_byte.histogram({{"network_protocol_version", kVersionLabels[version]}}, kDurationEdges,
                         from.snapshot.totals.first_byte[version], kNanoseconds);
  }
  for_each_word<RequestPhase>([&](RequestPhase phase) {
    for (std::size_t version = 0; version < kVersionLabels.size(); ++version) {
      phase_family.histogram({{"phase", to_string(phase)}, {"network_protocol_version", kVersionLabels[version]}},
                             kDurationEdges, from.snapshot.totals.phases[index_of(phase)][version], kNanoseconds);
    }
  });
  std::move(first_byte).add_to(page.families);
  std::move(phase_family).add_to(page.families);
}

/// By the routes of the family of durations, and with its budget: a line for each of a thousand configured routes
/// would say nothing of most of them.
void slow(const Sources& from, Page& page) {
  std::map<RouteId, std::uint64_t> by_route;
  for (const auto& series : from.snapshot.requests) by_route.try_emplace(series.route);
  for (std::size_t route = 0; route < from.snapshot.routes.size(); ++route) {
    const auto count = from.snapshot.routes[route].slow;
    const auto own = by_route.find(static_cast<RouteId>(route));
    if (own != by_route.end()) {
      own->second += count;
    } else if (count != 0) {
      by_route[kRouteOther] += count;
    }
  }
  if (by_route.empty()) return;
  FamilyBuilder family{Metric::slow_requests};
  for (const auto& [route, count] : by_route) family.count({{"http_route", from.route_name(route)}}, count);
  std::move(family).add_to(page.families);
}

}  // namespace

void collect_requests(const Sources& from, Page& page) {
  durations(from, page);
  active(from, page);
  body_sizes(from, page);
  phases(from, page);

  FamilyBuilder rejected{Metric::rejected_requests};
  for_each_word<Protocol>([&](Protocol protocol) {
    for_each_word<RequestRejectReason>([&](RequestRejectReason reason) {
      rejected.count({{"protocol", to_string(protocol)}, {"reason", to_string(reason)}},
                     from.snapshot.totals.rejected_requests[index_of(protocol)][index_of(reason)]);
    });
  });
  std::move(rejected).add_to(page.families);

  slow(from, page);

  FamilyBuilder upgrades{Metric::upgrades};
  for_each_word<Upgrade>([&](Upgrade to) {
    upgrades.count({{"to", to_string(to)}}, from.snapshot.totals.upgrades[index_of(to)]);
  });
  std::move(upgrades).add_to(page.families);
}

void collect_http2(const Sources& from, Page& page) {
  const auto& totals = from.snapshot.totals;
  FamilyBuilder streams{Metric::http2_streams};
  constexpr std::array<std::string_view, 3> kStates{"open", "half_closed_local", "half_closed_remote"};
  for (std::size_t state = 0; state < kStates.size(); ++state) {
    const auto [entered, left] = totals.h2_streams[state];
    streams.count({{"state", kStates[state]}}, entered > left ? entered - left : 0);
  }
  std::move(streams).add_to(page.families);

  FamilyBuilder opened{Metric::http2_streams_opened};
  opened.count({}, totals.h2_streams_opened);
  std::move(opened).add_to(page.families);

  FamilyBuilder held{Metric::http2_requests_held};
  held.count({}, totals.h2_requests_held);
  std::move(held).add_to(page.families);

  const auto by_direction = [&](Metric metric, const auto& labels, std::string_view label, const auto& counts) {
    FamilyBuilder family{metric};
    for_each_word<Direction>([&](Direction direction) {
      for (std::size_t i = 0; i < labels.size(); ++i) {
        family.count({{"direction", to_string(direction)}, {label, labels[i]}}, counts[index_of(direction)][i]);
      }
    });
    std::move(family).add_to(page.families);
  };
  by_direction(Metric::http2_stream_resets, kH2ErrorLabels, "error_code", totals.h2_resets);
  by_direction(Metric::http2_goaways, kH2ErrorLabels, "error_code", totals.h2_goaways);
  by_direction(Metric::http2_frames, kH2FrameLabels, "type", totals.h2_frames);

  FamilyBuilder blocked{Metric::http2_blocked};
  blocked.seconds({{"scope", "connection"}}, totals.h2_connection_blocked_ns);
  blocked.seconds({{"scope", "stream"}}, totals.h2_stream_blocked_ns);
  std::move(blocked).add_to(page.families);

  FamilyBuilder rtt{Metric::http2_ping_rtt};
  rtt.histogram({}, kRttEdges, totals.h2_ping_rtt, kNanoseconds);
  std::move(rtt).add_to(page.families);
  FamilyBuilder peak{Metric::http2_streams_peak};
  peak.histogram({}, kStreamsEdges, totals.h2_streams_peak, 1);
  std::move(peak).add_to(page.families);

  FamilyBuilder abuse{Metric::http2_abuse};
  for_each_word<CloseReason>([&](CloseReason reason) {
    if (family_of(reason) != CloseFamily::abuse) return;
    abuse.count({{"kind", to_string(reason)}}, from.snapshot.closed(reason));
  });
  std::move(abuse).add_to(page.families);
}

}  // namespace equinox::metrics
