#include "telemetry/latency_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace equinox::telemetry {
namespace {

template <const auto& Edges>
std::size_t searched(std::uint64_t value) {
  return static_cast<std::size_t>(std::lower_bound(Edges.begin(), Edges.end(), value) - Edges.begin());
}

template <const auto& Edges>
void expect_table_agrees_with_search() {
  std::vector<std::uint64_t> values{0, 1, ~std::uint64_t{0}, ~std::uint64_t{0} - 1};
  for (const auto edge : Edges) values.insert(values.end(), {edge - 1, edge, edge + 1});
  for (unsigned bit = 0; bit < 64; ++bit) {
    const auto power = std::uint64_t{1} << bit;
    values.insert(values.end(), {power - 1, power, power + 1});
  }
  std::mt19937_64 random{7};
  for (int i = 0; i < 100'000; ++i) values.push_back(random() >> (random() % 64));
  for (const auto value : values) ASSERT_EQ(BucketTable<Edges>::bucket(value), searched<Edges>(value)) << value;
}

TEST(BucketTable, FindsTheSameBucketAsASearch) {
  expect_table_agrees_with_search<kDurationEdges>();
  expect_table_agrees_with_search<kLifetimeEdges>();
  expect_table_agrees_with_search<kLoopEdges>();
  expect_table_agrees_with_search<kEventsEdges>();
  expect_table_agrees_with_search<kRequestsEdges>();
  expect_table_agrees_with_search<kStreamsEdges>();
  expect_table_agrees_with_search<kSizeEdges>();
  expect_table_agrees_with_search<kRttEdges>();
}

TEST(HistogramCells, KeepBucketsAndSum) {
  DurationCells cells;
  EXPECT_EQ(cells.observe<kDurationEdges>(100'000), 0U);
  EXPECT_EQ(cells.observe<kDurationEdges>(100'001), 1U);
  EXPECT_EQ(cells.observe<kDurationEdges>(11'000'000'000), 19U);
  cells.add_zero();
  DurationValue value;
  cells.add_to(value);
  EXPECT_EQ(value.count(), 4U);
  EXPECT_EQ(value.buckets[0], 2U);
  EXPECT_EQ(value.sum, 11'000'200'001U);
}

TEST(Quantile, InterpolatesInsideItsBucket) {
  const std::array<std::uint64_t, 2> edges{10, 20};
  const std::array<std::uint64_t, 3> buckets{10, 10, 0};
  EXPECT_DOUBLE_EQ(quantile(0.5, edges, buckets), 10);
  EXPECT_DOUBLE_EQ(quantile(0.75, edges, buckets), 15);
  const std::array<std::uint64_t, 3> above{0, 0, 5};
  EXPECT_DOUBLE_EQ(quantile(0.5, edges, above), 20);
  const std::array<std::uint64_t, 3> nothing{};
  EXPECT_DOUBLE_EQ(quantile(0.5, edges, nothing), 0);
}

}  // namespace
}  // namespace equinox::telemetry
