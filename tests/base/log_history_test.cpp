#include "base/log_history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace equinox {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ConnectionId connection(std::uint32_t number) { return ConnectionId::make(0, number, 1); }

/// Line `number`, at millisecond `number`.
LogRecord line(int number, ConnectionId about, std::size_t padding = 0) {
  LogRecord record{LogLevel::info, LogComponent::connection, std::to_string(number),
                   system_clock::time_point{milliseconds{number}}};
  record.about(about);
  if (padding != 0) record.add("padding", std::string(padding, 'p'));
  return record;
}

std::vector<std::string> messages(const LogHistory::Excerpt& excerpt) {
  std::vector<std::string> out;
  for (const LogRecord& record : excerpt.records) out.emplace_back(record.message());
  return out;
}

TEST(LogHistoryLines, AreFoundByTheConnectionTheyAreAboutOldestFirst) {
  LogHistory history{16};
  for (int n = 0; n < 9; ++n) history.add(line(n, connection(static_cast<std::uint32_t>(n % 3))));
  EXPECT_THAT(messages(history.about(connection(1), 50)), ElementsAre("1", "4", "7"));
  EXPECT_THAT(messages(history.about(connection(7), 50)), IsEmpty());
  const ConnectionId later_in_the_same_slot{connection(1).slot, 2};
  EXPECT_THAT(messages(history.about(later_in_the_same_slot, 50)), IsEmpty());
}

TEST(LogHistoryLines, KeepTheirFields) {
  LogHistory history{16};
  history.add(line(1, connection(1)).add("peer", "127.0.0.1:80").add("errno", 104));
  const auto found = history.about(connection(1), 50);
  ASSERT_EQ(found.records.size(), 1U);
  std::size_t position = 0;
  LogRecord::Field field;
  ASSERT_TRUE(found.records[0].next_field(position, field));
  EXPECT_EQ(field.text, "127.0.0.1:80");
  ASSERT_TRUE(found.records[0].next_field(position, field));
  EXPECT_EQ(field.bits, 104U);
  EXPECT_FALSE(found.records[0].next_field(position, field));
}

TEST(LogHistoryLines, AboutNobodyTakeNoPlace) {
  LogHistory history{16};
  history.add(line(1, ConnectionId{}));
  EXPECT_EQ(history.totals().written, 0U);
  EXPECT_THAT(messages(history.about(ConnectionId{}, 50)), IsEmpty());
}

TEST(LogHistoryLines, AreTheNewestUpToTheLimitAndItSaysSo) {
  LogHistory history{16};
  for (int n = 0; n < 5; ++n) history.add(line(n, connection(1)));
  EXPECT_THAT(messages(history.about(connection(1), 2)), ElementsAre("3", "4"));
  EXPECT_TRUE(history.about(connection(1), 2).is_limited);
  EXPECT_FALSE(history.about(connection(1), 5).is_limited);
}

TEST(LogHistoryRing, ForgetsTheOldestAndSaysHowFarItReaches) {
  LogHistory history{4};
  for (int n = 1; n <= 4; ++n) history.add(line(n, connection(1)));
  EXPECT_EQ(history.about(connection(1), 50).forgotten_before, system_clock::time_point{}) << "nothing is missing yet";
  for (int n = 5; n <= 6; ++n) history.add(line(n, connection(2)));
  EXPECT_THAT(messages(history.about(connection(1), 50)), ElementsAre("3", "4"));
  EXPECT_EQ(history.about(connection(2), 50).forgotten_before, system_clock::time_point{milliseconds{3}});
  EXPECT_EQ(history.totals().entries, 4U);
  EXPECT_EQ(history.totals().capacity, 4U);
  EXPECT_EQ(history.totals().written, 6U);
}

TEST(LogHistoryRing, HoldsNoMoreBytesThanItsShareHoweverLongTheLines) {
  constexpr std::size_t kLines = 16;
  LogHistory history{kLines};
  const std::size_t longest = line(1, connection(1), LogRecord::kMaxBytes - 100).used_bytes();
  ASSERT_GT(longest, LogHistory::kBytesPerLine);
  for (int n = 0; n < 100; ++n) history.add(line(n, connection(1), LogRecord::kMaxBytes - 100));
  const std::size_t fit = kLines * LogHistory::kBytesPerLine / longest;
  EXPECT_EQ(history.totals().entries, fit);
  EXPECT_EQ(messages(history.about(connection(1), 50)).back(), "99");
}

TEST(LogHistoryRing, StaysWholeThroughManyRoundsOfEveryLength) {
  LogHistory history{32};
  std::vector<std::string> all;
  for (int n = 0; n < 20'000; ++n) {
    history.add(line(n, connection(1), static_cast<std::size_t>(n * 37 % 900)));
    all.push_back(std::to_string(n));
    const auto found = messages(history.about(connection(1), 100));
    ASSERT_LE(found.size(), 32U);
    ASSERT_GE(found.size(), std::min<std::size_t>(static_cast<std::size_t>(n) + 1, 14));
    ASSERT_TRUE(std::equal(found.rbegin(), found.rend(), all.rbegin())) << n;
  }
}

TEST(LogHistoryRing, OfNoLinesKeepsNone) {
  LogHistory history{0};
  history.add(line(1, connection(1)));
  EXPECT_THAT(messages(history.about(connection(1), 50)), IsEmpty());
  EXPECT_EQ(history.totals().capacity, 0U);
}

TEST(LogHistoryRing, IsReadWhileItIsWritten) {
  LogHistory history{64};
  std::atomic<bool> is_over{false};
  std::thread reader{[&] {
    while (!is_over) {
      const auto found = history.about(connection(1), 50);
      for (std::size_t i = 1; i < found.records.size(); ++i) {
        EXPECT_EQ(found.records[i].at() - found.records[i - 1].at(), milliseconds{1});
      }
    }
  }};
  for (int n = 0; n < 20'000; ++n) history.add(line(n, connection(1), static_cast<std::size_t>(n % 500)));
  is_over = true;
  reader.join();
}

}  // namespace
}  // namespace equinox
