#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <equinox/metrics.hpp>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "observed_server.hpp"

namespace equinox::metrics {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kOpenMetricsAccept = "application/openmetrics-text;version=1.0.0";

class ExpositionTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto route = server.route("/a \"quoted\"\\path\n");
    server.request(route, 200, 1'500'000);
    server.request(route, 500, 700'000'000, 1, ErrorType::status);
    server.open_and_close(CloseReason::keep_alive_timeout);
  }
  Response answer(std::string_view accept, std::string_view encoding = "", Options options = {}) {
    const std::array<Field, 2> fields{Field{"accept", accept}, Field{"accept-encoding", encoding}};
    RequestHead head;
    head.fields = fields;
    const RequestContext context;
    const auto handler = exposition(server.telemetry, std::move(options));
    return (*handler.sync())(Request{head, context});
  }
  static std::string read_body(Response& response, std::size_t room = 4096) {
    auto& source = std::get<std::unique_ptr<BodySource>>(response.body());
    std::string out;
    for (;;) {
      std::string part(room, '\0');
      const auto pulled = source->pull(part);
      EXPECT_LE(pulled.count, room);
      out.append(part, 0, pulled.count);
      if (pulled.status == PullStatus::end) return out;
      EXPECT_EQ(pulled.status, PullStatus::bytes);
      EXPECT_GT(pulled.count, 0U);
      if (pulled.count == 0) return out;
    }
  }
  std::string page(std::string_view accept, Options options = {}) {
    auto response = answer(accept, "", std::move(options));
    return read_body(response);
  }
  ObservedServer server;
};

