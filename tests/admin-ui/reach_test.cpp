// What lists and series say about the time they cover.

#include <dirent.h>
#include <gtest/gtest.h>

#include "admin-ui/api/series.hpp"
#include "admin-ui/fake_view.hpp"

namespace equinox::admin {
namespace {

void record_seconds(FakeView& view, std::int64_t from, std::int64_t to) {
  for (std::int64_t second = from; second < to; ++second) {
    SeriesPoint point;
    point.recorded = true;
    point.at_wall_ns = second * kSecondNs;
    point.requests = 1;
    view.points.push_back(std::move(point));
  }
}

Json series_at(const FakeView& view, std::int64_t second, std::int64_t into_second_ns) {
  RequestHead head;
  head.query = "names=requests";
  const RequestContext context;
  const Request request{head, context, "", {}};
  Moment now = Moment::now();
  now.wall_ns = second * kSecondNs + into_second_ns;
  return series_json(view, request, now);
}

TEST(Series, EndWithTheNewestSecondThatIsClosed) {
  FakeView view;
  constexpr std::int64_t kNow = 1'700'000'000;
  record_seconds(view, kNow - 50, kNow - 1);
  // The second before this one is closed some milliseconds from now, and will come by the event stream.
  const Json before = series_at(view, kNow, 2'000'000);
  EXPECT_EQ(before["start_at"].get<std::int64_t>() + before["points"].get<std::int64_t>(), kNow - 1);
  EXPECT_EQ(before["series"]["requests"].back(), 1);
  record_seconds(view, kNow - 1, kNow);
  const Json after = series_at(view, kNow, 6'000'000);
  EXPECT_EQ(after["start_at"].get<std::int64_t>() + after["points"].get<std::int64_t>(), kNow);
  EXPECT_EQ(after["series"]["requests"].back(), 1);
}

TEST(Series, SayFromWhenToWhenTheyMayBeAskedFor) {
  Surface surface;
  const Got got = surface.get("/series", "names=requests&since=99999999999");
  EXPECT_EQ(got.status, 400);
  EXPECT_NE(got.text.find("since must be a number from -9000000000 to 9000000000"), std::string::npos) << got.text;
}

TEST(Rings, ReachAsFarAsTheirBusiestPart) {
  Surface surface;
  surface.view.close(surface.view.add(1));
  RingTotals ring{10, 20, 30, 1'000 * kSecondNs, 2'000 * kSecondNs};
  auto& totals = surface.view.totals;
  totals.ring_closed = totals.ring_slow = totals.ring_stalls = totals.ring_timeline = totals.ring_recent = ring;
  EXPECT_EQ(surface.get("/closed").json()["oldest_at"], 2000.0);
  EXPECT_EQ(surface.get("/requests/slow").json()["oldest_at"], 2000.0);
  EXPECT_EQ(surface.get("/stalls").json()["oldest_at"], 2000.0);
  ring.whole_from_wall_ns = 1'500 * kSecondNs;
  totals.ring_samples = ring;
  ring.whole_from_wall_ns = 1'200 * kSecondNs;
  totals.ring_cells = ring;
  totals.ring_log = RingTotals{3, 20, 3, 0, 0};
  Json rings = surface.get("/status").json()["rings"];
  for (const char* name : {"closed", "slow", "stalls", "recent", "events"}) {
    EXPECT_EQ(rings[name]["oldest_at"], 2000.0) << name;
  }
  EXPECT_EQ(rings["samples"]["oldest_at"], 1200.0) << "the longer of the two rings of a cell";
  EXPECT_EQ(rings["log"]["oldest_at"], seconds(surface.view.identity().started_wall_ns)) << "nothing is forgotten";
  surface.view.excerpt.from_wall_ns = 3'000 * kSecondNs;
  EXPECT_EQ(surface.get("/status").json()["rings"]["log"]["oldest_at"], 3000.0);
}

TEST(Routes, QuantilesOfFoldedRoutesAreNobodys) {
  Surface surface;
  auto& totals = surface.view.totals;
  totals.routes[2].finished = 3;
  totals.routes[3].finished = 2;  // its durations are in _other
  totals.requests.resize(2);
  totals.requests[0].route = 2;
  totals.requests[0].duration.buckets[4] = 3;
  totals.requests[1].route = kRouteOther;
  totals.requests[1].duration.buckets[5] = 2;
  const auto row = [&surface](std::size_t route) { return surface.get("/routes").json()["rows"][route]; };
  EXPECT_TRUE(row(2)["p50_seconds"].is_number());
  EXPECT_TRUE(row(3)["p50_seconds"].is_null());
  EXPECT_TRUE(row(kRouteOther)["p50_seconds"].is_null()) << "it has no requests of its own";
  EXPECT_TRUE(row(kRouteOther)["p99_seconds"].is_null());
  totals.routes[kRouteOther].finished = 1;
  EXPECT_TRUE(row(kRouteOther)["p50_seconds"].is_number());
}

TEST(Process, DoesNotCountTheDescriptorsItIsCountedWith) {
  Surface surface;
  DIR* const directory = ::opendir("/proc/self/fd");
  ASSERT_NE(directory, nullptr);
  std::uint64_t open = 0;  // with the directory's own
  while (const dirent* entry = ::readdir(directory)) open += entry->d_name[0] != '.' ? 1 : 0;
  const Json process = surface.get("/status").json()["process"];
  ::closedir(directory);
  EXPECT_EQ(process["open_fds"], open);
}

}  // namespace
}  // namespace equinox::admin
