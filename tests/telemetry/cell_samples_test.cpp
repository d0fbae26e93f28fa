// Every cell of the latency map that counted a request has one to show, whatever the load and the configured rings.
#include "telemetry/cell_samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "telemetry/server_telemetry.hpp"

namespace equinox::telemetry {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kStep = LatencyMap::kStepSeconds;
constexpr std::int64_t kBegin = 1'700'000'010;  // Unix seconds; where a step begins
static_assert(kBegin % kStep == 0);

/// In the middle of a bucket.
std::int64_t value_in(std::size_t bucket) {
  if (bucket == kDurationEdges.size()) return static_cast<std::int64_t>(kDurationEdges.back()) + kSecond;
  const auto below = bucket == 0 ? 0 : kDurationEdges[bucket - 1];
  return static_cast<std::int64_t>((below + kDurationEdges[bucket]) / 2);
}

std::size_t bucket_of(std::int64_t ns) {
  return ns <= 0 ? 0 : BucketTable<kDurationEdges>::bucket(static_cast<std::uint64_t>(ns));
}

/// A request that lies in this bucket of one measure, and in the first of the others.
RequestSample request_in(std::size_t measure, std::size_t bucket, ReactorIndex reactor, std::int64_t wall_ns) {
  RequestSample out;
  out.route = kFirstRoute;
  out.status = 200;
  out.wall_ns = wall_ns;
  out.connection = ConnectionId::make(reactor, 1, 1);
  out.protocol = Protocol::http11;
  out.first_byte_ns = 0;
  const auto value = value_in(bucket);
  if (measure == 0) out.total_ns = value;
  if (measure == 1) out.first_byte_ns = value;
  if (measure == 2) out.phases_ns[index_of(RequestPhase::queue)] = value;
  if (measure == 3) out.phases_ns[index_of(RequestPhase::handler)] = value;
  return out;
}

std::size_t bucket_in(const RequestRecord& record, std::size_t measure) {
  if (measure == 0) return bucket_of(record.total_ns);
  if (measure == 1) return bucket_of(record.first_byte_ns);
  return bucket_of(record.phases_ns[index_of(measure == 2 ? RequestPhase::queue : RequestPhase::handler)]);
}

std::int64_t ended_second(const RequestRecord& record) { return (record.started_wall_ns + record.total_ns) / kSecond; }

struct MapTest : testing::Test {
  static TelemetryOptions options() {
    TelemetryOptions out;
    out.reactors = kReactors;
    out.connections_per_reactor = 10;
    out.samples = 16;  // what is configured is as small as it may be
    out.recent = 16;
    return out;
  }
  void finish(std::size_t measure, std::size_t bucket, ReactorIndex reactor, std::int64_t second) {
    telemetry.reactor(reactor).request_finished(request_in(measure, bucket, reactor, second * kSecond));
  }
  /// Everything at once: each reactor meets each bucket of each measure in each second, twice.
  void saturate(std::int64_t from, std::int64_t seconds) {
    for (auto second = from; second < from + seconds; ++second) {
      for (ReactorIndex reactor = 0; reactor < kReactors; ++reactor) {
        for (std::size_t n = 0; n < 2 * LatencyMap::kMeasures * LatencyMap::kBuckets; ++n) {
          finish(n % LatencyMap::kMeasures, n / LatencyMap::kMeasures % LatencyMap::kBuckets, reactor, second);
        }
      }
    }
  }

