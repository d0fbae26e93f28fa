// How far back a ring may be relied upon when some reactors write more than others.

#include <gtest/gtest.h>

#include "telemetry/server_telemetry.hpp"

namespace equinox::telemetry {
namespace {

constexpr std::int64_t kWall = 1'700'000'000 * kSecondNs;

class RingReach : public testing::Test {
 protected:
  static TelemetryOptions options() {
    TelemetryOptions out;
    out.reactors = 2;
    out.connections_per_reactor = 10;
    out.closed = out.timeline = 20;  // ten each
    return out;
  }
  void open_and_close(ReactorIndex reactor, std::int64_t second) {
    const auto id = ConnectionId::make(reactor, 1, 1);
    RecordHot hot;
    hot.generation = 1;
    auto& slot = telemetry.reactor(reactor).open(id, hot, {}, kWall + second * kSecondNs);
    telemetry.reactor(reactor).close(slot, id, hot, {}, kSecondNs, kWall + second * kSecondNs);
  }
  ServerTelemetry telemetry{options(), {"boot", "host", "traffic", "1", 0, 0}, {"http"}};
};

TEST_F(RingReach, IsThatOfTheBusiestReactor) {
  EXPECT_EQ(telemetry.snapshot().ring_closed.reach_wall_ns(), 0) << "there is nothing";
  open_and_close(1, 0);
  for (std::int64_t second = 1; second <= 10; ++second) open_and_close(0, second);
  EXPECT_EQ(telemetry.snapshot().ring_closed.reach_wall_ns(), kWall) << "nothing is forgotten yet";
  for (std::int64_t second = 11; second <= 25; ++second) open_and_close(0, second);
  const RingTotals closed = telemetry.snapshot().ring_closed;
  EXPECT_EQ(closed.oldest_wall_ns, kWall);
  EXPECT_EQ(closed.reach_wall_ns(), kWall + 16 * kSecondNs) << "what reactor 0 closed before is gone";
}

TEST_F(RingReach, IsKnownOfEveryRing) {
  open_and_close(0, 3);
  EXPECT_EQ(telemetry.snapshot().ring_timeline.reach_wall_ns(), kWall + 3 * kSecondNs);
  RequestSample request;
  request.wall_ns = kWall + 4 * kSecondNs;
  request.total_ns = 2 * kSecondNs;
  request.protocol = Protocol::http11;
  telemetry.reactor(0).request_finished(request);
  const ServerSnapshot now = telemetry.snapshot();
  EXPECT_EQ(now.ring_slow.reach_wall_ns(), request.wall_ns) << "a ring of requests is in the order of their ends";
  EXPECT_EQ(now.ring_recent.reach_wall_ns(), request.wall_ns);
  EXPECT_EQ(now.ring_cells.reach_wall_ns(), request.wall_ns);
}

}  // namespace
}  // namespace equinox::telemetry
