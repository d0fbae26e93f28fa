// Connections that somebody asks to end: closed at once, or let finish what they do.

#include <atomic>

#include "http/http2_client.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::size_t kBigBytes = 8'000'000;

class AskedToEnd : public ServerTest {
 protected:
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    server().post("/", [](const Request& request) { return Response::text(std::string{request.body()}); });
    server().get("/big", [](const Request&) { return Response::text(std::string(kBigBytes, 'x')); });
    server().get("/later", [this](Request, Responder responder) {
      kept_.emplace(std::move(responder));
      is_asked_ = true;
    });
    start();
  }
  void ask(CloseReason reason) {
    ASSERT_TRUE(only_record().has_value());
    ASSERT_TRUE(server().close(only_record()->id, reason, "alice"));
  }
  /// Until the server has done what was asked of it: it takes mail in order.
  void ask_and_wait(CloseReason reason) {
    ask(reason);
    static_cast<void>(server().view().inside(only_record() ? only_record()->id : ConnectionId{}, 1s));
  }
  ::testing::AssertionResult was_ended_by_alice(CloseReason reason) {
    if (auto closed = closed_once_for(reason); !closed) return closed;
    ::testing::AssertionResult out = ::testing::AssertionSuccess();
    server().view().closed([&](const ClosedRecord& record) {
      if (record.actor.view() != "alice") out = ::testing::AssertionFailure() << "by " << record.actor.view();
      return false;
    });
    return out;
  }
  [[nodiscard]] bool has_received(std::uint64_t bytes) const {
    return only_record() && only_record()->hot.received_bytes >= bytes;
  }
  [[nodiscard]] ErrorType only_error() {
    ErrorType out = ErrorType::none;
    server().view().recent_requests([&](const RequestRecord& record) {
      out = record.error;
      return false;
    });
    return out;
  }

  std::optional<Responder> kept_;
  std::atomic<bool> is_asked_{false};
};

class Drained : public AskedToEnd {};

TEST_F(Drained, AnIdleConnectionCloses) {
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  ask(CloseReason::admin_drain);
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, ASilentOneCloses) {
  serve();
  RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  ask(CloseReason::admin_drain);
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, ARequestOnItsWayToAnIdleConnectionIsAnswered) {
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  client.forget();
  ask_and_wait(CloseReason::admin_drain);
  client.send(kGet);
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close"));
  EXPECT_THAT(client.received(), EndsWith("hello"));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, SoIsTheFirstOfASilentOne) {
  serve();
  RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  ask_and_wait(CloseReason::admin_drain);
  client.send(kGet);
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close"));
  EXPECT_THAT(client.received(), EndsWith("hello"));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, ASilentOneThatSpeaksHttp2IsToldTwice) {
  serve();
  RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  ask_and_wait(CloseReason::admin_drain);
  http::test::Http2Client protocol;
  const std::int32_t stream = protocol.get("/");
  client.send(protocol.output());
  EXPECT_TRUE(client.read_to_end(5s));
  protocol.input(client.received());
  EXPECT_EQ(protocol.answer(stream).body, "hello");
  EXPECT_EQ(protocol.goaways.size(), 2U);
  client.close();
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, AHeadThatHasBegunIsAnswered) {
  serve();
  RawClient client{port()};
  client.send(kGet.substr(0, 10));
  ASSERT_TRUE(eventually([&] { return has_received(10); }));
  ask_and_wait(CloseReason::admin_drain);
  client.send(kGet.substr(10));
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close"));
  EXPECT_THAT(client.received(), EndsWith("hello"));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, ABodyIsReadAndAnswered) {
  serve();
  constexpr std::string_view kHalf = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc";
  RawClient client{port()};
  client.send(kHalf);
  ASSERT_TRUE(eventually([&] { return has_received(kHalf.size()); }));
  ask_and_wait(CloseReason::admin_drain);
  client.send("def");
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close"));
  EXPECT_THAT(client.received(), EndsWith("abcdef"));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, AHandlerMayFinish) {
  serve();
  RawClient client{port()};
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return is_asked_.load(); }));
  ask_and_wait(CloseReason::admin_drain);
  EXPECT_EQ(only_record()->hot.state, ConnectionState::draining);
  kept_->send(Response::text("late"));
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close"));
  EXPECT_THAT(client.received(), EndsWith("late"));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, AnAnswerIsSentToItsEnd) {
  serve();
  RawClient client{port(), 4096};
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.pending_bytes != 0; }));
  ask_and_wait(CloseReason::admin_drain);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_GT(client.received().size(), kBigBytes);
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, Http2IsToldTwiceAndFinishesItsStreams) {
  serve();
  RawClient client{port()};
  http::test::Http2Client protocol;
  const std::int32_t stream = protocol.get("/later");
  client.send(protocol.output());
  ASSERT_TRUE(eventually([&] { return is_asked_.load(); }));
  ask(CloseReason::admin_drain);
  const auto taken_until = [&](const std::function<bool()>& is_enough) {
    return eventually([&] {
      client.read_until([](const std::string& all) { return !all.empty(); }, 20ms);
      protocol.input(client.received());
      client.forget();
      client.send(protocol.output());
      return is_enough();
    });
  };
  EXPECT_TRUE(taken_until([&] { return protocol.goaways.size() == 2; })) << protocol.goaways.size();
  kept_->send(Response::text("late"));
  EXPECT_TRUE(taken_until([&] { return protocol.answer(stream).is_ended; }));
  EXPECT_EQ(protocol.answer(stream).body, "late");
  EXPECT_TRUE(client.read_to_end(5s));
  client.close();
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

class Closed : public AskedToEnd {};

TEST_F(Closed, WhoTakesAnAnswerSlowlyIsClosedAtOnce) {
  serve();
  RawClient client{port(), 4096};
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.pending_bytes != 0; }));
  ask(CloseReason::admin_close);
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_close));
  EXPECT_EQ(only_error(), ErrorType::shutdown);
}

