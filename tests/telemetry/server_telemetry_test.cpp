#include "telemetry/server_telemetry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

namespace equinox::telemetry {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kWall = 1'700'000'000 * kSecond;

class ServerTelemetryTest : public testing::Test {
 protected:
  static TelemetryOptions options() {
    TelemetryOptions out;
    out.reactors = 2;
    out.listeners = 2;
    out.connections_per_reactor = 1000;
    out.closed = 100;
    return out;
  }
  static RecordCold cold(std::uint16_t listener = 0) {
    RecordCold out;
    out.opened_ns = 10 * kSecond;
    out.memory_bytes = 472;
    out.listener = listener;
    const auto peer = Endpoint::v4({192, 0, 2, 7}, 4711);
    out.peer_address = peer.address;
    out.peer_port = peer.port;
    out.peer_known = true;
    return out;
  }
  void publish_target(std::uint32_t number, std::string_view target) {
    std::array<char, 96> room;
    room.fill('z');  // of an earlier request
    std::copy_n(target.begin(), std::min(target.size(), room.size()), room.begin());
    telemetry.reactor(0).find(first)->write_target(number, room, target.size());
  }
  static RecordHot hot(ConnectionId id, ConnectionState state, Protocol protocol = Protocol::http11) {
    RecordHot out;
    out.generation = id.generation;
    out.state = state;
    out.protocol = protocol;
    return out;
  }
  void open(ConnectionId id, std::uint16_t listener = 0) {
    telemetry.reactor(id.reactor())
        .open(id, hot(id, ConnectionState::reading_head, Protocol::unknown), cold(listener), kWall);
  }
  void close(ConnectionId id, CloseReason reason, DeadlineKind timer = DeadlineKind::none) {
    CloseFacts facts;
    facts.reason = reason;
    facts.timer = timer;
    auto& reactor = telemetry.reactor(id.reactor());
    reactor.close(*reactor.find(id), id, hot(id, ConnectionState::idle), facts, 20 * kSecond, kWall + 10 * kSecond);
  }
  static RequestSample sample(std::int64_t total_ns, std::int64_t wall_ns = kWall) {
    RequestSample out;
    out.route = kFirstRoute;
    out.status = 200;
    out.total_ns = total_ns;
    out.phases_ns = {0, 0, 0, total_ns, 0};
    out.wall_ns = wall_ns;
    out.connection = first;
    out.protocol = Protocol::http11;
    out.target = "/slow";
    out.request_id = "id-1";
    return out;
  }