TEST_F(ExpositionTest, AnswersInTheFormatThatWasAskedFor) {
  EXPECT_EQ(answer("").content_type(), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(answer(kOpenMetricsAccept).content_type(), "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

// Each of them is found by nobody but the scraper, at three in the morning.
TEST_F(ExpositionTest, OptionsThatSpoilEveryPageAreRefused) {
  for (const char* label : {"", "my-label", "1st", "__own", "version", "compiler", "a\"b"}) {
    EXPECT_THROW(exposition(server.telemetry, {.build = {{label, "x"}}}), std::invalid_argument) << label;
  }
  EXPECT_THROW(exposition(server.telemetry, {.build = {{"tls", "x"}, {"tls", "y"}}}), std::invalid_argument);
  EXPECT_THROW(exposition(server.telemetry, {.appended = {nullptr}}), std::invalid_argument);
  EXPECT_THROW(collectable(server.telemetry, {.appended = {nullptr}}), std::invalid_argument);
  EXPECT_THAT(page("", {.build = {{"tls_2", "x"}}}), HasSubstr("tls_2=\"x\"} 1\n"));
}

TEST_F(ExpositionTest, ARegistryThatFailsCostsItsOwnFamiliesOnly) {
  struct Failing final : prometheus::Collectable {
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
      throw std::runtime_error{"no database"};
    }
  };
  auto good = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter().Name("orders_total").Help("").Register(*good).Add({}).Increment();
  const auto handler = exposition(server.telemetry, {.appended = {std::make_shared<Failing>(), good}});
  const RequestHead head;
  const RequestContext context;
  const auto scrape = [&] {
    Response response = (*handler.sync())(Request{head, context});
    return read_body(response);
  };
  EXPECT_THAT(scrape(), testing::AllOf(HasSubstr("equinox_connections{"), HasSubstr("orders_total 1\n")));
  EXPECT_THAT(scrape(), HasSubstr("equinox_scrape_errors_total 1\n"));
}

// A page with another octet in it is refused as a whole.
TEST_F(ExpositionTest, NamesAreWrittenAsUtf8) {
  server.request(server.route("/caf\xE9"), 200, 1'500'000);
  server.request(server.route("/caf\xE8"), 200, 1'500'000);
  server.request(server.route("/caf\xC3\xA9/\xF0\x9F\x8D\xB5"), 200, 1'500'000);
  for (const std::string_view accept : {std::string_view{}, kOpenMetricsAccept}) {
    const std::string text = page(accept, {.build = {{"vendor", "\xED\xA0\x80"}}});
    EXPECT_THAT(text, HasSubstr("\"/caf%E9\""));
    EXPECT_THAT(text, HasSubstr("\"/caf%E8\"")) << "two names stay two series";
    EXPECT_THAT(text, HasSubstr("\"/caf\xC3\xA9/\xF0\x9F\x8D\xB5\""));
    EXPECT_THAT(text, HasSubstr("vendor=\"%ED%A0%80\""));
    EXPECT_EQ(text.find_first_of("\xE9\xE8\xED"), std::string::npos);
  }
}

TEST_F(ExpositionTest, PagesThatNobodyReadsAreFew) {
  const auto handler = exposition(server.telemetry, {});
  const RequestHead head;
  RequestContext context;
  const auto scrape = [&](int client, std::uint32_t connection) {
    context.client = Endpoint::v4({10, 0, 0, static_cast<std::uint8_t>(client)}, 1);
    context.connection = ConnectionId{.slot = connection, .generation = 1};
    return (*handler.sync())(Request{head, context});
  };
  std::vector<Response> unread;
  for (int i = 0; i < 2; ++i) unread.push_back(scrape(0, 0));
  EXPECT_EQ(scrape(0, 0).status(), Status{503}) << "as many as one connection may have";
  for (std::uint32_t i = 2; i < 12; ++i) unread.push_back(scrape(0, i));
  EXPECT_EQ(scrape(0, 12).status(), Status{503}) << "as many as one client may have";
  for (std::uint32_t i = 12; i < 16; ++i) unread.push_back(scrape(1, i));
  for (const Response& each : unread) EXPECT_EQ(each.status(), Status{200});
  EXPECT_EQ(scrape(2, 16).status(), Status{503}) << "all taken";
  unread.pop_back();
  Response next = scrape(2, 16);
  EXPECT_EQ(next.status(), Status{200});
  EXPECT_THAT(read_body(next), HasSubstr("equinox_scrape_errors_total 3\n")) << "a refused one is counted";
}

TEST_F(ExpositionTest, OpenMetricsEndsWithItsMarkAndStripsTotalFromFamilies) {
  const auto text = page(kOpenMetricsAccept);
  EXPECT_THAT(text, EndsWith("# EOF\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE equinox_connections_accepted counter\n"));
  EXPECT_THAT(text, HasSubstr("equinox_connections_accepted_total{listener=\"http\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# UNIT http_server_request_duration_seconds seconds\n"));
  EXPECT_THAT(text, HasSubstr("le=\"1.0\"}"));
  EXPECT_THAT(text, Not(HasSubstr("\n\n")));
}

TEST_F(ExpositionTest, EdgesAreWrittenAlikeInBothFormats) {
  // "1" and "1.0" are one number to Prometheus, which writes both in the second form (since 3.0).
  const auto edges_of = [](const std::string& text) {
    std::set<std::string> edges;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
      const auto begin = line.find("le=\"");
      if (begin == std::string::npos) continue;
      std::string edge = line.substr(begin + 4, line.find('"', begin + 4) - begin - 4);
      if (edge.ends_with(".0")) edge.resize(edge.size() - 2);
      edges.insert(line.substr(0, line.find('{')) + " " + edge);
    }
    return edges;
  };
  Options options;
  options.body_sizes = true;
  const auto text = edges_of(page("", options));
  EXPECT_THAT(text, testing::Contains("http_server_request_duration_seconds_bucket 0.0001"));
  EXPECT_THAT(text, testing::Contains(testing::EndsWith("e-05"))) << "no edge is this small any more: choose another";
  EXPECT_EQ(edges_of(page(kOpenMetricsAccept, options)), text);
}

TEST_F(ExpositionTest, OpenMetricsCarriesExemplarsOfTheirBucketWithin128Characters) {
  std::istringstream lines{page(kOpenMetricsAccept)};
  int exemplars = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(" # {");
    if (at == std::string::npos) continue;
    ++exemplars;
    EXPECT_THAT(line, HasSubstr("trace_id=\"0af7651916cd43dd8448eb211c80319c\""));
    EXPECT_THAT(line, HasSubstr("request_id=\"request-1\""));
    EXPECT_THAT(line, HasSubstr("connection_id=\""));
    EXPECT_THAT(line, EndsWith(" 1700000000.123"));
    if (line.find("_code=\"200\"") != std::string::npos) {
      EXPECT_THAT(line, HasSubstr("le=\"0.0025\"} 1 # {"));
      EXPECT_THAT(line, HasSubstr("} 0.0015 "));
    } else {
      EXPECT_THAT(line, HasSubstr("le=\"0.75\"} 1 # {"));
    }
    EXPECT_LE(line.find('}', at) - at, 128U + 20U);
  }
  EXPECT_EQ(exemplars, 2);
}