TEST_F(Closed, ARunningHandlerIsNotBlamed) {
  serve();
  RawClient client{port()};
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return is_asked_.load(); }));
  ask(CloseReason::admin_close);
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_close));
  EXPECT_EQ(only_error(), ErrorType::shutdown);
}

TEST_F(Closed, AnIdleOneIsClosedInOrder) {
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  ask(CloseReason::admin_close);
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_FALSE(client.was_reset());
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_close));
}

class ServerDrain : public AskedToEnd {};

TEST_F(ServerDrain, SaysWhoAskedForIt) {
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  server().drain(true, "alice");
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(Drained, WhoIsSilentOnATlsListenerCloses) {
  config.listeners = {{.name = "https", .address = "127.0.0.1:0", .tls = TlsConfig{.self_signed = true}}};
  config.timeouts.handshake = 1min;
  serve();
  RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  ask(CloseReason::admin_drain);
  EXPECT_TRUE(client.read_to_end(10s)) << "it waits for the handshake";
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(ServerDrain, ClosesWhoIsSilentOnATlsListener) {
  config.listeners = {{.name = "https", .address = "127.0.0.1:0", .tls = TlsConfig{.self_signed = true}}};
  config.timeouts.handshake = 1min;
  serve();
  RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  server().drain(true, "alice");
  EXPECT_TRUE(client.read_to_end(10s)) << "it waits for the handshake";
  EXPECT_TRUE(was_ended_by_alice(CloseReason::admin_drain));
}

TEST_F(ServerDrain, ItsTimeoutSaysHowLongItWasAndWhoseDrain) {
  config.drain.timeout = 300ms;
  serve();
  RawClient client{port()};
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return is_asked_.load(); }));
  server().drain(true, "alice");
  EXPECT_TRUE(was_ended_by_alice(CloseReason::shutdown_timeout));
  server().view().closed([](const ClosedRecord& record) {
    EXPECT_EQ(record.timer_ms, 300U);
    return false;
  });
}

TEST_F(ServerDrain, IsNotDoneWhileItsDelayLasts) {
  config.drain.delay = 10min;
  serve();
  EXPECT_FALSE(server().drain_progress().is_draining);
  EXPECT_FALSE(server().drain_progress().is_done);
  server().drain(true);
  EXPECT_TRUE(server().drain_progress().is_draining);
  EXPECT_FALSE(server().drain_progress().is_done) << "requests come as before";
  EXPECT_EQ(server().view().live().drain, DrainState::delay);
  server().drain();  // skips the delay
  EXPECT_NE(server().view().live().drain, DrainState::delay);
  EXPECT_TRUE(server().wait_for(5s));
  EXPECT_TRUE(server().drain_progress().is_done);
}

TEST_F(ServerDrain, AskedForTwiceKeepsItsDelay) {
  config.drain.delay = 10min;
  serve();
  server().drain();
  server().drain();
  EXPECT_EQ(server().view().live().drain, DrainState::delay);
  EXPECT_FALSE(server().drain_progress().is_done) << "requests come as before";
  server().stop();
}

TEST_F(ServerDrain, IsNotDoneWhileARequestRuns) {
  serve();
  RawClient client{port()};
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return is_asked_.load(); }));
  server().drain(true);
  const DrainProgress progress = server().drain_progress();
  EXPECT_TRUE(progress.is_draining);
  EXPECT_FALSE(progress.is_done);
  EXPECT_EQ(progress.requests_in_flight, 1U);
  EXPECT_EQ(progress.connections, 1U);
}

TEST_F(ServerDrain, AskedForTwiceKeepsItsTimeout) {
  config.drain.timeout = 2s;
  serve();
  RawClient client{port()};
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return is_asked_.load(); }));
  const auto began = std::chrono::steady_clock::now();
  server().drain(true, "alice");
  std::this_thread::sleep_for(1s);
  server().drain(true, "bob");
  EXPECT_EQ(server().view().live().drain_by, "alice");
  EXPECT_TRUE(was_ended_by_alice(CloseReason::shutdown_timeout));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2700ms);
  server().drain();
  EXPECT_TRUE(server().wait_for(5s)) << "a kept drain must not keep the real one from beginning";
}

}  // namespace
}  // namespace equinox::testing
