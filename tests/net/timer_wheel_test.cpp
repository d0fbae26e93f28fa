#include "net/timer_wheel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace equinox::net {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class WheelTest : public testing::Test {
 protected:
  std::vector<std::uint64_t> expire_at(TimePoint now) {
    std::vector<std::uint64_t> tokens;
    wheel_.expire(now, tokens);
    return tokens;
  }
  static TimerNode node(std::uint64_t token) {
    TimerNode made;
    made.token = token;
    return made;
  }

  TimePoint start_{1h + 3ms};
  TimerWheel wheel_{start_};
};

TEST_F(WheelTest, IsNeverEarlyAndAtMostOneTickLate) {
  for (const Duration wait : {Duration{1ns}, Duration{5ms}, Duration{10ms}, Duration{12'345us}, Duration{1s},
                              Duration{40s}, Duration{41s}, Duration{100s}, Duration{3h}}) {
    TimerWheel wheel{start_};
    TimerNode timer = node(1);
    const TimePoint due = start_ + wait;
    wheel.schedule(timer, due);
    std::vector<std::uint64_t> tokens;
    TimePoint now = start_;
    while (tokens.empty()) {
      const Duration pause = wheel.until_next(now, 1s);
      ASSERT_LE(pause, 1s);
      ASSERT_LE(now, due + TimerWheel::kTick) << "late by more than a tick";
      now += std::max<Duration>(pause, 1us);
      wheel.expire(now, tokens);
      if (now < due) {
        ASSERT_THAT(tokens, IsEmpty()) << "early";
      }
    }
    EXPECT_GE(now, due);
    EXPECT_LE(now, due + TimerWheel::kTick + 1us);
    EXPECT_FALSE(timer.is_linked());
    EXPECT_EQ(wheel.size(), 0U);
  }
}

TEST_F(WheelTest, MovingADeadlineLaterOnlyWritesIt) {
  TimerNode timer = node(1);
  wheel_.schedule(timer, start_ + 1s);
  const std::uint64_t linked_at = timer.linked_at;
  wheel_.schedule(timer, start_ + 2s);
  EXPECT_EQ(timer.linked_at, linked_at);
  EXPECT_THAT(expire_at(start_ + 1500ms), IsEmpty());
  EXPECT_GT(timer.linked_at, linked_at) << "relinked when its slot came round";
  EXPECT_THAT(expire_at(start_ + 2020ms), ElementsAre(1U));
}

TEST_F(WheelTest, MovingADeadlineEarlierTakesEffect) {
  TimerNode timer = node(1);
  wheel_.schedule(timer, start_ + 10s);
  wheel_.schedule(timer, start_ + 1s);
  EXPECT_EQ(wheel_.size(), 1U);
  EXPECT_THAT(expire_at(start_ + 1020ms), ElementsAre(1U));
  EXPECT_THAT(expire_at(start_ + 20s), IsEmpty()) << "once";
}

TEST_F(WheelTest, CancelledAndDisarmedTimersAreNotReported) {
  TimerNode cancelled = node(1);
  TimerNode disarmed = node(2);
  TimerNode kept = node(3);
  for (TimerNode* timer : {&cancelled, &disarmed, &kept}) wheel_.schedule(*timer, start_ + 1s);
  wheel_.cancel(cancelled);
  wheel_.cancel(cancelled);
  wheel_.schedule(disarmed, kNever);
  EXPECT_FALSE(cancelled.is_linked());
  EXPECT_THAT(expire_at(start_ + 2s), ElementsAre(3U));
  EXPECT_FALSE(disarmed.is_linked());
  EXPECT_EQ(wheel_.size(), 0U);
  TimerNode never = node(4);
  wheel_.schedule(never, kNever);
  EXPECT_FALSE(never.is_linked());
}

TEST_F(WheelTest, APastDeadlineExpiresWithTheNextTick) {
  TimerNode timer = node(1);
  wheel_.schedule(timer, start_ - 1h);
  EXPECT_LE(wheel_.until_next(start_, 1s), TimerWheel::kTick);
  EXPECT_THAT(expire_at(start_ + 10ms), ElementsAre(1U));
}

TEST_F(WheelTest, AnExpiredTimerMayBeArmedAgain) {
  TimerNode timer = node(1);
  for (int i = 1; i <= 5; ++i) {
    wheel_.schedule(timer, start_ + i * 1s);
    EXPECT_THAT(expire_at(start_ + i * 1s + 10ms), ElementsAre(1U));
  }
}

TEST_F(WheelTest, AfterALongPauseEverythingDueIsReported) {
  TimerNode near = node(1);
  TimerNode far = node(2);
  TimerNode later = node(3);
  wheel_.schedule(near, start_ + 1s);
  wheel_.schedule(far, start_ + 90s);
  wheel_.schedule(later, start_ + 10h);
  EXPECT_THAT(expire_at(start_ + 5h), UnorderedElementsAre(1U, 2U));
  EXPECT_TRUE(later.is_linked());
  EXPECT_THAT(expire_at(start_ + 10h + 10ms), ElementsAre(3U));
}

TEST_F(WheelTest, WaitsForTheNextOccupiedSlotButNotLonger) {
  EXPECT_EQ(wheel_.until_next(start_, 1s), 1s);
  TimerNode timer = node(1);
  wheel_.schedule(timer, start_ + 30s);
  EXPECT_EQ(wheel_.until_next(start_, 1s), 1s);
  EXPECT_EQ(wheel_.until_next(start_ + 29'900ms, 1s), 100ms + 7ms) << "to the end of its tick";
  EXPECT_EQ(wheel_.until_next(start_ + 31s, 1s), 0s);
  wheel_.cancel(timer);  // it goes before the wheel does
}

TEST_F(WheelTest, IsDueOnlyWhenASlotWithATimerHasCome) {
  EXPECT_FALSE(wheel_.is_due(start_ + 100h)) << "nothing is armed";
  TimerNode early = node(1);
  TimerNode late = node(2);
  wheel_.schedule(late, start_ + 20s);
  wheel_.schedule(early, start_ + 1s);
  EXPECT_FALSE(wheel_.is_due(start_ + 990ms));
  EXPECT_TRUE(wheel_.is_due(start_ + 1010ms));
  wheel_.cancel(early);
  EXPECT_FALSE(wheel_.is_due(start_ + 1010ms)) << "the next one counts";
  EXPECT_TRUE(wheel_.is_due(start_ + 20'010ms));
  EXPECT_THAT(expire_at(start_ + 20'010ms), ElementsAre(2U));
  EXPECT_FALSE(wheel_.is_due(start_ + 100h));
}

TEST_F(WheelTest, AnEmptyWheelThatWasLeftAloneForDaysIsInTime) {
  const TimePoint now = start_ + 240h;
  TimerNode timer = node(1);
  wheel_.schedule(timer, now + 5s);  // nobody called expire() meanwhile: nothing was due
  std::vector<std::uint64_t> tokens;
  wheel_.expire(now + 4s, tokens);
  EXPECT_THAT(tokens, IsEmpty());
  EXPECT_THAT(expire_at(now + 5s + 10ms), ElementsAre(1U));
}

TEST_F(WheelTest, LetsGoOfItsNodesWhenItEnds) {
  TimerNode timer = node(1);
  {
    TimerWheel wheel{start_};
    wheel.schedule(timer, start_ + 1s);
  }
  EXPECT_FALSE(timer.is_linked());
}

TEST_F(WheelTest, HoldsAMillionTimersEachReportedExactlyOnceAndInTime) {
  constexpr std::size_t kTimers = 1'000'000;
  std::mt19937_64 random{7};
  std::vector<TimerNode> timers(kTimers);
  for (std::size_t i = 0; i < kTimers; ++i) {
    timers[i].token = i;
    wheel_.schedule(timers[i], start_ + Duration{static_cast<std::int64_t>(random() % 120'000'000'000U)});
  }
  std::size_t cancelled = 0;
  for (std::size_t i = 0; i < kTimers; i += 3) {
    if (i % 2 == 0) {
      wheel_.cancel(timers[i]);
      ++cancelled;
    } else {
      wheel_.schedule(timers[i], start_ + Duration{static_cast<std::int64_t>(random() % 240'000'000'000U)});
    }
  }
  EXPECT_EQ(wheel_.size(), kTimers - cancelled);
  std::vector<std::uint8_t> reported(kTimers, 0);
  std::vector<std::uint64_t> tokens;
  TimePoint before = start_;
  for (TimePoint now = start_; now < start_ + 241s; now += 500ms) {
    tokens.clear();
    wheel_.expire(now, tokens);
    for (const std::uint64_t token : tokens) {
      ++reported[token];
      ASSERT_LE(timers[token].due, now);
      ASSERT_GT(timers[token].due, before - 2 * TimerWheel::kTick);
    }
    before = now;
  }
  for (std::size_t i = 0; i < kTimers; ++i) {
    ASSERT_EQ(reported[i], i % 6 == 0 ? 0 : 1) << i;
  }
  EXPECT_EQ(wheel_.size(), 0U);
}

}  // namespace
}  // namespace equinox::net