  static constexpr ConnectionId first = ConnectionId::make(0, 4, 1);
  static constexpr ConnectionId second = ConnectionId::make(1, 4, 9);
  ManualClock clock;
  ServerTelemetry telemetry{options(), {"boot", "host", "traffic", "1", 0, 0}, {"http", "https"}, clock.clock()};
};

TEST_F(ServerTelemetryTest, ShowsAConnectionFromAcceptToClose) {
  open(first);
  ASSERT_TRUE(telemetry.record(first));
  EXPECT_EQ(telemetry.record(first)->peer(), Endpoint::v4({192, 0, 2, 7}, 4711));
  EXPECT_EQ(telemetry.record(first)->cold.memory_bytes, 472U);
  EXPECT_FALSE(telemetry.record(ConnectionId::make(0, 4, 2)));
  telemetry.reactor(0).publish(*telemetry.reactor(0).find(first), first, hot(first, ConnectionState::handling), 9'000,
                               kWall);
  EXPECT_EQ(telemetry.record(first)->hot.state, ConnectionState::handling);
  EXPECT_EQ(telemetry.record(first)->cold.memory_bytes, 9'000U);
  publish_target(1, "/a");
  EXPECT_EQ(telemetry.record(first)->cold.memory_bytes, 9'000U) << "what is written less often must not undo it";
  close(first, CloseReason::client_fin_idle);
  EXPECT_FALSE(telemetry.record(first));
  std::vector<ClosedRecord> closed;
  telemetry.closed([&](const ClosedRecord& entry) {
    closed.push_back(entry);
    return true;
  });
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].id(), first);
  EXPECT_EQ(closed[0].age_ns, 10 * kSecond);
  EXPECT_EQ(closed[0].peer(), Endpoint::v4({192, 0, 2, 7}, 4711));
}

TEST_F(ServerTelemetryTest, AClosedRecordKeepsTheClientAProxyNamed) {
  RecordCold named = cold();
  const auto client = Endpoint::v4({198, 51, 100, 9}, 4000);
  named.client_address = client.address;
  named.client_port = client.port;
  named.client_known = true;
  telemetry.reactor(0).open(first, hot(first, ConnectionState::reading_head), named, kWall);
  open(second);
  close(first, CloseReason::client_fin_idle);
  close(second, CloseReason::client_fin_idle);
  std::vector<ClosedRecord> closed;
  telemetry.closed([&](const ClosedRecord& entry) {
    closed.push_back(entry);
    return true;
  });
  ASSERT_EQ(closed.size(), 2U);
  const ClosedRecord& with = closed[0].id() == first ? closed[0] : closed[1];
  const ClosedRecord& without = closed[0].id() == first ? closed[1] : closed[0];
  EXPECT_EQ(with.client(), client);
  EXPECT_EQ(with.peer(), Endpoint::v4({192, 0, 2, 7}, 4711));
  EXPECT_FALSE(without.client_known);
  EXPECT_EQ(without.client(), without.peer());
}

TEST_F(ServerTelemetryTest, StatesAddUpAtEveryStep) {
  open(first, 0);
  open(second, 1);
  auto now = telemetry.snapshot();
  EXPECT_EQ(now.connections(), 2U);
  EXPECT_EQ(now.connections(Protocol::unknown), 2U);
  telemetry.reactor(1).publish(*telemetry.reactor(1).find(second), second,
                               hot(second, ConnectionState::idle, Protocol::h2), 0, kWall);
  now = telemetry.snapshot();
  EXPECT_EQ(now.connections(), 2U);
  EXPECT_EQ(now.connections(Protocol::h2), 1U);
  EXPECT_EQ(now.listeners[1].open[index_of(Protocol::h2)][index_of(ConnectionState::idle)], 1U);
  EXPECT_EQ(now.connections(ConnectionState::reading_head), 1U);
  close(first, CloseReason::client_fin_idle);
  close(second, CloseReason::h2_idle_timeout, DeadlineKind::idle);
  now = telemetry.snapshot();
  EXPECT_EQ(now.connections(), 0U);
  EXPECT_EQ(now.accepted(), 2U);
  EXPECT_EQ(now.closed(), 2U);
}

TEST_F(ServerTelemetryTest, AProtocolThatBecomesKnownIsNoChangeOfState) {
  open(first);
  auto& reactor = telemetry.reactor(0);
  reactor.publish(*reactor.find(first), first, hot(first, ConnectionState::reading_head, Protocol::unknown), 0, kWall);
  EXPECT_TRUE(telemetry.timeline(first, 0).empty()) << "at most as many as are asked for";
  const auto before = telemetry.timeline(first, 64).size();
  reactor.publish(*reactor.find(first), first, hot(first, ConnectionState::reading_head, Protocol::http11), 0, kWall);
  EXPECT_EQ(telemetry.timeline(first, 64).size(), before);
  reactor.publish(*reactor.find(first), first, hot(first, ConnectionState::idle, Protocol::http11), 0, kWall);
  EXPECT_EQ(telemetry.timeline(first, 64).size(), before + 1);
}

TEST_F(ServerTelemetryTest, PendingBytesAndStreamsRiseAndFall) {
  auto& stats = telemetry.reactor(0).stats();
  stats.output_pending(0, 5000);
  stats.http2_streams({}, {1, 2});
  stats.output_pending(5000, 200);
  stats.http2_streams({1, 2}, {0, 1});
  EXPECT_EQ(telemetry.snapshot().output_pending_bytes(), 200U);
  EXPECT_EQ(telemetry.snapshot().h2_streams_open(), 1U);
  const auto& states = telemetry.snapshot().totals.h2_streams;
  EXPECT_EQ(states[0][0] - states[0][1], 0U) << "open";
  EXPECT_EQ(states[2][0] - states[2][1], 1U) << "half_closed_remote";
}

TEST_F(ServerTelemetryTest, MakingRoomAtTheConnectionLimitIsAnEvictionByPressure) {
  open(first);
  open(second);
  close(first, CloseReason::connection_limit);
  close(second, CloseReason::client_fin_idle);
  const auto now = telemetry.snapshot();
  EXPECT_EQ(now.evicted(), 1U);
  EXPECT_EQ(now.totals.evicted[index_of(Protocol::http11)][index_of(EvictionPhase::pressure)], 1U);
}

TEST_F(ServerTelemetryTest, ClosesOfAllReactorsComeNewestFirst) {
  open(first);
  open(second);
  close(second, CloseReason::client_fin_idle);
  close(first, CloseReason::drain);
  std::vector<ConnectionId> order;
  telemetry.closed([&](const ClosedRecord& entry) {
    order.push_back(entry.id());
    return true;
  });
  EXPECT_THAT(order, testing::ElementsAre(first, second));
}

TEST_F(ServerTelemetryTest, TheTargetIsThatOfTheLastRequestHoweverLongItIs) {
  open(first);
  const std::string longest = "/" + std::string(80, 'x') + "end";
  std::uint32_t number = 0;
  // Longer, shorter, and each length of the last word: nothing of an earlier one may show.
  for (std::size_t size = longest.size(); size > 0; --size) {
    const std::string target = longest.substr(0, size);
    publish_target(++number, target);
    EXPECT_EQ(telemetry.record(first)->cold.target.view(), target.substr(0, 64));
    EXPECT_EQ(telemetry.record(first)->cold.target_request, number);
  }
  publish_target(++number, "/second?" + longest);
  EXPECT_EQ(telemetry.record(first)->cold.target.view(), ("/second?" + longest).substr(0, 64));
  EXPECT_EQ(telemetry.record(first)->cold.handshake_us, 0U);
}

TEST_F(ServerTelemetryTest, AClosedRecordNeverShowsTheTargetOfAnEarlierRequest) {
  open(first);
  publish_target(1, "/one");
  auto last = hot(first, ConnectionState::idle);
  last.requests = 2;
  telemetry.reactor(0).close(*telemetry.reactor(0).find(first), first, last, {}, 20 * kSecond, kWall);
  telemetry.closed([](const ClosedRecord& entry) {
    EXPECT_EQ(entry.target.view(), "");
    return true;
  });
}

TEST_F(ServerTelemetryTest, CountsARequestWithItsPhasesUnderItsLabels) {
  const auto route = telemetry.intern_route("/a");
  EXPECT_EQ(route, kFirstRoute);
  EXPECT_EQ(telemetry.intern_route("/a"), route);
  auto& stats = telemetry.reactor(1).stats();
  stats.request_started(0, 0);
  stats.route_entered(route);
  EXPECT_EQ(telemetry.snapshot().requests_in_flight(), 1U);
  telemetry.reactor(1).request_finished(sample(3'000'000));
  const auto now = telemetry.snapshot();
  EXPECT_EQ(now.requests_in_flight(), 0U);
  ASSERT_EQ(now.requests.size(), 1U);
  EXPECT_EQ(now.requests[0].status, 200);
  EXPECT_EQ(now.requests[0].duration.sum, 3'000'000U);
  EXPECT_EQ(now.requests[0].duration.count(), 1U);
  EXPECT_EQ(now.routes[route].finished, 1U);
  for (std::size_t phase = 0; phase < kCount<RequestPhase>; ++phase) {
    EXPECT_EQ(now.totals.phases[phase][1].count(), 1U);
    EXPECT_EQ(now.totals.phases[phase][1].sum, phase == index_of(RequestPhase::handler) ? 3'000'000U : 0U);
  }
  ASSERT_EQ(now.exemplars.size(), 1U);
  EXPECT_EQ(now.exemplars[0].series, 0U);
  EXPECT_EQ(now.exemplars[0].request_id.view(), "id-1");
}

TEST_F(ServerTelemetryTest, KeepsTheLongestRequestIdWhole) {
  const std::string id = "the-longest-id-that-is-accepted-and-answered-has-64-characters:x";
  ASSERT_EQ(id.size(), 64U);
  RequestSample request = sample(3'000'000);
  request.request_id = id;
  telemetry.reactor(0).request_finished(request);
  std::vector<std::string> kept;
  telemetry.recent_requests([&](const RequestRecord& record) {
    kept.emplace_back(record.request_id.view());
    return true;
  });
  EXPECT_EQ(kept, std::vector{id});
  const auto now = telemetry.snapshot();
  ASSERT_EQ(now.exemplars.size(), 1U);
  EXPECT_EQ(now.exemplars[0].request_id.view(), id);
}

TEST_F(ServerTelemetryTest, NamesOfAllRoutesThatMayBeConfiguredHaveRoomAndSoHaveThoseOfReloads) {
  for (int name = 0; name < 4 * 2000; ++name) {
    ASSERT_EQ(telemetry.intern_route("/r" + std::to_string(name)), kFirstRoute + name);
  }
  RequestSample request = sample(1000);
  request.route = kFirstRoute + 7999;
  telemetry.reactor(0).stats().route_entered(request.route);
  telemetry.reactor(0).request_finished(request);
  const auto now = telemetry.snapshot();
  ASSERT_EQ(now.routes.size(), 8002U);
  EXPECT_EQ(now.routes[request.route].started, 1U);
  EXPECT_EQ(now.routes[request.route].finished, 1U);
  EXPECT_EQ(now.routes[request.route - 1].started, 0U);
  EXPECT_EQ(now.totals.series_folded, 0U);
}

TEST_F(ServerTelemetryTest, RequestsOfANameTooManyAreOthersAndCounted) {
  auto few = options();
  few.routes_max = kFirstRoute + 1;
  ServerTelemetry small{few, {"boot", "host", "traffic", "1", 0, 0}, {"http"}, clock.clock()};
  EXPECT_EQ(small.intern_route("/a"), kFirstRoute);
  RequestSample request = sample(1000);
  request.route = small.intern_route("/b");
  EXPECT_EQ(request.route, kRouteOther);
  small.reactor(0).stats().route_entered(request.route);
  small.reactor(0).request_finished(request);
  small.reactor(1).request_finished(request);
  EXPECT_EQ(small.snapshot().routes[kRouteOther].finished, 2U);
  EXPECT_EQ(small.snapshot().totals.series_folded, 2U);
}

TEST_F(ServerTelemetryTest, ExemplarsGoOnAfterTheWallClockWasSetBack) {
  telemetry.reactor(0).request_finished(sample(3'000'000, kWall + 3600 * kSecond));
  telemetry.reactor(0).request_finished(sample(3'000'000, kWall));
  const auto now = telemetry.snapshot();
  ASSERT_EQ(now.exemplars.size(), 1U);
  EXPECT_EQ(now.exemplars[0].at_wall_ns, kWall);
}

TEST_F(ServerTelemetryTest, EveryBucketOfEverySecondHasASample) {
  auto& reactor = telemetry.reactor(0);
  for (std::int64_t n = 0; n < 3000; ++n) reactor.request_finished(sample(1'000 + (n % 2) * 20'000'000, kWall));
  reactor.request_finished(sample(1'000, kWall + kSecond));
  std::vector<int> buckets;
  telemetry.sampled_requests([&](const RequestRecord& request) {
    buckets.push_back(request.bucket);
    EXPECT_EQ(request.target.view(), "/slow");
    return true;
  });
  EXPECT_EQ(buckets.size(), 3U);
}

TEST_F(ServerTelemetryTest, EveryMeasureHasASampleOfItsOwn) {
  auto& reactor = telemetry.reactor(0);
  RequestSample request = sample(20'000'000, kWall);
  const auto take = [&](std::int64_t queue_ns, std::int64_t handler_ns, std::int64_t first_byte_ns) {
    request.phases_ns[index_of(RequestPhase::queue)] = queue_ns;
    request.phases_ns[index_of(RequestPhase::handler)] = handler_ns;
    request.first_byte_ns = first_byte_ns;
    for (int n = 0; n < 1000; ++n) reactor.request_finished(request);
  };
  take(0, 20'000'000, 20'000'000);
  take(15'000'000, 5'000, 20'000'000);  // of the same duration, but it waited for its handler
  take(15'000'000, 5'000, 15'000);
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  telemetry.sampled_requests([&](const RequestRecord& record) {
    seen.emplace_back(record.phases_ns[index_of(RequestPhase::handler)], record.first_byte_ns);
    return true;
  });
  EXPECT_THAT(seen, ::testing::UnorderedElementsAre(std::pair{20'000'000, 20'000'000}, std::pair{5'000, 20'000'000},
                                                    std::pair{5'000, 15'000}));
}

TEST_F(ServerTelemetryTest, KeepsSlowRequestsApart) {
  telemetry.reactor(0).request_finished(sample(499'999'999));
  telemetry.reactor(0).request_finished(sample(500'000'000));
  int slow = 0;
  telemetry.slow_requests([&](const RequestRecord& request) {
    EXPECT_EQ(request.total_ns, 500'000'000);
    return ++slow > 0;
  });
  EXPECT_EQ(slow, 1);
}

TEST_F(ServerTelemetryTest, TheTimelineTellsTheStatesOfOneConnection) {
  open(first);
  open(ConnectionId::make(0, 5, 1));
  telemetry.reactor(0).publish(*telemetry.reactor(0).find(first), first, hot(first, ConnectionState::handling), 0,
                               kWall + 1);
  telemetry.reactor(0).publish(*telemetry.reactor(0).find(first), first, hot(first, ConnectionState::handling), 0,
                               kWall + 2);
  telemetry.reactor(0).publish(*telemetry.reactor(0).find(first), first, hot(first, ConnectionState::idle), 0,
                               kWall + 3);
  const auto changes = telemetry.timeline(first, 64);
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].state, ConnectionState::idle);
  EXPECT_EQ(changes[2].state, ConnectionState::reading_head);
  EXPECT_EQ(telemetry.timeline_reach_wall_ns(0), kWall);
}

/// The worst there is: every second of a quarter of an hour has a request in each bucket of each measure.
TEST_F(ServerTelemetryTest, EveryCellOfTheLastQuarterOfAnHourHasASample) {
  constexpr std::size_t kBuckets = LatencyMap::kBuckets;
  const auto inside = [](std::size_t bucket) {  // a duration of that bucket
    return static_cast<std::int64_t>(bucket < kDurationEdges.size() ? kDurationEdges[bucket]
                                                                    : kDurationEdges.back() * 2);
  };
  TelemetryOptions wide = options();
  wide.samples = 20'000;
  wide.recent_per_second = 0;
  ServerTelemetry busy{wide, ServerIdentity{}, {"http"}, clock.clock()};
  constexpr std::int64_t kWindow = 900;
  for (std::int64_t at = 0; at < kWindow; ++at) {
    for (std::size_t n = 0; n < 4 * kBuckets; ++n) {
      RequestSample request = sample(inside(n % kBuckets), (1'700'000'000 / 15 * 15 + at) * kSecond);
      // Different requests in each measure, so that one sample does not serve for all four.
      request.first_byte_ns = inside((n + n / kBuckets * 3) % kBuckets);
      request.phases_ns = {0, 0, inside((n + n / kBuckets * 7) % kBuckets), inside((n + n / kBuckets * 11) % kBuckets),
                           0};
      for (std::size_t r = 0; r < wide.reactors; ++r) busy.reactor(r).request_finished(request);
    }
  }
  std::set<std::tuple<std::size_t, std::size_t, std::int64_t>> cells;
  const auto bucket_of = [](std::int64_t ns) {
    return BucketTable<kDurationEdges>::bucket(static_cast<std::uint64_t>(ns));
  };
  busy.sampled_requests([&](const RequestRecord& record) {
    const std::int64_t ended = (record.started_wall_ns + record.total_ns) / kSecond / 15;
    cells.emplace(0, bucket_of(record.total_ns), ended);
    cells.emplace(1, bucket_of(record.first_byte_ns), ended);
    cells.emplace(2, bucket_of(record.phases_ns[index_of(RequestPhase::queue)]), ended);
    cells.emplace(3, bucket_of(record.phases_ns[index_of(RequestPhase::handler)]), ended);
    return true;
  });
  EXPECT_EQ(cells.size(), 4 * kBuckets * kWindow / 15);
}

TEST_F(ServerTelemetryTest, NamesTheCulpritWhileItStillBlocks) {
  auto& reactor = telemetry.reactor(1);
  const auto now = clock.now().time_since_epoch().count();
  reactor.stats().connections(17);
  reactor.begin_activity(StallCause::handler, kFirstRoute, 2, second, 5, now);
  clock.advance(std::chrono::milliseconds{74});
  EXPECT_TRUE(telemetry.watch().empty());
  clock.advance(std::chrono::milliseconds{1});
  const auto stalls = telemetry.watch();
  ASSERT_EQ(stalls.size(), 1U);
  EXPECT_TRUE(stalls[0].running);
  EXPECT_EQ(stalls[0].cause, StallCause::handler);
  EXPECT_EQ(stalls[0].route, kFirstRoute);
  EXPECT_EQ(stalls[0].reactor, 1);
  EXPECT_EQ(stalls[0].connection, second.packed());
  EXPECT_EQ(stalls[0].delayed_connections, 17U);
  EXPECT_TRUE(telemetry.reactors()[1].stall);
  reactor.end_activity(clock.now().time_since_epoch().count());
  EXPECT_TRUE(telemetry.watch().empty());
}

/// Whenever it begins, it is looked at in the moment in which it becomes a stall; and an idle server is left alone.
TEST_F(ServerTelemetryTest, AStallIsNamedTheMomentItBecomesOne) {
  const auto now = [&] { return clock.now().time_since_epoch().count(); };
  const auto look_at = [&](std::int64_t when) {
    clock.advance(std::chrono::nanoseconds{when - now()});
    return telemetry.watch();
  };
  auto& reactor = telemetry.reactor(1);
  for (const std::int64_t threshold : {10'000'000, 30'000'000, 75'000'000, 400'000'000}) {
    reactor.set_thresholds(kSecond, threshold);
    telemetry.reactor(0).set_thresholds(kSecond, threshold);
    // Below a fifth of the shortest way between two looks the moment is no longer exact.
    const std::int64_t late = threshold < 25'000'000 ? 20'000'000 : 0;
    for (std::int64_t begins_after = 0; begins_after < 120'000'000; begins_after += 700'001) {
      telemetry.watch();
      const std::int64_t begins = now() + begins_after;
      std::int64_t next = now() + telemetry.until_next_watch().count();
      while (next < begins) {
        ASSERT_TRUE(look_at(next).empty());
        next += telemetry.until_next_watch().count();
      }
      clock.advance(std::chrono::nanoseconds{begins - now()});
      reactor.begin_activity(StallCause::handler, kFirstRoute, 0, second, 1, begins);
      std::vector<StallRecord> stalls;
      while (stalls.empty()) {
        stalls = look_at(next);
        next += telemetry.until_next_watch().count();
      }
      EXPECT_GE(stalls[0].duration_ns, threshold);
      ASSERT_LE(stalls[0].duration_ns, threshold + late) << threshold << " ns, begun " << begins_after;
      reactor.end_activity(now());
    }
  }
  telemetry.watch();
  int looks = 0;
  const std::int64_t end = now() + kSecond;
  while (now() < end) {
    look_at(now() + telemetry.until_next_watch().count());
    ++looks;
  }
  EXPECT_LE(looks, 17) << "of an idle server in a second";
}

TEST_F(ServerTelemetryTest, AnEndedStallKeepsItsCulpritAndWhatItDelayed) {
  auto& reactor = telemetry.reactor(0);
  reactor.begin_activity(StallCause::handler, kFirstRoute, 0, first, 1, kSecond);
  reactor.end_activity(kSecond + 300'000'000);
  reactor.turn({0, 310'000'000, 1, kWall, kSecond + 310'000'000});
  reactor.turn({0, 1'000, 12, kWall, kSecond + 320'000'000});
  std::vector<StallRecord> stalls;
  telemetry.stalls([&](const StallRecord& stall) {
    stalls.push_back(stall);
    return true;
  });
  ASSERT_EQ(stalls.size(), 1U);
  EXPECT_FALSE(stalls[0].running);
  EXPECT_EQ(stalls[0].cause, StallCause::handler);
  EXPECT_EQ(stalls[0].delayed_connections, 12U);
  EXPECT_EQ(telemetry.snapshot().reactors[0].stalls[index_of(StallCause::handler)], 1U);
}

TEST_F(ServerTelemetryTest, ATurnWithoutAMainActivityStallsForAnUnknownCause) {
  auto& reactor = telemetry.reactor(0);
  reactor.begin_activity(StallCause::handler, kFirstRoute, 0, first, 1, kSecond);
  reactor.end_activity(kSecond + 10'000'000);
  reactor.turn({0, 310'000'000, 1, kWall, 2 * kSecond});
  EXPECT_EQ(telemetry.snapshot().reactors[0].stalls[index_of(StallCause::unknown)], 1U);
}

TEST_F(ServerTelemetryTest, ALongTurnIsBlamedOnWhatTheWatcherMetMostOften) {
  auto& reactor = telemetry.reactor(0);
  const auto now = [&] { return clock.now().time_since_epoch().count(); };
  const auto began = now();
  reactor.thread_began();
  reactor.turn_began(began);
  for (const StallCause cause : {StallCause::parse, StallCause::tls, StallCause::tls}) {
    reactor.doing(cause);
    reactor.serving(cause == StallCause::tls ? second : first);
    clock.advance(std::chrono::milliseconds{40});
    telemetry.watch();
  }
  reactor.doing(StallCause::write);  // not met: the turn ends before the next look
  ASSERT_TRUE(telemetry.reactors()[0].stall);
  const StallRecord running = *telemetry.reactors()[0].stall;
  EXPECT_EQ(running.cause, StallCause::tls);
  EXPECT_EQ(running.connection, second.packed());
  EXPECT_EQ(running.started_ns, began);
  EXPECT_GE(running.cpu_ns, 0);
  clock.advance(std::chrono::milliseconds{30});
  reactor.turn({0, now() - began, 1, kWall, now()});
  EXPECT_TRUE(telemetry.watch().empty());
  EXPECT_EQ(telemetry.snapshot().reactors[0].stalls[index_of(StallCause::tls)], 1U);
}

TEST_F(ServerTelemetryTest, ALongTurnOfManyConnectionsNamesNone) {
  auto& reactor = telemetry.reactor(0);
  const auto now = [&] { return clock.now().time_since_epoch().count(); };
  reactor.turn_began(now());
  reactor.doing(StallCause::write);
  for (const ConnectionId id : {first, second, first, second}) {
    reactor.serving(id);
    clock.advance(std::chrono::milliseconds{40});
    telemetry.watch();
  }
  ASSERT_TRUE(telemetry.reactors()[0].stall);
  EXPECT_EQ(telemetry.reactors()[0].stall->cause, StallCause::write);
  EXPECT_EQ(telemetry.reactors()[0].stall->connection, 0U);
}

TEST_F(ServerTelemetryTest, LooksAtAnEarlierTurnBlameNobodyInALaterOne) {
  auto& reactor = telemetry.reactor(0);
  const auto now = [&] { return clock.now().time_since_epoch().count(); };
  reactor.turn_began(now());
  reactor.doing(StallCause::h2);
  clock.advance(std::chrono::milliseconds{40});
  telemetry.watch();
  reactor.turn({0, 40'000'000, 1, kWall, now()});
  const auto began = now() + 1;
  reactor.turn_began(began);
  clock.advance(std::chrono::milliseconds{200});
  reactor.turn({0, now() - began, 1, kWall, now()});
  EXPECT_EQ(telemetry.snapshot().reactors[0].stalls[index_of(StallCause::h2)], 0U);
  EXPECT_EQ(telemetry.snapshot().reactors[0].stalls[index_of(StallCause::unknown)], 1U);
}

TEST_F(ServerTelemetryTest, AReactorThatWaitsForEventsIsNotStalled) {
  auto& reactor = telemetry.reactor(0);
  const auto now = clock.now().time_since_epoch().count();
  reactor.turn_began(now);
  reactor.doing(StallCause::write);
  reactor.turn({0, 1'000, 1, kWall, now + 1'000});
  for (int look = 0; look < 10; ++look) {
    clock.advance(std::chrono::milliseconds{40});
    EXPECT_TRUE(telemetry.watch().empty());
  }
}

TEST_F(ServerTelemetryTest, ASilentReactorIsAStallToo) {
  telemetry.reactor(0).turn({0, 1'000, 1, kWall, clock.now().time_since_epoch().count()});
  clock.advance(std::chrono::seconds{1});
  EXPECT_TRUE(telemetry.watch().empty());
  clock.advance(std::chrono::seconds{1});
  ASSERT_EQ(telemetry.watch().size(), 1U);
}

TEST(Totals, ZipVisitsEveryMember) {
  using Plain = TrafficTotals<std::uint64_t, HistogramValue>;
  Plain a{};
  Plain b{};
  std::size_t bytes = 0;
  zip_totals(a, b, [&](const auto& from, const auto&) { bytes += sizeof(from); });
  EXPECT_EQ(bytes, sizeof(Plain));
}

}  // namespace
}  // namespace equinox::telemetry
