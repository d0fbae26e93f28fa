#include "telemetry/series.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"

namespace equinox::telemetry {
namespace {

constexpr std::int64_t kWall = 1'700'000'000 * kSecondNs;
/// When a second is sampled: a little after its end.
constexpr std::int64_t kBehind = 5'000'000;

class Series : public testing::Test {
 protected:
  Series() { now.listeners.resize(1); }
  /// A look after `seconds` of the server's life.
  void sample(std::int64_t seconds) {
    now.taken_wall_ns = kWall + seconds * kSecondNs + kBehind;
    recorder.sample(now);
  }
  SeriesRecorder recorder;
  ServerSnapshot now;
};

TEST_F(Series, HoldTheIncreaseOfEachSecond) {
  sample(0);
  now.listeners[0].accepted = 5;
  now.totals.closed[1][index_of(CloseReason::drain)] = 2;
  sample(1);
  now.listeners[0].accepted = 9;
  sample(3);
  const auto points = recorder.since(kWall);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points[0].accepted, 5U);
  EXPECT_EQ(points[0].closed_by_reason[index_of(CloseReason::drain)], 2U);
  EXPECT_FALSE(points[1].recorded);
  EXPECT_EQ(points[2].accepted, 4U);
  EXPECT_EQ(recorder.since(kWall + 2 * kSecondNs).size(), 1U);
}

TEST_F(Series, BelongToTheSecondThatIsOver) {
  sample(0);
  now.listeners[0].accepted = 5;
  sample(1);
  const auto points = recorder.since(0);
  EXPECT_EQ(points.back().accepted, 5U);
  EXPECT_EQ(points.back().at_wall_ns, kWall) << "it was accepted in the second that began then";
}

TEST_F(Series, AddUpToTheTotalsFromTheFirstSecondOn) {
  now.listeners[0].accepted = 7;
  now.reactors.resize(1);
  now.reactors[0].busy_ns = now.reactors[0].wait_ns = 300;
  sample(1);
  auto points = recorder.since(0);
  ASSERT_EQ(points.size(), 1U) << "nothing is said of the time before the server";
  EXPECT_TRUE(points[0].recorded);
  EXPECT_EQ(points[0].accepted, 7U);
  ASSERT_EQ(points[0].reactor_busy_ratio.size(), 1U);
  EXPECT_EQ(points[0].reactor_busy_ratio[0], 0.5F);
  now.listeners[0].accepted = 10;
  sample(2);
  points = recorder.since(0);
  EXPECT_EQ(points[0].accepted + points[1].accepted, now.accepted());
}

TEST_F(Series, ReachBackFifteenMinutes) {
  for (std::int64_t second = 0; second < 2000; ++second) sample(second);
  const auto points = recorder.since(0);
  ASSERT_EQ(points.size(), 900U);
  EXPECT_EQ(points.back().at_wall_ns, kWall + 1998 * kSecondNs);
}

TEST_F(Series, GoOnAfterTheWallClockWasSetBack) {
  for (std::int64_t second = 4000; second < 4010; ++second) sample(second);
  now.listeners[0].accepted = 5;
  sample(410);
  now.listeners[0].accepted = 9;
  sample(411);
  const auto points = recorder.since(0);
  ASSERT_EQ(points.size(), 2U) << "those of the time that is yet to come again are gone";
  EXPECT_EQ(points[0].at_wall_ns, kWall + 409 * kSecondNs);
  EXPECT_EQ(points[0].accepted, 5U);
  EXPECT_EQ(points[1].accepted, 4U);
}

TEST_F(Series, WaitForAClockThatIsASecondBehind) {
  sample(10);
  sample(11);
  now.listeners[0].accepted = 5;
  sample(10);
  EXPECT_EQ(recorder.since(0).size(), 2U);
  sample(12);
  EXPECT_EQ(recorder.since(0).back().accepted, 5U);
}

}  // namespace
}  // namespace equinox::telemetry