  static constexpr ReactorIndex kReactors = 2;
  ManualClock clock;
  ServerTelemetry telemetry{options(), {"boot", "host", "traffic", "1", 0, 0}, {"http"}, clock.clock()};
};

TEST_F(MapTest, EveryCellOfTheLastFifteenMinutesHasASampleOfEachReactor) {
  constexpr std::int64_t kLong = 2 * LatencyMap::kReachSeconds;
  saturate(kBegin, kLong + kStep / 2);  // the newest step still runs
  std::set<std::tuple<ReactorIndex, std::int64_t, std::size_t, std::size_t>> seen;
  std::set<std::pair<ReactorIndex, std::int64_t>> last_seconds;
  telemetry.sampled_requests([&](const RequestRecord& record) {
    const auto second = ended_second(record);
    const auto reactor = record.connection_id().reactor();
    for (std::size_t measure = 0; measure < LatencyMap::kMeasures; ++measure) {
      seen.emplace(reactor, second / kStep, measure, bucket_in(record, measure));
    }
    if (second % kStep == kStep - 1) last_seconds.emplace(reactor, second);
    return true;
  });
  const auto newest = (kBegin + kLong) / kStep;
  for (auto step = newest - LatencyMap::kReachSeconds / kStep + 1; step <= newest; ++step) {
    for (ReactorIndex reactor = 0; reactor < kReactors; ++reactor) {
      for (std::size_t measure = 0; measure < LatencyMap::kMeasures; ++measure) {
        for (std::size_t bucket = 0; bucket < LatencyMap::kBuckets; ++bucket) {
          ASSERT_TRUE(seen.contains({reactor, step, measure, bucket}))
              << "reactor " << int{reactor} << ", " << newest - step << " steps ago, measure " << measure << ", bucket "
              << bucket;
        }
      }
      EXPECT_TRUE(last_seconds.contains({reactor, step * kStep - 1})) << "what the step may count of the second before";
    }
  }
}

TEST_F(MapTest, TheRingIsAsLongAsItsCellsCanAskForAndNoLonger) {
  saturate(kBegin, LatencyMap::kReachSeconds);
  const auto cells = telemetry.snapshot().ring_cells;
  EXPECT_EQ(cells.capacity, kReactors * LatencyMap::kSamplesPerReactor);
  EXPECT_EQ(cells.entries, cells.written) << "nothing of the last 15 minutes was overwritten";
  EXPECT_GT(cells.entries, cells.capacity * 9 / 10) << "and the worst case needs the room";
}

TEST_F(MapTest, ARareRequestOutlivesTheConfiguredRing) {
  finish(0, 12, 0, kBegin);
  for (std::int64_t second = 0; second < 200; ++second) {
    for (std::size_t bucket = 0; bucket < 6; ++bucket) finish(0, bucket, 0, kBegin + second);
  }
  int found = 0;
  telemetry.sampled_requests([&](const RequestRecord& record) {
    found += record.bucket == 12 ? 1 : 0;
    return true;
  });
  EXPECT_EQ(found, 1);
  const auto configured = telemetry.snapshot().ring_samples;
  EXPECT_GT(configured.written, configured.capacity) << "which has wrapped";
}

TEST(CellSamples, ChoosesTheFirstOfAStepOneOfItsLastSecondAndTheFirstOfOthers) {
  CellSamples samples{16, 16};
  const auto choose = [&](std::int64_t second) { return samples.choose({0, {5, 0, 0, 0}}, true, second); };
  EXPECT_EQ(choose(kBegin + 2), CellSamples::Keep::step);
  EXPECT_EQ(choose(kBegin + 2), CellSamples::Keep::no);
  EXPECT_EQ(choose(kBegin + 3), CellSamples::Keep::second);
  EXPECT_EQ(choose(kBegin + kStep - 1), CellSamples::Keep::step);
  EXPECT_EQ(choose(kBegin + kStep - 1), CellSamples::Keep::no);
  EXPECT_EQ(choose(kBegin + kStep), CellSamples::Keep::step);
}

TEST(CellSamples, ARequestWithoutAFirstByteIsInNoCellOfThatMeasure) {
  CellSamples samples{16, 16};
  EXPECT_EQ(samples.choose({0, {5, 0, 0, 0}}, false, kBegin), CellSamples::Keep::step);
  EXPECT_EQ(samples.choose({0, {5, 0, 0, 0}}, false, kBegin), CellSamples::Keep::no);
  EXPECT_EQ(samples.choose({0, {5, 0, 0, 0}}, true, kBegin), CellSamples::Keep::step) << "the first with one";
}

}  // namespace
}  // namespace equinox::telemetry
