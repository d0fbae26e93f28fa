// What a running server tells about itself beside its counts.

#include <algorithm>
#include <chrono>
#include <future>
#include <limits>
#include <vector>

#include "base/clock.hpp"
#include "server/server_fixture.hpp"
#include "server/server_internal.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

class LiveFactsTest : public ServerTest {
 protected:
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    start();
  }
  /// A server whose only reactor stands in a handler until `may_go_on`.
  [[nodiscard]] std::unique_ptr<RawClient> block() {
    make().get("/", [this](const Request&) {
      while (!may_go_on) std::this_thread::sleep_for(1ms);
      return Response::text("hello");
    });
    start();
    auto blocker = std::make_unique<RawClient>(port());
    blocker->send(kGet);
    EXPECT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 1; }));
    return blocker;
  }
  std::atomic<bool> may_go_on{false};
};

TEST_F(LiveFactsTest, AcceptQueueIsThatOfTheListeningSocketAndGoesWithIt) {
  config.reactors = 2;
  serve();
  const LiveFacts facts = server().view().live();
  ASSERT_EQ(facts.listeners.size(), 1U);
  EXPECT_EQ(facts.listeners.front().accept_queue_length, 0U);
  ASSERT_TRUE(facts.listeners.front().accept_queue_limit.has_value());
  EXPECT_GT(*facts.listeners.front().accept_queue_limit, 0U);
  server().drain();
  server().wait();
  EXPECT_FALSE(server().view().live().listeners.front().accept_queue_length.has_value());
}

TEST_F(LiveFactsTest, AConnectionIsAskedForAsLongAsOneLikes) {
  serve();
  const RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  EXPECT_TRUE(server().view().inside(only_record()->id, std::chrono::milliseconds::max()).has_value());
}

TEST_F(LiveFactsTest, WhoAsksAReactorThatEndsIsToldAtOnce) {
  std::atomic<bool> is_ending{false};
  make().get("/", [](const Request&) { return Response::text("hello"); });
  server().set_hooks({.opened = {},
                      .closed =
                          [&](ConnectionId, CloseReason) noexcept {
                            is_ending = true;
                            while (!may_go_on) std::this_thread::sleep_for(1ms);
                          },
                      .request_done = {}});
  start();
  const RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  const ConnectionId id = only_record()->id;
  std::thread stopping{[&] { server().stop(); }};
  EXPECT_TRUE(eventually([&] { return is_ending.load(); }));
  auto asked = std::async(std::launch::async, [&] { return server().view().inside(id, 20s); });
  EXPECT_TRUE(eventually([&] { return snapshot().reactors.front().mailbox_length == 1; }));
  may_go_on = true;
  EXPECT_EQ(asked.wait_for(10s), std::future_status::ready) << "not after the whole of its time";
  EXPECT_FALSE(asked.get().has_value());
  stopping.join();
}

/// Probes and the watchdog would take its silence for a stall while another reactor still serves.
TEST_F(LiveFactsTest, AReactorWhoseDrainIsOverIsNotSilent) {
  config.reactors = 2;
  serve();
  RawClient upload{port()};
  upload.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nba");
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 1; }));
  server().drain();
  const auto at_rest = [&] {
    return std::ranges::count(server().view().reactors(), 0, &ReactorFacts::last_iteration_ns_ago);
  };
  EXPECT_TRUE(eventually([&] { return at_rest() == 1; }));
  for (const ReactorFacts& reactor : server().view().reactors()) EXPECT_FALSE(reactor.stall);
  upload.send("ck");
  upload.read_to_end();
  EXPECT_THAT(upload.received(), ::testing::StartsWith("HTTP/1.1 "));
  server().wait();
}

TEST_F(LiveFactsTest, WaitingConnectionsAreCountedWhileTheReactorIsBlocked) {
  const std::unique_ptr<RawClient> blocker = block();
  RawClient first{port()};
  RawClient second{port()};
  EXPECT_TRUE(eventually([&] { return server().view().live().listeners.front().accept_queue_length == 2U; }));
  may_go_on = true;
  EXPECT_TRUE(eventually([&] { return server().view().live().listeners.front().accept_queue_length == 0U; }));
}

TEST_F(LiveFactsTest, PoolsAreNamedAndCountWhatTheyMade) {
  serve();
  exchange(kGet);
  exchange(kGet);
  const auto pool = [&](BufferPool which) { return server().view().live().pools.at(static_cast<std::size_t>(which)); };
  EXPECT_EQ(server().view().live().pools.size(), kCount<BufferPool>);
  // Told once a second.
  EXPECT_TRUE(eventually([&] { return pool(BufferPool::exchange).hits >= 1; }));
  EXPECT_GE(pool(BufferPool::exchange).misses, 1U);
  EXPECT_GT(pool(BufferPool::egress).free_bytes, 0U);
  EXPECT_EQ(pool(BufferPool::egress).used_bytes, 0U);
  EXPECT_GT(pool(BufferPool::http1_parser).free_bytes, 0U);
}

