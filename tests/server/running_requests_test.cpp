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

}  // namespace
}  // namespace equinox::testing
