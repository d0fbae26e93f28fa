#include "admin-ui/api/query.hpp"

#include <gtest/gtest.h>

#include "admin-ui/api/json.hpp"
#include "admin-ui/fake_view.hpp"

namespace equinox::admin {
namespace {

bool holds(const FakeView& view, std::string_view text, const ConnectionRecord& record) {
  return Query{text, Names::of(view), {}, Moment::now()}.matches({&record, nullptr, nullptr});
}

ConnectionRecord example() {
  ConnectionRecord record = FakeView::made(9);
  record.hot.protocol = Protocol::h2;
  record.hot.state = ConnectionState::writing;
  record.hot.requests = 12;
  record.hot.streams = 3;
  record.hot.route = 2;
  record.hot.method = 0;
  record.hot.sent_bytes = 64 * 1024;
  record.hot.last_active_ns = Moment::now().steady_ns - 45'000'000'000;
  record.cold.memory_bytes = 80 * 1024;
  record.cold.sampled_ns = 1;
  record.cold.rtt_us = 120'000;
  record.cold.sni.assign("shop.example.net");
  record.cold.target.assign("/Report/2026?token=abc");
  return record;
}

TEST(Query, FindsWhatItsTermsSay) {
  const FakeView view;
  const ConnectionRecord record = example();
  const char* const matching[] = {"",
                                  "proto:h2",
                                  "protocol:h*",
                                  "state:writing idle>30s",
                                  "idle>=45s idle<1m",
                                  "rtt>100ms -rtt>130ms",
                                  "sent:64k",
                                  "sent>=64k sent<1M",
                                  "memory>64k memory:80k -memory>=1M",
                                  "route:/api/*",
                                  "method:get",
                                  "peer:10.0.0.9",
                                  "peer:10.0.*",
                                  "peer:10.0.0.9:*",
                                  "sni:*.example.net",
                                  "target:/report/*",
                                  "report",
                                  "10.0.0.9",
                                  "\"Report/2026\"",
                                  "-state:idle",
                                  "streams:3 requests>11",
                                  "-reason:admin_close",
                                  "timer:idle deadline>1s",
                                  "id:1-2-3 reactor:1 slot:2"};
  for (const char* text : matching) EXPECT_TRUE(holds(view, text, record)) << text;
  const char* const other[] = {
      "proto:h2c",     "state:idle",         "idle>1h",    "rtt>130ms",     "route:/files/*",     "method:post",
      "peer:10.0.0.1", "peer:10.0.0.:*",     "-proto:h2",  "abc",           "target:*abc*",       "pending>1k",
      "memory<64k",    "reason:admin_close", "status:200", "listener:http", "proto:h2 state:idle"};
  for (const char* text : other) EXPECT_FALSE(holds(view, text, record)) << text;
}

TEST(Query, KnowsClosedConnections) {
  const FakeView view;
  ClosedRecord record;
  record.reason = CloseReason::keep_alive_timeout;
  record.status = 503;
  record.requests = 1;
  const auto matches = [&](std::string_view text) {
    return Query{text, Names::of(view), {}, Moment::now()}.matches({nullptr, &record, nullptr});
  };
  EXPECT_TRUE(matches("reason:keep_alive_timeout family:timer initiator:server status>=500 status:5*"));
  EXPECT_FALSE(matches("family:client"));
  record.method = static_cast<std::uint8_t>(Method::post);
  EXPECT_TRUE(matches("method:post"));
  record.requests = 0;
  EXPECT_TRUE(matches("method:post")) << "refused before it counted, and its row shows a method";
  record.status = 0;
  EXPECT_FALSE(matches("method:post")) << "there was none";
  EXPECT_FALSE(matches("status:4*"));
  EXPECT_FALSE(matches("memory<1G")) << "a connection that is gone holds none";
}

TEST(Query, FindsTheClientBehindAProxyAndElseThePeer) {
  const FakeView view;
  ConnectionRecord proxied = example();
  proxied.cold.client_known = true;
  proxied.cold.client_address = Endpoint::v4({192, 0, 2, 7}, 0).address;
  proxied.cold.client_port = 4711;
  for (const char* text : {"client:192.0.2.7", "client:192.0.2.7:4711", "client:192.0.*", "192.0.2.7", "peer:10.0.0.9"})
    EXPECT_TRUE(holds(view, text, proxied)) << text;
  for (const char* text : {"client:10.0.0.9", "peer:192.0.2.7", "client:192.0.2.7:80", "-client:192.0.2.7"})
    EXPECT_FALSE(holds(view, text, proxied)) << text;
  EXPECT_TRUE(holds(view, "client:10.0.0.9", example())) << "nobody is known behind it";
  proxied.cold.client_port = 0;  // X-Forwarded-For mostly names none
  EXPECT_TRUE(holds(view, "client:192.0.2.7", proxied));
  proxied.cold.client_address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
  EXPECT_TRUE(holds(view, "client:2001:db8::7", proxied));
  EXPECT_FALSE(holds(view, "client:2001:db8:", proxied)) << "what stands behind its last colon is no port";
}

TEST(Query, ACutAddressIsFoundAsItIsShown) {
  const FakeView view;
  ClosedRecord record;
  record.peer_known = record.client_known = true;
  record.peer_address = Endpoint::v4({10, 0, 0, 1}, 0).address;
  record.client_address = Endpoint::v4({192, 0, 2, 7}, 0).address;
  const auto matches = [&](std::string_view text) {
    Redaction redaction;
    redaction.truncate_client_address = true;
    return Query{text, Names::of(view), redaction, Moment::now()}.matches({nullptr, &record, nullptr});
  };
  EXPECT_TRUE(matches("client:192.0.2.0"));
  EXPECT_TRUE(matches("192.0.2.0"));
  EXPECT_FALSE(matches("client:192.0.2.7"));
  EXPECT_FALSE(matches("192.0.2.7"));
}

struct Mistake {
  const char* text;
  std::size_t position;
  std::size_t length;
  const char* suggestion;
};

TEST(Query, RefusesWithThePlaceAndASuggestion) {
  const FakeView view;
  const Mistake mistakes[] = {{"stat:idle", 0, 4, "state"},
                              {"proto:h2 -idel>3s", 10, 4, "idle"},
                              {"idle>soon", 5, 4, nullptr},
                              {"idle>30k", 5, 3, nullptr},
                              {"state:idel", 6, 4, "idle"},
                              {"state>idle", 0, 10, "state:idle"},
                              {"peer:", 0, 5, nullptr},
                              {"  sent:\"6 k\"", 7, 5, nullptr},
                              {"state:\"idel\"", 6, 6, "idle"},
                              {"sni>\"a b\"", 0, 9, "sni:\"a b\""},
                              {"größe idel>3s", 6, 4, "idle"},
                              {"-sni:\"ü 🦊\" sent:für", 16, 3, nullptr},
                              {"reason:handler_timout", 7, 14, "handler_timeout"}};
  for (const Mistake& mistake : mistakes) {
    try {
      const Query query{mistake.text, Names::of(view), {}, Moment::now()};
      ADD_FAILURE() << mistake.text << " was taken";
    } catch (const Problem& problem) {
      const Json document = problem.document();
      EXPECT_EQ(problem.status(), 400);
      EXPECT_EQ(document["type"], "bad-query");
      EXPECT_EQ(document["position"], mistake.position) << mistake.text;
      EXPECT_EQ(document["length"], mistake.length) << mistake.text;
      EXPECT_EQ(document["fields"].size(), kQueryFields.size());
      if (mistake.suggestion != nullptr) {
        EXPECT_EQ(document.value("suggestion", ""), mistake.suggestion) << mistake.text;
      }
    }
  }
}

TEST(Query, SearchesOnlyWhatItMayShow) {
  const FakeView view;
  const ConnectionRecord record = example();
  const Redaction open{true, false};
  EXPECT_TRUE((Query{"token=abc", Names::of(view), open, Moment::now()}.matches({&record, nullptr, nullptr})));
  EXPECT_FALSE(holds(view, "token=abc", record));
  const Redaction cut{false, true};
  EXPECT_FALSE((Query{"peer:10.0.0.9", Names::of(view), cut, Moment::now()}.matches({&record, nullptr, nullptr})));
}

TEST(Query, TakesAnyBytes) {
  const FakeView view;
  const ConnectionRecord record = example();
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    unsigned seed = static_cast<unsigned>(round) * 2654435761U;
    for (int i = 0; i < round % 40; ++i) {
      seed = seed * 1664525U + 1013904223U;
      text += "idle:<>=-\"* \xff\x80 3ksmh./?"[seed >> 16U & 23U];
    }
    try {
      static_cast<void>(holds(view, text, record));
    } catch (const Problem& problem) {
      const Json document = problem.document();
      EXPECT_LE(document["position"].get<std::size_t>(), text.size());
      EXPECT_FALSE(dump(document).empty());
    }
  }
}

TEST(Pattern, StarStandsForAnything) {
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_TRUE(matches_pattern("ABC", "abc"));
  EXPECT_TRUE(matches_pattern("/api/x/y", "/api/*"));
  EXPECT_TRUE(matches_pattern("aXbXc", "a*b*c"));
  EXPECT_TRUE(matches_pattern("aab", "*ab"));
  EXPECT_FALSE(matches_pattern("aabc", "*ab"));
  EXPECT_FALSE(matches_pattern("", "?"));
  EXPECT_FALSE(matches_pattern(std::string(5000, 'a'), "*a*a*a*a*a*a*b"));
}

TEST(Redaction, HidesValuesOfTheQueryPart) {
  EXPECT_EQ(shown_target("/a?x=1&y=2&z", {}), "/a?x=***&y=***&***");
  EXPECT_EQ(shown_target("/a?", {}), "/a?");
  EXPECT_EQ(shown_target("/a", {}), "/a");
  EXPECT_EQ(shown_target("/a?x=1", {true, false}), "/a?x=1");
  EXPECT_EQ(shown_peer(Endpoint::v4({192, 0, 2, 17}, 80), {false, true}), "192.0.2.0");
  for (const auto& [text, cut] : {std::pair{"192.0.2.17", "192.0.2.0"},
                                  {"192.0.2.17:80", "192.0.2.0"},
                                  {"[2001:db8:1:2::7]:80", "2001:db8:1::"},
                                  {"2001:db8:1:2::7", "2001:db8:1::"},
                                  {"unknown", "unknown"},
                                  {"[", "unknown"},
                                  {"192.0.2.17.evil", "unknown"}}) {
    EXPECT_EQ(shown_address(text, {false, true}), cut) << text;
    EXPECT_EQ(shown_address(text, {}), text);
  }
}

}  // namespace
}  // namespace equinox::admin
