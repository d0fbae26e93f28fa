// How a connection ended, where something else had been meant to end it: what happened is told, not what was planned.

#include "http/http2_client.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class EndingFacts : public ServerTest {
 protected:
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    server().get("/big", [](const Request&) { return Response::text(std::string(8'000'000, 'x')); });
    server().get("/last", [](const Request&) {
      return std::move(Response::text(std::string(8'000'000, 'x')).close_connection());
    });
    start();
  }
  /// Asks and takes no byte of the answer.
  [[nodiscard]] std::unique_ptr<RawClient> ask_and_stall(std::string_view request) const {
    auto client = std::make_unique<RawClient>(port(), 4096);
    client->send(request);
    EXPECT_TRUE(eventually([&] { return only_record() && only_record()->hot.pending_bytes != 0; }));
    return client;
  }
  [[nodiscard]] ClosedRecord newest() const {
    ClosedRecord out;
    server_view().closed([&](const ClosedRecord& record) {
      out = record;
      return false;
    });
    return out;
  }
  [[nodiscard]] const ServerView& server_view() const { return const_cast<EndingFacts*>(this)->server().view(); }
};

/// Requests whose answer is meant to be the connection's last.
class LastAnswers : public EndingFacts, public ::testing::WithParamInterface<const char*> {};

TEST_P(LastAnswers, AStallIsAStall) {
  config.timeouts.write = 200ms;
  serve();
  const auto client = ask_and_stall(GetParam());
  EXPECT_TRUE(closed_once_for(CloseReason::write_stall));
  EXPECT_EQ(snapshot().totals.evicted[index_of(Protocol::http11)][index_of(EvictionPhase::write_stall)], 1U);
}

TEST_P(LastAnswers, AResetIsAReset) {
  serve();
  const auto client = ask_and_stall(GetParam());
  client->reset();
  EXPECT_TRUE(closed_once_for(CloseReason::client_reset_mid_request));
}

INSTANTIATE_TEST_SUITE_P(Plans, LastAnswers,
                         ::testing::Values("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                                           "GET /big HTTP/1.0\r\n\r\n", "GET /last HTTP/1.1\r\nHost: a\r\n\r\n"));

TEST_F(EndingFacts, AStallOfTheLastRequestOfAConnectionIsAStall) {
  config.timeouts.write = 200ms;
  config.limits.requests_per_connection = 1;
  serve();
  const auto client = ask_and_stall("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(closed_once_for(CloseReason::write_stall));
}

TEST_F(EndingFacts, AStallWithinADrainIsAStall) {
  config.timeouts.write = 500ms;
  serve();
  RawClient client{port(), 4096};
  client.send("GET /bi");
  EXPECT_TRUE(eventually([&] { return only_record() && only_record()->hot.received_bytes != 0; }));
  server().drain(true);
  client.send("g HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(closed_once_for(CloseReason::write_stall));
}

TEST_F(EndingFacts, AClientThatLeavesWithItsLastAnswerDidWhatWasPlanned) {
  serve();
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), HasSubstr("hello"));
  EXPECT_TRUE(closed_once_for(CloseReason::client_connection_close));
}

/// After the GOAWAY of a limit the client takes nothing more of its last answer.
TEST_F(EndingFacts, AStallOfARetiredHttp2ConnectionIsAStall) {
  config.timeouts.write = 300ms;
  config.limits.requests_per_connection = 1;
  serve();
  RawClient client{port(), 4096};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 1 << 24}};
  protocol.get("/big");
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, 0, 1 << 24);
  client.send(protocol.output());
  EXPECT_TRUE(closed_once_for(CloseReason::write_stall));
}

TEST_F(EndingFacts, SilenceEndsWhenTheTimerFires) {
  config.timeouts.idle = 300ms;
  config.timeouts.linger = 700ms;
  serve();
  RawClient client{port()};
  http::test::Http2Client protocol;
  protocol.get("/");
  client.send(protocol.output());
  client.read_for("hello");
  ASSERT_TRUE(closed_once_for(CloseReason::h2_idle_timeout));
  EXPECT_GE(newest().silent_ms, 300U) << "the GOAWAY counts as activity";
  EXPECT_LT(newest().silent_ms, 700U) << "lingering counts as silence";
}

}  // namespace
}  // namespace equinox::testing
