// What tells a slow reader from one who reads nothing, on figures as a kernel gives them.
#include "server/write_window.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace equinox::server {
namespace {

using std::chrono::seconds;

constexpr TimePoint kStart{seconds{100}};
constexpr Duration kLength = seconds{30};
constexpr std::uint64_t kHeld = 600'000;

TEST(WriteWindow, RunsFromItsBeginToItsEnd) {
  WriteWindow window;
  EXPECT_FALSE(window.is_running());
  EXPECT_EQ(window.settles_at(), kNever);
  window.begin(kStart, kLength, kHeld);
  EXPECT_TRUE(window.is_running());
  EXPECT_EQ(window.start(), kStart);
  window.end();
  EXPECT_FALSE(window.is_running());
  EXPECT_EQ(window.settles_at(), kNever);
}

TEST(WriteWindow, APeerThatTakesNothingHasTakenNothing) {
  WriteWindow window;
  window.begin(kStart, kLength, kHeld);
  EXPECT_EQ(window.taken(kHeld), 0U);
  EXPECT_EQ(window.drained(kHeld), 0U);
}

TEST(WriteWindow, AcknowledgedBytesCountBetweenTwoStepsOfTheKernel) {
  WriteWindow window;
  window.begin(kStart, kLength, kHeld);
  EXPECT_EQ(window.taken(kHeld - 9000), 9000U);
  EXPECT_EQ(window.drained(kHeld - 9000), 9000U);
}

TEST(WriteWindow, WhatTheKernelTakesUnreadIsForgottenWhenItSettles) {
  WriteWindow window;
  window.begin(kStart, kLength, kHeld);
  EXPECT_EQ(window.settles_at(), kStart + seconds{1});
  window.settle(kHeld - 50'000);
  EXPECT_EQ(window.settles_at(), kNever);
  EXPECT_EQ(window.taken(kHeld - 50'000), 0U);
  EXPECT_EQ(window.taken(kHeld - 50'100), 100U);
}

TEST(WriteWindow, AShortOneSettlesInHalfItsLength) {
  WriteWindow window;
  window.begin(kStart, seconds{1}, kHeld);
  EXPECT_EQ(window.settles_at(), kStart + std::chrono::milliseconds{500});
}

TEST(WriteWindow, TheNextOneOfAPeerStillBehindHasNothingToSettle) {
  WriteWindow window;
  window.begin(kStart, kLength, kHeld);
  window.give(1000);
  window.begin(kStart + kLength, kLength, kHeld + 1000);
  EXPECT_EQ(window.start(), kStart + kLength);
  EXPECT_EQ(window.settles_at(), kNever);
  EXPECT_EQ(window.taken(kHeld + 1000), 0U);
  window.end();
  window.begin(kStart + 2 * kLength, kLength, kHeld);
  EXPECT_NE(window.settles_at(), kNever);
}

TEST(WriteWindow, WhatTheKernelTookIsTakenEvenWhereItHoldsMoreForIt) {
  WriteWindow window;
  window.begin(kStart, kLength, kHeld);
  window.give(128 * 1024);
  EXPECT_EQ(window.taken(kHeld + 128 * 1024), 128U * 1024);
  EXPECT_EQ(window.drained(kHeld + 128 * 1024), 0U);
  // Acknowledged: all of what was held, and half of what came.
  EXPECT_EQ(window.taken(64 * 1024), kHeld + 64 * 1024);
  EXPECT_EQ(window.drained(64 * 1024), kHeld - 64 * 1024);
}

TEST(WriteWindow, WhatWasGivenBeforeItSettledIsNotCountedTwice) {
  WriteWindow window;
  window.begin(kStart, kLength, kHeld);
  window.give(10'000);
  window.settle(kHeld + 10'000);
  EXPECT_EQ(window.taken(kHeld + 10'000), 10'000U);
  EXPECT_EQ(window.taken(kHeld), 10'000U);
  EXPECT_EQ(window.taken(kHeld - 20'000), 30'000U);
}

TEST(WriteWindow, AKernelThatHoldsNothingAnyMoreHasDrainedWhatItHeld) {
  WriteWindow window;
  window.begin(kStart, kLength, kHeld);
  EXPECT_EQ(window.drained(0), kHeld);
  EXPECT_EQ(window.taken(0), kHeld);
}

}  // namespace
}  // namespace equinox::server
