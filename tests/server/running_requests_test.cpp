// What runs goes on as it was begun, whatever a reload changes.

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

class RunningRequests : public ServerTest {
 protected:
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    server().post("/", [](const Request& request) { return Response::text(std::to_string(request.body().size())); });
    server().get("/big", [](const Request&) { return Response::text(std::string(8'000'000, 'x')); });
    start();
  }
  void reload() {
    Routes routes = server();
    server().reload(config, routes);
  }
  /// The newest upload is ended soon after its last byte: the new settings are in force.
  void expect_short_body_timeout() {
    RawClient next{port()};
    next.send(kUpload);
    EXPECT_TRUE(next.read_to_end(5s));
    EXPECT_TRUE(next.received().starts_with("HTTP/1.1 408 "));
  }
  static constexpr std::string_view kUpload = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab";
};

TEST_F(RunningRequests, KeepTheirBodyTimeout) {
  serve();
  RawClient client{port()};
  client.send(kUpload);
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 1; }));
  config.timeouts.body = 100ms;
  reload();
  expect_short_body_timeout();
  const auto record = only_record();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->hot.deadline, DeadlineKind::body);
  EXPECT_EQ(record->hot.deadline_total_ms, 30'000U);
  client.send("c");
  EXPECT_TRUE(client.read_for("\r\n\r\n3").starts_with("HTTP/1.1 200 "));
  client.send(kUpload);  // a further one of the same connection is new
  client.forget();
  EXPECT_TRUE(client.read_for("408 ").starts_with("HTTP/1.1 408 "));
}

TEST_F(RunningRequests, KeepTheirWriteTimeoutAndLeastRate) {
  serve();
  RawClient client{port(), 16 * 1024};
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.deadline == DeadlineKind::write; }));
  config.timeouts.write = config.timeouts.body = 100ms;
  reload();
  expect_short_body_timeout();  // it has come to every reactor, and some time has passed
  EXPECT_EQ(only_record()->hot.deadline_total_ms, 30'000U);
  EXPECT_TRUE(client.read_until([](const std::string& all) { return all.size() > 8'000'000; }, 60s).size() > 8'000'000);
  EXPECT_EQ(closed(CloseReason::write_stall), 0U);
}

/// The same in front of the limit that one client's pipeline may fill: answers are made no faster than they are taken.
TEST_F(RunningRequests, APipelineFillsNoMoreThanTheOutputBuffer) {
  config.limits.output_buffer = 200'000;
  make().get("/", [](const Request&) { return Response::text(std::string(100'000, 'x')); });
  start();
  RawClient client{port(), 16 * 1024};
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += kGet;
  client.send(pipeline);
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.state == ConnectionState::writing; }));
  std::uint64_t most = 0;
  client.read_until(
      [&](const std::string& all) {
        if (const auto record = only_record()) most = std::max<std::uint64_t>(most, record->hot.pending_bytes);
        return all.size() > 100 * 100'000;
      },
      60s);
  EXPECT_GT(client.received().size(), 100U * 100'000U);
  EXPECT_LE(most, 200'000U + 110'000U) << "one answer beyond it";
}

TEST_F(RunningRequests, AreTheClientsThatATrustedProxyNames) {
  config.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
  make().get("/", [](const Request& request) { return Response::text(to_string(request.context().client)); });
  start();
  const auto client_of = [&](const std::string& fields) {
    const std::string answer = exchange("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    const std::string text = answer.substr(answer.find("\r\n\r\n") + 4);
    return text.substr(0, text.rfind(':'));
  };
  EXPECT_EQ(client_of(""), "127.0.0.1");
  EXPECT_EQ(client_of("X-Forwarded-For: 192.0.2.7\r\n"), "192.0.2.7");
  EXPECT_EQ(client_of("X-Forwarded-For: 203.0.113.9, 192.0.2.7, 10.1.1.1\r\n"), "192.0.2.7") << "the last untrusted";
  config.trusted_proxies = {};
  reload();
  EXPECT_TRUE(eventually([&] { return client_of("X-Forwarded-For: 192.0.2.7\r\n") == "127.0.0.1"; }));
}

}  // namespace
}  // namespace equinox::testing