TEST_F(LiveFactsTest, AClosedConnectionNamesItsLastRequestHoweverSoonItFollowedOthers) {
  make().get("/hello/{n}", [](const Request&) { return Response::text("hello"); });
  start();
  RawClient client{port()};
  for (int n = 1; n <= 15; ++n) {
    client.forget();
    client.send("GET /hello/" + std::to_string(n) + "?q=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_for("hello");
  }
  client.close();
  ASSERT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  server().view().closed([](const ClosedRecord& record) {
    EXPECT_EQ(record.requests, 15U);
    EXPECT_EQ(record.target.view(), "/hello/15?q=1");
    return true;
  });
}

TEST_F(LiveFactsTest, RoundTripTimeIsReadOnceAConnectionIsASecondOld) {
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  ASSERT_TRUE(eventually([&] { return only_record().has_value(); }));
  EXPECT_EQ(only_record()->cold.sampled_ns, 0);
  EXPECT_TRUE(eventually([&] {
    client.send(kGet);
    client.read_for("hello");
    const auto record = only_record();
    return record && record->cold.sampled_ns != 0 && record->cold.rtt_us != 0;
  }));
}

TEST_F(LiveFactsTest, AConnectionShowsTheMemoryItHoldsWhileItHoldsIt) {
  make().post("/", [](const Request& request) { return Response::text(std::to_string(request.body().size())); });
  start();
  const auto memory = [&] { return only_record() ? only_record()->cold.memory_bytes : 0; };
  const std::string body(300'000, 'b');
  RawClient client{port()};
  ASSERT_TRUE(eventually([&] { return memory() != 0; }));
  const std::uint64_t resting = memory();
  EXPECT_LE(resting, 512U) << "itself and its record";
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body.substr(0, 200'000));
  EXPECT_TRUE(eventually([&] { return memory() >= 200'000; }));
  EXPECT_LT(memory(), 400'000U);
  const auto inside = server().view().inside(only_record()->id, 1s);
  ASSERT_TRUE(inside.has_value());
  EXPECT_EQ(inside->memory.total(), memory());
  EXPECT_GE(inside->memory.requests_bytes, 200'000U);
  EXPECT_GT(inside->memory.codec_bytes, 0U) << "the parser is kept while a message is cut in two";
  client.send(body.substr(200'000));
  client.read_for("300000");
  EXPECT_TRUE(eventually([&] { return memory() == resting; })) << memory();
}

TEST_F(LiveFactsTest, AnAnswerThatIsNotReadIsMemoryOfItsConnectionUnlessOthersHoldItToo) {
  const auto common = std::make_shared<const std::string>(8'000'000, 's');
  Server& made = make();
  made.get("/", [](const Request&) { return Response::text(std::string(8'000'000, 'x')); });
  made.get("/shared", [common](const Request&) { return Response::shared(common, "text/plain"); });
  start();
  const auto facts = [&] {
    const auto record = only_record();
    return record ? std::pair{record->hot.pending_bytes, record->cold.memory_bytes} : std::pair{0U, std::uint64_t{0}};
  };
  {
    RawClient client{port(), 4096};
    client.send(kGet);
    EXPECT_TRUE(eventually([&] { return facts().first > 1'000'000 && facts().second >= 8'000'000; }))
        << facts().first << " pending, " << facts().second << " held";
  }
  ASSERT_TRUE(eventually([&] { return !only_record(); }));
  RawClient client{port(), 4096};
  client.send("GET /shared HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return facts().first > 1'000'000; }));
  EXPECT_LT(facts().second, 100'000U);
}

TEST_F(LiveFactsTest, AReaderThatStopsIsNamedAsTheLimitAndItsDeadlineStays) {
  config.timeouts.write = 3s;
  make().get("/", [](const Request&) { return Response::text(std::string(8'000'000, 'x')); });
  start();
  const auto began = Clock{}.now();
  RawClient client{port(), 4096};
  client.send(kGet);
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.deadline == DeadlineKind::write; }));
  const auto seconds_left = [&] {
    return static_cast<double>(only_record()->hot.deadline_due_ns - began.time_since_epoch().count()) / 1e9;
  };
  EXPECT_NEAR(seconds_left(), 3, 0.5) << "the look at the socket is no deadline";
  EXPECT_TRUE(eventually([&] { return only_record()->cold.limited_by == LimitedBy::receiver_window; }, 2500ms));
  EXPECT_NEAR(seconds_left(), 3, 0.5);
  EXPECT_TRUE(closed_once_for(CloseReason::write_stall));
  server().view().closed([](const ClosedRecord& record) {
    EXPECT_EQ(to_string(record.limited_by), to_string(LimitedBy::receiver_window));
    return false;
  });
}

TEST_F(LiveFactsTest, AReaderGivenUpBeforeTheFirstLookIsStillJudged) {
  config.timeouts.write = 700ms;
  make().get("/", [](const Request&) { return Response::text(std::string(8'000'000, 'x')); });
  start();
  RawClient client{port(), 4096};
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  server().view().closed([](const ClosedRecord& record) {
    EXPECT_EQ(to_string(record.limited_by), to_string(LimitedBy::receiver_window));
    return false;
  });
}

TEST_F(LiveFactsTest, ADrainThatEndsTheProcessIsNotTakenBackByOneThatDoesNot) {
  config.drain.delay = 5s;
  serve();
  server().drain();
  server().drain(true, "alice");
  EXPECT_FALSE(server().undrain());
  EXPECT_NE(server().view().live().drain, DrainState::none);
  EXPECT_EQ(server().view().live().drain_by, "signal");
}

TEST_F(LiveFactsTest, TheMailboxIsSeenWhileItsReactorIsBlockedAndEmptyAfterwards) {
  const std::unique_ptr<RawClient> blocker = block();
  server().drain(true);
  EXPECT_EQ(snapshot().reactors.front().mailbox_length, 1U);
  may_go_on = true;
  EXPECT_TRUE(eventually([&] { return snapshot().reactors.front().mailbox_length == 0; }));
}

TEST_F(LiveFactsTest, AReloadMayRaiseTheLimitOfConnections) {
  config.limits.connections = 4;
  serve();
  ServerConfig next = config;
  next.limits.connections = 300;
  Routes routes;
  routes.get("/", [](const Request&) { return Response::text("hello"); });
  server().reload(next, routes);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send(kGet);
    clients.back()->read_for("hello");
    ASSERT_TRUE(clients.back()->received().ends_with("hello")) << i;
  }
  EXPECT_EQ(snapshot().connections(), 200U);
}

TEST_F(LiveFactsTest, AReloadBeyondTheRoomForConnectionsIsRefused) {
  serve();
  ServerConfig next = config;
  next.limits.connections = std::numeric_limits<std::uint32_t>::max();
  EXPECT_THROW(server().reload(next, Routes{}), std::invalid_argument);
  EXPECT_FALSE(server().view().live().last_reload_successful);
}

TEST_F(LiveFactsTest, RenewedCertificatesDoNotHideARefusedConfiguration) {
  serve();
  server().note_reload_failure("no such folder");
  server().reload_certificates();
  EXPECT_FALSE(server().view().live().last_reload_successful);
  EXPECT_EQ(server().view().live().last_reload_error, "no such folder");
  server().reload(config, Routes{});
  EXPECT_TRUE(server().view().live().last_reload_successful);
}

TEST_F(LiveFactsTest, RefusedCertificatesAreForgottenOnceTheirNextOnesAreInForce) {
  serve();
  server().internal().note_refusal(&Server::Internal::certificates_refusal, "no such key");
  EXPECT_EQ(server().view().live().last_reload_error, "no such key");
  server().reload_certificates();
  EXPECT_TRUE(server().view().live().last_reload_successful);
}

TEST_F(LiveFactsTest, WhoIsIdleLongestGoesFirstInADrain) {
  serve();
  RawClient later{port()};  // the older connection, but idle for less time
  RawClient earlier{port()};
  later.send(kGet);
  later.read_for("hello");
  const std::uint16_t first = earlier.local_port();
  earlier.send(kGet);
  earlier.read_for("hello");
  ASSERT_TRUE(eventually([&] { return snapshot().connections(ConnectionState::idle) == 2; }));
  later.send(kGet);
  later.read_until(
      [](const std::string& all) { return all.find("hello", all.find("hello") + 1) != std::string::npos; });
  server().drain();
  server().wait();
  std::vector<std::uint16_t> newest_first;
  server().view().closed([&](const ClosedRecord& record) {
    newest_first.push_back(record.peer_port);
    return true;
  });
  EXPECT_EQ(newest_first, (std::vector<std::uint16_t>{later.local_port(), first}));
}

TEST_F(LiveFactsTest, ADrainNamesWhoAskedForIt) {
  serve();
  server().drain(true, "alice");
  EXPECT_EQ(server().view().live().drain_by, "alice");
  EXPECT_TRUE(server().undrain());
  EXPECT_EQ(server().view().live().drain_by, "");
}

}  // namespace
}  // namespace equinox::testing
