// What lists and series say about the time they cover.

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

}  // namespace
}  // namespace equinox::admin