TEST_F(ExpositionTest, AnExemplarHasALongRequestIdWholeOrNotAtAll) {
  server.request_id = std::string(64, 'r');
  const auto route = server.route("/long");
  server.request(route, 204, 30'000'000);
  server.trace_id.clear();
  server.request(route, 206, 1'500'000, 1);
  std::istringstream lines{page(kOpenMetricsAccept)};
  int exemplars = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" # {") == std::string::npos || line.find("/long") == std::string::npos) continue;
    ++exemplars;
    const bool is_alone = line.find("_code=\"206\"") != std::string::npos;
    const std::string whole = "request_id=\"" + server.request_id + '"';
    EXPECT_EQ(line.find(whole) != std::string::npos, is_alone) << line;
    EXPECT_EQ(line.find("request_id") != std::string::npos, is_alone) << line;
    EXPECT_THAT(line, HasSubstr("connection_id=\""));
  }
  EXPECT_EQ(exemplars, 2);
}

TEST_F(ExpositionTest, TextHasNoExemplars) { EXPECT_THAT(page(""), Not(HasSubstr(" # {"))); }

TEST_F(ExpositionTest, EscapesLabelValues) {
  EXPECT_THAT(page(kOpenMetricsAccept), HasSubstr(R"(http_route="/a \"quoted\"\\path\n")"));
  EXPECT_THAT(page(""), HasSubstr(R"(http_route="/a \"quoted\"\\path\n")"));
}

TEST_F(ExpositionTest, NeverExportsATargetOrAPeer) {
  EXPECT_THAT(page(kOpenMetricsAccept), Not(HasSubstr("secret")));
  EXPECT_THAT(page(""), Not(HasSubstr("secret")));
}

TEST_F(ExpositionTest, IsTheSameHoweverSmallThePulls) {
  auto small = answer(kOpenMetricsAccept);
  auto large = answer(kOpenMetricsAccept);
  const auto without_numbers = [](std::string text) {  // the process changes between two scrapes
    std::erase_if(text, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == '-' || c == '+'; });
    return text;
  };
  EXPECT_EQ(without_numbers(read_body(small, 7)), without_numbers(read_body(large, 1 << 20)));
}

std::string inflated(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(::inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(4 << 20, '\0');
  std::string input = packed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  return out;
}

TEST_F(ExpositionTest, CompressesWhenAccepted) {
  auto response = answer(kOpenMetricsAccept, "gzip");
  EXPECT_EQ(response.field("Content-Encoding"), "gzip");
  const auto packed = read_body(response, 100);
  const auto text = inflated(packed);
  EXPECT_THAT(text, EndsWith("# EOF\n"));
  EXPECT_LT(packed.size() * 5, text.size());
  EXPECT_EQ(answer("").field("Content-Encoding"), "");
}

class LargeExposition : public ExpositionTest {
 protected:
  void SetUp() override {
    ExpositionTest::SetUp();
    auto& counters = prometheus::BuildCounter().Name("shop_orders_total").Help("Orders.").Register(*registry_);
    auto& times = prometheus::BuildHistogram().Name("shop_seconds").Help("Times.").Register(*registry_);
    for (int i = 0; i < 2000; ++i) {
      counters.Add({{"shop", std::to_string(i)}}).Increment(i);
      times.Add({{"shop", std::to_string(i)}}, prometheus::Histogram::BucketBoundaries{1, 2, 3, 4, 5}).Observe(2);
    }
    options_.appended.push_back(registry_);
  }
  /// As a reactor pulls it; `most` is what came at most before it waited for its next turn.
  std::string read_in_turns(Response response, std::size_t& most) {
    auto& source = std::get<std::unique_ptr<BodySource>>(response.body());
    source->attach(Resumer{});
    std::string out;
    std::size_t since = 0;
    std::string part(16 * 1024, '\0');
    for (PullResult pulled{PullStatus::bytes, 0}; pulled.status != PullStatus::end;) {
      pulled = source->pull(part);
      out.append(part, 0, pulled.count);
      since += pulled.count;
      most = std::max(most, since);
      if (pulled.status == PullStatus::pending) since = 0;
      if (pulled.status == PullStatus::failed) return "failed";
    }
    return out;
  }
  static std::string shop_lines(const std::string& page) {
    std::istringstream lines{page};
    std::string all;
    for (std::string line; std::getline(lines, line);) {
      if (line.find("shop_") != std::string::npos) all += line + '\n';
    }
    return all;
  }
  Options options_;

 private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
};

TEST_F(LargeExposition, ComesInPiecesEachWithATurnOfItsOwn) {
  for (const std::string_view format : {std::string_view{""}, kOpenMetricsAccept}) {
    std::size_t most = 0;
    const std::string pieces = read_in_turns(answer(format, "", options_), most);
    EXPECT_GT(pieces.size(), 500'000U);
    EXPECT_LT(most, 64U * 1024U);
    EXPECT_EQ(shop_lines(pieces), shop_lines(page(format, options_)));
    const std::string head = "# TYPE shop_seconds histogram\n";
    EXPECT_EQ(pieces.find(head), pieces.rfind(head)) << "each family is named once";
    EXPECT_NE(pieces.find(head), std::string::npos);
  }
}

TEST_F(LargeExposition, ComesInTheSamePiecesCompressed) {
  std::size_t most = 0;
  const std::string packed = read_in_turns(answer(kOpenMetricsAccept, "gzip", options_), most);
  EXPECT_LT(most, 32U * 1024U);
  EXPECT_EQ(shop_lines(inflated(packed)), shop_lines(page(kOpenMetricsAccept, options_)));
}

TEST_F(ExpositionTest, AppendsTheProgramsOwnRegistries) {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter().Name("shop_orders_total").Help("Orders.").Register(*registry).Add({}).Increment(3);
  Options options;
  options.appended.push_back(registry);
  EXPECT_THAT(page("", options), HasSubstr("shop_orders_total 3\n"));
  EXPECT_THAT(page(kOpenMetricsAccept, options), HasSubstr("# TYPE shop_orders counter\n# HELP shop_orders Orders.\n"
                                                           "shop_orders_total 3\n"));
}

TEST_F(ExpositionTest, PassesPromtool) {
#ifndef EQUINOX_PROMTOOL
  GTEST_SKIP() << "skipped: promtool is not installed";
#else
  const auto path = testing::TempDir() + "equinox_page.txt";
  std::ofstream{path} << page("");
  const auto command = std::string{EQUINOX_PROMTOOL} + " check metrics < " + path + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  std::array<char, 512> part{};
  while (std::fgets(part.data(), static_cast<int>(part.size()), pipe) != nullptr) output += part.data();
  EXPECT_EQ(::pclose(pipe), 0) << output;
#endif
}

}  // namespace
}  // namespace equinox::metrics
