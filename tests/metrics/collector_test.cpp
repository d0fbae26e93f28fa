#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <equinox/method.hpp>
#include <equinox/request.hpp>
#include <map>
#include <set>

#include "metrics/metric_names.hpp"
#include "metrics/scrape.hpp"
#include "metrics/server_collector.hpp"
#include "observed_server.hpp"

namespace equinox::metrics {
namespace {

using Values = std::map<std::string, double>;

const prometheus::MetricFamily* find(const std::vector<prometheus::MetricFamily>& families, Metric metric) {
  for (const auto& family : families) {
    if (family.name == info_of(metric).name) return &family;
  }
  return nullptr;
}

double value_of(const std::vector<prometheus::MetricFamily>& families, Metric metric,
                const std::map<std::string, std::string>& labels) {
  const auto* family = find(families, metric);
  if (family == nullptr) return -1;
  for (const auto& entry : family->metric) {
    std::map<std::string, std::string> found;
    for (const auto& label : entry.label) found[label.name] = label.value;
    if (found != labels) continue;
    switch (info_of(metric).kind) {
      case MetricKind::counter: return entry.counter.value;
      case MetricKind::gauge: return entry.gauge.value;
      case MetricKind::histogram: return static_cast<double>(entry.histogram.sample_count);
    }
  }
  return -1;
}

std::set<std::string> split(std::string_view labels) {
  std::set<std::string> out;
  while (!labels.empty()) {
    const auto at = labels.find(", ");
    out.emplace(labels.substr(0, at));
    labels.remove_prefix(at == std::string_view::npos ? labels.size() : at + 2);
  }
  return out;
}

class CollectorTest : public testing::Test {
 protected:
  std::vector<prometheus::MetricFamily> collect(Options options = {}) {
    return ServerCollector{server.telemetry, std::move(options)}.Collect();
  }
  ObservedServer server;
};

TEST(Vocabularies, AgreeWithTheHttpLayer) {
  ASSERT_EQ(kMethodLabels.size(), kMethodCount);
  for (std::size_t i = 0; i < kMethodCount; ++i) EXPECT_EQ(kMethodLabels[i], to_string(static_cast<Method>(i)));
  EXPECT_EQ(kVersionLabels[static_cast<std::size_t>(HttpVersion::http2)], "2");
  EXPECT_EQ(kSchemeLabels[static_cast<std::size_t>(Scheme::https)], "https");
}

TEST_F(CollectorTest, ExportsOnlyWhatTheTableNames) {
  server.request(server.route("/a"), 200, 1'000'000);
  std::set<std::string> seen;
  for (const auto& family : collect()) {
    EXPECT_TRUE(seen.insert(family.name).second) << family.name << " twice";
    const auto* info = find_metric(family.name);
    ASSERT_NE(info, nullptr) << family.name;
    EXPECT_EQ(family.help, info->help);
    const auto allowed = split(info->labels);
    for (const auto& metric : family.metric) {
      for (const auto& label : metric.label) EXPECT_TRUE(allowed.count(label.name)) << family.name << " " << label.name;
    }
  }
}

TEST_F(CollectorTest, HasEveryFamilyOfTheTable) {
  server.request(server.route("/a"), 200, 1'000'000);
  Options options;
  options.body_sizes = true;
  options.sandbox = {{"seccomp", true}, {"landlock", false}};
  options.admin = [] {
    AdminFacts facts;
    facts.topics.push_back({"overview", 1, 0});
    facts.actions.push_back({"drain", "done", "operator", 1});
    return facts;
  };
  const auto families = collect(options);
  EXPECT_EQ(value_of(families, Metric::sandbox, {{"part", "seccomp"}}), 1);
  EXPECT_EQ(value_of(families, Metric::sandbox, {{"part", "landlock"}}), 0);
  // These need facts that only a running server has.
  const std::set<Metric> live{Metric::accept_queue_length, Metric::accept_queue_limit,
                              Metric::buffer_pool_bytes,   Metric::buffer_pool_requests,
                              Metric::log_messages,        Metric::tls_certificate_not_after};
  for (const auto& info : kMetricTable) {
    if (live.count(info.metric) == 0) {
      EXPECT_NE(find(families, info.metric), nullptr) << info.name;
    }
  }
}

TEST_F(CollectorTest, ExportsZerosForEveryKnownWord) {
  const auto families = collect();
  for_each_word<CloseReason>([&](CloseReason reason) {
    double least = -1;
    for_each_word<Protocol>([&](Protocol protocol) {
      least = std::max(least, value_of(families, Metric::connections_closed,
                                       {{"protocol", std::string{to_string(protocol)}},
                                        {"initiator", std::string{to_string(initiator_of(reason))}},
                                        {"reason", std::string{to_string(reason)}}}));
    });
    EXPECT_EQ(least, 0) << to_string(reason);
  });
  EXPECT_EQ(value_of(families, Metric::connections, {{"listener", "https"}, {"protocol", "h2"}, {"state", "idle"}}), 0);
  EXPECT_EQ(value_of(families, Metric::idle_evictions, {{"protocol", "http/1.1"}, {"phase", "between_requests"}}), 0);
}

TEST_F(CollectorTest, WhoHasSentNothingCanBeClosedByAnAdministratorInBothWays) {
  const auto families = collect();
  for (const char* reason : {"admin_close", "admin_drain"}) {
    EXPECT_EQ(value_of(families, Metric::connections_closed,
                       {{"protocol", "unknown"}, {"initiator", "admin"}, {"reason", reason}}),
              0)
        << reason;
  }
}

TEST_F(CollectorTest, AHeadMayComeTooSlowlyBeforeTheProtocolIsKnown) {
  const auto families = collect();
  const std::map<std::string, std::string> closed{
      {"protocol", "unknown"}, {"initiator", "server"}, {"reason", "header_timeout"}};
  EXPECT_EQ(value_of(families, Metric::connections_closed, closed), 0);
  EXPECT_EQ(value_of(families, Metric::idle_evictions, {{"protocol", "unknown"}, {"phase", "head"}}), 0);
}

TEST_F(CollectorTest, WhoseProtocolIsUnknownMayGrowTooOldOrOutlastADrain) {
  const auto families = collect();
  for (const char* reason : {"max_age", "shutdown_timeout"}) {
    EXPECT_EQ(value_of(families, Metric::connections_closed,
                       {{"protocol", "unknown"}, {"initiator", "server"}, {"reason", reason}}),
              0)
        << reason;
  }
  EXPECT_EQ(value_of(families, Metric::idle_evictions, {{"protocol", "unknown"}, {"phase", "max_age"}}), 0);
}

TEST_F(CollectorTest, AFloodOfTlsComesOverTlsWhateverItCarries) {
  const auto families = collect();
  for_each_word<Protocol>([&](Protocol protocol) {
    const std::map<std::string, std::string> closed{
        {"protocol", std::string{to_string(protocol)}}, {"initiator", "server"}, {"reason", "flood_tls"}};
    EXPECT_EQ(value_of(families, Metric::connections_closed, closed), protocol == Protocol::h2c ? -1 : 0)
        << to_string(protocol);
  });
}

TEST_F(CollectorTest, CountsWhatHappened) {
  const auto route = server.route("/a");
  server.request(route, 200, 1'000'000);
  server.request(route, 200, 2'000'000, 1);
  server.request(route, 503, 600'000'000, 1, ErrorType::status);
  server.open_and_close(CloseReason::client_fin_idle);
  const auto families = collect();
  std::map<std::string, std::string> labels{{"http_request_method", "GET"},
                                            {"http_response_status_code", "200"},
                                            {"http_route", "/a"},
                                            {"network_protocol_version", "1.1"},
                                            {"url_scheme", "http"}};
  EXPECT_EQ(value_of(families, Metric::request_duration, labels), 2);
  labels["http_response_status_code"] = labels["error_type"] = "503";
  EXPECT_EQ(value_of(families, Metric::request_duration, labels), 1);
  EXPECT_EQ(value_of(families, Metric::slow_requests, {{"http_route", "/a"}}), 1);
  EXPECT_EQ(value_of(families, Metric::phase, {{"phase", "handler"}, {"network_protocol_version", "1.1"}}), 3);
  EXPECT_EQ(value_of(families, Metric::connections_closed,
                     {{"protocol", "http/1.1"}, {"initiator", "client"}, {"reason", "client_fin_idle"}}),
            1);
  EXPECT_EQ(value_of(families, Metric::connections_accepted, {{"listener", "http"}}), 1);
}

TEST_F(CollectorTest, JoinsCodesIntoClassesWhenAsked) {
  const auto route = server.route("/a");
  server.request(route, 200, 1'000'000);
  server.request(route, 204, 1'000'000);
  server.request(route, 404, 1'000'000);
  Options options;
  options.status = StatusLabel::status_class;
  const auto families = collect(options);
  const std::map<std::string, std::string> labels{{"http_request_method", "GET"},
                                                  {"http_response_status_code", "2xx"},
                                                  {"http_route", "/a"},
                                                  {"network_protocol_version", "1.1"},
                                                  {"url_scheme", "http"}};
  EXPECT_EQ(value_of(families, Metric::request_duration, labels), 2);
  EXPECT_EQ(find(families, Metric::request_duration)->metric.size(), 2U);
}

TEST(Certificates, OfTheSameNameTheFirstToExpireIsShown) {
  const auto certificate = [](std::string name, std::int64_t not_after_s) {
    CertificateFacts out;
    out.name = std::move(name);
    out.not_after_s = not_after_s;
    return out;
  };
  Sources from;
  from.live.certificates = {certificate("main", 3'000), certificate("shop", 5'000), certificate("main", 2'000),
                            certificate("main", 4'000)};
  Page page;
  collect_tls(from, page);
  ASSERT_NE(find(page.families, Metric::tls_certificate_not_after), nullptr);
  EXPECT_EQ(find(page.families, Metric::tls_certificate_not_after)->metric.size(), 2U);
  EXPECT_EQ(value_of(page.families, Metric::tls_certificate_not_after, {{"cert", "main"}}), 2'000);
  EXPECT_EQ(value_of(page.families, Metric::tls_certificate_not_after, {{"cert", "shop"}}), 5'000);
}

TEST_F(CollectorTest, InfinityAlwaysEqualsTheCount) {
  server.request(server.route("/a"), 200, 20'000'000'000);
  for (const auto& family : collect()) {
    if (family.type != prometheus::MetricType::Histogram) continue;
    for (const auto& metric : family.metric) {
      EXPECT_EQ(metric.histogram.bucket.back().cumulative_count, metric.histogram.sample_count) << family.name;
    }
  }
}

TEST_F(CollectorTest, SaysHowManyLinesItHas) {
  const auto families = collect();
  EXPECT_EQ(value_of(families, Metric::scrape_series, {}), static_cast<double>(series_count(families)));
  EXPECT_LT(series_count(families), 3500U);
}

TEST_F(CollectorTest, ReadsItsOwnProcess) {
  const auto families = collect();
  EXPECT_GT(value_of(families, Metric::process_resident, {}), 1e6);
  EXPECT_GE(value_of(families, Metric::process_open_fds, {}), 3);
  EXPECT_GE(value_of(families, Metric::process_threads, {}), 1);
  EXPECT_GT(value_of(families, Metric::process_start_time, {}), 1.6e9);
}

TEST_F(CollectorTest, FoldsRoutesPastTheBudgetAndSaysSo) {
  for (int i = 0; i < 200; ++i) server.request(server.route("/r" + std::to_string(i)), 200, 1'000'000);
  const auto families = collect();
  EXPECT_LE(find(families, Metric::request_duration)->metric.size(), 151U);
  EXPECT_EQ(value_of(families, Metric::series_dropped, {{"family", "http_server_request_duration_seconds"}}), 50);
}

TEST_F(CollectorTest, SlowRequestsHaveALineForEachRouteThatWasAskedFor) {
  for (int i = 0; i < 400; ++i) server.route("/configured" + std::to_string(i));
  EXPECT_EQ(find(collect(), Metric::slow_requests), nullptr) << "nobody has asked for anything";
  server.request(server.route("/configured7"), 200, 1'000'000);
  const auto families = collect();
  EXPECT_EQ(find(families, Metric::slow_requests)->metric.size(), 1U);
  EXPECT_EQ(value_of(families, Metric::slow_requests, {{"http_route", "/configured7"}}), 0);
}

TEST_F(CollectorTest, SlowRequestsFoldWhereTheirDurationsDo) {
  for (int i = 0; i < 200; ++i) server.request(server.route("/r" + std::to_string(i)), 200, 600'000'000);
  server.request(kRouteUnmatched, 404, 1'000'000);
  const auto families = collect();
  EXPECT_EQ(find(families, Metric::slow_requests)->metric.size(), 152U);
  EXPECT_EQ(value_of(families, Metric::slow_requests, {{"http_route", "/r0"}}), 1);
  EXPECT_EQ(value_of(families, Metric::slow_requests, {{"http_route", "_other"}}), 50);
  EXPECT_EQ(value_of(families, Metric::slow_requests, {{"http_route", "_unmatched"}}), 0);
}

}  // namespace
}  // namespace equinox::metrics
