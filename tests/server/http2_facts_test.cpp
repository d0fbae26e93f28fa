// What a running server tells about HTTP/2 connections, those whose peer keeps its windows shut above all.

#include <chrono>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAnswerBytes = 20'000'000;

std::string frame(char type, char flags, char stream, std::string_view payload) {
  std::string out{'\0', '\0', static_cast<char>(payload.size()), type, flags, '\0', '\0', '\0', stream};
  return out.append(payload);
}

class Http2FactsTest : public ServerTest {
 protected:
  void serve() {
    make().get("/", [](const Request&) { return Response::shared(answer(), "text/plain"); });
    start();
  }
  static std::shared_ptr<const std::string> answer() {
    static const auto kAnswer = std::make_shared<const std::string>(kAnswerBytes, 'x');
    return kAnswer;
  }
  /// Asks twice and takes no byte of either answer: SETTINGS_INITIAL_WINDOW_SIZE is 0.
  [[nodiscard]] std::unique_ptr<RawClient> ask_twice() {
    auto client = std::make_unique<RawClient>(port());
    client->send(std::string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} + frame(4, 0, 0, {"\0\4\0\0\0\0", 6}) +
                 frame(1, 5, 1,
                       "\x82\x84\x86\x41\x01"
                       "a") +
                 frame(1, 5, 3,
                       "\x82\x84\x86\x41\x01"
                       "a"));
    EXPECT_TRUE(eventually([&] { return only_record() && only_record()->hot.streams == 2; }));
    return client;
  }
};

TEST_F(Http2FactsTest, AnswersBehindAShutWindowAreBytesThatWaitForTheirReader) {
  serve();
  {
    const auto client = ask_twice();
    EXPECT_TRUE(eventually([&] { return only_record() && only_record()->hot.pending_bytes == 2 * kAnswerBytes; }))
        << only_record()->hot.pending_bytes;
    EXPECT_EQ(snapshot().output_pending_bytes(), 2 * kAnswerBytes);
  }
  ASSERT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  EXPECT_EQ(snapshot().output_pending_bytes(), 0U);
}

