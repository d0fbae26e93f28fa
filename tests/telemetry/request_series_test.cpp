#include "telemetry/request_series.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace equinox::telemetry {
namespace {

SeriesKey key_of(int route, int status = 200) {
  SeriesKey key;
  key.route = static_cast<RouteId>(route);
  key.status = static_cast<std::uint16_t>(status);
  key.version = 1;
  return key;
}

std::uint64_t counted(const SeriesDirectory& directory, const RequestSeriesCells& cells, SeriesKey key) {
  for (std::size_t slot = 0; slot < directory.capacity(); ++slot) {
    if (directory.key_at(slot) != key.packed()) continue;
    DurationValue value;
    cells.add_to(slot, value);
    return value.count();
  }
  return 0;
}

TEST(SeriesKey, SurvivesPacking) {
  const SeriesKey key{513, 9, 599, 2, 1, ErrorType::protocol};
  const auto again = SeriesKey::unpack(key.packed());
  EXPECT_EQ(again.packed(), key.packed());
  EXPECT_EQ(again.route, 513);
  EXPECT_EQ(again.method, 9);
  EXPECT_EQ(again.status, 599);
  EXPECT_EQ(again.version, 2);
  EXPECT_EQ(again.scheme, 1);
  EXPECT_EQ(again.error, ErrorType::protocol);
}

TEST(RequestSeries, CountsEachCombinationApart) {
  SeriesDirectory directory{150};
  RequestSeriesCells cells{directory};
  cells.observe(key_of(2), 1000, 0);
  cells.observe(key_of(3), 1000, 0);
  cells.observe(key_of(2), 1000, 0);
  EXPECT_EQ(counted(directory, cells, key_of(2)), 2U);
  EXPECT_EQ(counted(directory, cells, key_of(3)), 1U);
  EXPECT_EQ(counted(directory, cells, key_of(4)), 0U);
}

TEST(RequestSeries, FoldsIntoOtherPastTheBudget) {
  SeriesDirectory directory{3};
  RequestSeriesCells cells{directory};
  for (int route = 2; route < 5; ++route) EXPECT_FALSE(cells.observe(key_of(route), 1, 0).folded);
  for (int route = 5; route < 50; ++route) EXPECT_TRUE(cells.observe(key_of(route), 1, 0).folded);
  EXPECT_EQ(counted(directory, cells, key_of(kRouteOther)), 45U);
  EXPECT_FALSE(cells.observe(key_of(2), 1, 0).folded);
  EXPECT_EQ(directory.size(), 4U);
}

TEST(RequestSeries, ANameTooManyIsFoldedThoughTheBudgetHasRoom) {
  SeriesDirectory directory{150};
  RequestSeriesCells cells{directory};
  EXPECT_TRUE(cells.observe(key_of(kRouteOther), 1, 0).folded);
  EXPECT_TRUE(cells.observe(key_of(kRouteOther), 1, 0).folded) << "not only the first time";
  EXPECT_EQ(counted(directory, cells, key_of(kRouteOther)), 2U);
}

TEST(RequestSeries, OfUnmatchedPathsAreNotFoldedWithRoutesThatAreTooMany) {
  SeriesDirectory directory{3};
  RequestSeriesCells cells{directory};
  for (int route = 2; route < 50; ++route) cells.observe(key_of(route), 1, 0);
  EXPECT_FALSE(cells.observe(key_of(kRouteUnmatched, 404), 1, 0).folded);
  EXPECT_FALSE(cells.observe(key_of(kRouteUnmatched, 405), 1, 0).folded);
  EXPECT_EQ(counted(directory, cells, key_of(kRouteUnmatched, 404)), 1U);
  EXPECT_EQ(counted(directory, cells, key_of(kRouteOther)), 45U);
  std::size_t own = 0;
  for (int status = 400; status < 600; ++status) {
    own += cells.observe(key_of(kRouteUnmatched, status), 1, 0).folded ? 0 : 1;
  }
  EXPECT_EQ(own, 30U) << "and they are bounded";
}

TEST(RequestSeries, StayBoundedWhateverTheStatusCodes) {
  SeriesDirectory directory{3};
  RequestSeriesCells cells{directory};
  std::uint64_t sent = 0;
  for (int status = 0; status < 600; ++status) {
    for (int route = 2; route < 6; ++route, ++sent) cells.observe(key_of(route, status), 1, 0);
  }
  EXPECT_LE(directory.size(), 3U + 60U + 6U);
  std::uint64_t total = 0;
  for (std::size_t slot = 0; slot < directory.capacity(); ++slot) {
    DurationValue value;
    cells.add_to(slot, value);
    total += value.count();
  }
  EXPECT_EQ(total, sent);
}

TEST(RequestSeries, AreTheSameForReactorsThatRace) {
  SeriesDirectory directory{40};
  RequestSeriesCells first{directory};
  RequestSeriesCells second{directory};
  const auto fill = [](RequestSeriesCells& cells) {
    for (int round = 0; round < 2000; ++round) cells.observe(key_of(2 + round % 60), 1, 0);
  };
  std::thread one{fill, std::ref(first)};
  std::thread two{fill, std::ref(second)};
  one.join();
  two.join();
  std::set<std::uint64_t> keys;
  std::uint64_t total = 0;
  for (std::size_t slot = 0; slot < directory.capacity(); ++slot) {
    if (directory.key_at(slot) == 0) continue;
    EXPECT_TRUE(keys.insert(directory.key_at(slot)).second);
    DurationValue value;
    first.add_to(slot, value);
    second.add_to(slot, value);
    total += value.count();
  }
  EXPECT_EQ(total, 4000U);
  EXPECT_LE(keys.size(), 41U);
}

}  // namespace
}  // namespace equinox::telemetry