TEST_F(Http2FactsTest, BlockedTimeIsCountedWhileItPassesAndAtItsEnd) {
  serve();
  const auto blocked = [&] { return snapshot().totals.h2_stream_blocked_ns; };
  std::uint64_t last_seen = 0;
  {
    const auto client = ask_twice();
    const auto began = Clock{}.now();
    EXPECT_TRUE(eventually([&] { return blocked() >= 2'000'000'000U; })) << "no frame comes, and no deadline";
    EXPECT_TRUE(eventually([&] { return blocked() >= 4'000'000'000U; })) << "one look is not enough";
    const auto inside = server().view().inside(only_record()->id, 1s);
    ASSERT_TRUE(inside.has_value());
    EXPECT_GE(inside->blocked_ns, 4'000'000'000U);
    EXPECT_LE(inside->blocked_ns, 2 * static_cast<std::uint64_t>((Clock{}.now() - began).count()) + 1'000'000'000U);
    last_seen = server().view().inside(only_record()->id, 1s)->blocked_ns;
    client->reset();
  }
  ASSERT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  EXPECT_GE(blocked(), last_seen) << "what passed since the last look is lost";
}

TEST_F(Http2FactsTest, StreamsAreCountedByTheirState) {
  make().post("/", [](const Request&) { return Response::text("done"); });
  server().get("/", [](const Request&) { return Response::shared(answer(), "text/plain"); });
  start();
  const auto now_in = [&](std::size_t state) {
    const auto totals = snapshot().totals;
    return totals.h2_streams[state][0] - totals.h2_streams[state][1];
  };
  {
    const auto client = ask_twice();
    // HEADERS without END_STREAM: POST (static index 3), its body is still to come.
    client->send(frame(1, 4, 5,
                       "\x83\x84\x86\x41\x01"
                       "a"));
    EXPECT_TRUE(eventually([&] { return now_in(0) == 1 && now_in(2) == 2; })) << now_in(0) << ", " << now_in(2);
    EXPECT_EQ(snapshot().h2_streams_open(), 3U);
    client->send(frame(0, 1, 5, "body"));
    // Its answer of four bytes does not fit through a window of none.
    EXPECT_TRUE(eventually([&] { return now_in(0) == 0 && now_in(2) == 3; })) << now_in(0) << ", " << now_in(2);
  }
  EXPECT_TRUE(eventually([&] { return snapshot().h2_streams_open() == 0; }));
  EXPECT_EQ(now_in(0), 0U);
  EXPECT_EQ(now_in(2), 0U);
}

/// With a request that is still being handled: nothing but a PING would tell that its peer is gone.
TEST_F(Http2FactsTest, TheDeadlineOfAQuietPeerIsTheOneThatEndsItsConnection) {
  config.timeouts.ping_after = 1s;
  config.timeouts.ping = 1s;
  config.timeouts.handler = 60s;
  std::optional<Responder> kept;
  make().get("/", [&](Request, Responder responder) { kept.emplace(std::move(responder)); });
  start();
  RawClient client{port()};
  client.send(std::string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} + frame(4, 0, 0, {}) +
              frame(1, 5, 1,
                    "\x82\x84\x86\x41\x01"
                    "a"));
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.deadline == DeadlineKind::ping; }));
  std::this_thread::sleep_for(100ms);  // its acknowledgement of our SETTINGS is not awaited
  const std::int64_t due = only_record()->hot.deadline_due_ns;
  std::int64_t latest = due;
  for (auto record = only_record(); record && record->hot.deadline == DeadlineKind::ping; record = only_record()) {
    EXPECT_EQ(record->hot.deadline_total_ms, 2000U);
    latest = record->hot.deadline_due_ns;
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_NEAR(static_cast<double>(Clock{}.now().time_since_epoch().count() - due), 0, 5e8);
  EXPECT_NEAR(static_cast<double>(latest - due), 0, 2e8) << "it moved when the PING was sent";
  EXPECT_TRUE(closed_once_for(CloseReason::ping_timeout));
}

std::string settings_and(std::string_view frames) {
  return (std::string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} + frame(4, 0, 0, {})).append(frames);
}
/// POST /open, whose body is still to come.
std::string open_upload(char stream) {
  return frame(1, 4, stream,
               "\x83\x86\x44\x05/open\x41\x01"
               "a");
}

TEST_F(Http2FactsTest, TheNewestRequestIsOneRequest) {
  make().post("/open", [](const Request&) { return Response::text("open"); });
  server().get("/next", [](const Request&) { return Response::empty(404); });
  start();
  RawClient client{port()};
  client.send(settings_and(open_upload(1) + frame(1, 5, 3,
                                                  "\x82\x86\x44\x05/next\x41\x01"
                                                  "a")));
  ASSERT_TRUE(eventually([&] { return snapshot().requests_finished() == 1; }));
  const auto record = only_record();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->cold.target.view(), "/next");
  EXPECT_EQ(record->hot.method, static_cast<std::uint8_t>(Method::get));
  client.send(frame(0, 1, 1, "late"));  // the older one ends, and is still not the newest
  ASSERT_TRUE(eventually([&] { return snapshot().requests_finished() == 2; }));
  EXPECT_EQ(only_record()->cold.target.view(), "/next");
  client.close();
  ASSERT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  server().view().closed([](const ClosedRecord& closed) {
    EXPECT_EQ(closed.target.view(), "/next");
    EXPECT_EQ(closed.status, 404);
    return false;
  });
}

TEST_F(Http2FactsTest, AMistakeOfTheClientIsNoErrorOfTheServers) {
  make().post("/open", [](const Request&) { return Response::text("open"); });
  start();
  RawClient client{port()};
  client.send(settings_and(open_upload(1) + frame(4, 0, 1, {})));  // SETTINGS on a stream
  EXPECT_TRUE(closed_once_for(CloseReason::h2_protocol_error));
  const ServerSnapshot books = snapshot();
  ASSERT_EQ(books.requests.size(), 1U);
  EXPECT_EQ(books.requests[0].status, 0) << "no answer was given";
  EXPECT_EQ(books.requests[0].error, ErrorType::protocol);
}

TEST_F(Http2FactsTest, AStreamThatIsResetForAMistakeEndsByProtocol) {
  make().post("/open", [](const Request&) { return Response::text("open"); });
  start();
  RawClient client{port()};
  client.send(settings_and(frame(1, 4, 1,
                                 "\x83\x86\x44\x05/open\x41\x01"
                                 "a\x5c\x01\x31") +  // content-length: 1
                           frame(0, 1, 1, "more than that")));
  ASSERT_TRUE(eventually([&] { return snapshot().requests_finished() == 1; }));
  EXPECT_EQ(snapshot().requests[0].error, ErrorType::protocol);
}

TEST_F(Http2FactsTest, BytesOfAnAnswerThatIsCutOffForItsClosedWindowWereNotSent) {
  config.timeouts.write = 300ms;
  config.timeouts.linger = 100ms;
  serve();
  const auto client = ask_twice();
  EXPECT_TRUE(closed_once_for(CloseReason::window_stall));
  for (const RouteTotals& route : snapshot().routes) EXPECT_EQ(route.sent_bytes, 0U);
}

TEST_F(Http2FactsTest, WhoHasSentItsLastByteBehindClosedWindowsHasLeft) {
  config.timeouts.write = 1min;
  config.timeouts.ping_after = 0ms;
  serve();
  const auto client = ask_twice();
  client->finish();
  EXPECT_TRUE(closed_once_for(CloseReason::client_fin_mid_request));
  EXPECT_EQ(snapshot().requests[0].error, ErrorType::client_gone);
}

TEST_F(Http2FactsTest, WhoHasSentItsLastByteStillGetsWhatItsWindowsTake) {
  make().get("/", [](const Request&) { return Response::text(std::string(60'000, 'x')); });
  start();
  RawClient client{port()};
  client.send(settings_and(frame(1, 5, 1,
                                 "\x82\x84\x86\x41\x01"
                                 "a")));
  client.finish();
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_GT(client.received().size(), 60'000U);
  EXPECT_TRUE(closed_once_for(CloseReason::client_fin_idle));
}

TEST_F(Http2FactsTest, TheMostStreamsAtOnceAreToldWhileTheyAreOpen) {
  serve();
  const auto client = ask_twice();
  EXPECT_TRUE(eventually([&] { return only_record() && only_record()->cold.streams_peak == 2; }));
}

TEST_F(Http2FactsTest, AHeadThatIsMalformedIsARefusedRequest) {
  serve();
  RawClient client{port()};
  client.send(settings_and(frame(1, 5, 1, std::string{"\x82\x84\x86\x41\x01"} + "a" + std::string{"\0\1X\1y", 5})));
  EXPECT_TRUE(eventually([&] {
    const auto rejected = snapshot().totals.rejected_requests[index_of(Protocol::h2c)];
    return rejected[index_of(RequestRejectReason::h2_protocol_error)] == 1;
  }));
  EXPECT_EQ(snapshot().requests_finished(), 0U);
  ASSERT_TRUE(only_record());
  EXPECT_EQ(only_record()->cold.target.view(), "/");
}

TEST_F(Http2FactsTest, AConnectHasItsAnswerWithoutAnEnd) {
  config.timeouts.body = 1min;
  serve();
  RawClient client{port()};
  client.send(settings_and(frame(1, 4, 1, std::string{"\2\7CONNECT\x41\4a:80", 15})));
  ASSERT_TRUE(eventually([&] { return snapshot().requests_finished() == 1; }));
  EXPECT_EQ(snapshot().requests[0].status, 501);
}

TEST_F(Http2FactsTest, BytesThatNobodyTookWereNotSent) {
  serve();
  {
    const auto client = ask_twice();
    EXPECT_TRUE(eventually([&] { return only_record() && only_record()->hot.pending_bytes == 2 * kAnswerBytes; }));
  }
  ASSERT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  std::uint64_t sent = 0;
  for (const RouteTotals& route : snapshot().routes) sent += route.sent_bytes;
  EXPECT_EQ(sent, 0U);
  {
    RawClient client{port(), 4096};
    client.send(kGet);
    client.read_until([](const std::string& text) { return text.size() > 1000; });
    client.reset();
  }
  ASSERT_TRUE(eventually([&] { return snapshot().closed() == 2; }));
  for (const RouteTotals& route : snapshot().routes) sent += route.sent_bytes;
  EXPECT_GT(sent, 0U);
  EXPECT_LT(sent, kAnswerBytes);
  EXPECT_LT(sent, snapshot().totals.sent_bytes[index_of(Protocol::http11)]);
}

}  // namespace
}  // namespace equinox::testing
