// An event stream that goes on where another one ended.

#include <gtest/gtest.h>

#include <algorithm>

#include "admin-ui/event_listener.hpp"

namespace equinox::admin {
namespace {

std::string id_of(std::int64_t second, std::uint64_t change) {
  return "boot-1/" + std::to_string(second) + "/" + std::to_string(change);
}

/// Of the first event in the text.
std::string first_id(const std::string& text) {
  const std::size_t at = text.find("\nid: ") + 5;
  return text.substr(at, text.find('\n', at) - at);
}

/// Of the last event in the text.
std::string last_id(const std::string& text) {
  const std::size_t at = text.rfind("\nid: ") + 5;
  return text.substr(at, text.find('\n', at) - at);
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void record_seconds(FakeView& view, std::int64_t from, std::int64_t to) {
  for (std::int64_t second = from; second < to; ++second) {
    SeriesPoint point;
    point.recorded = true;
    point.at_wall_ns = second * kSecondNs;
    view.points.push_back(std::move(point));
  }
}

TEST(Events, ResumeWithTheChangesThatWereMissed) {
  Surface surface;
  surface.state->changes.add(Moment::now(), "start", "one");
  surface.state->changes.add(Moment::now(), "reload", "two");
  Listener listener{surface, "boot-1/" + std::to_string(Moment::now().wall_ns / 1'000'000'000) + "/1"};
  EXPECT_EQ(data_of(listener.said(), "hello")["resumed"], true);
  surface.state->tick(after(1000), true);
  const std::string said = listener.said();
  EXPECT_NE(said.find("\"text\":\"two\""), std::string::npos);
  EXPECT_EQ(said.find("\"text\":\"one\""), std::string::npos);
  Listener other{surface, "boot-0/1/1"};
  EXPECT_EQ(data_of(other.said(), "hello")["resumed"], false);
}

TEST(Events, AreNotResumedWhenChangesWereLost) {
  Surface surface;
  for (int n = 0; n < 100; ++n) surface.state->changes.add(Moment::now(), "reload", "again");
  const std::string now = "boot-1/" + std::to_string(Moment::now().wall_ns / 1'000'000'000) + "/";
  Listener lost{surface, now + "3"};
  EXPECT_EQ(data_of(lost.said(), "hello")["resumed"], false);
  Listener whole{surface, now + "99"};
  EXPECT_EQ(data_of(whole.said(), "hello")["resumed"], true);
}

TEST(Events, HelloDoesNotClaimWhatIsYetToCome) {
  Surface surface;
  const std::int64_t now = Moment::now().wall_ns / kSecondNs;
  record_seconds(surface.view, now - 100, now);
  surface.state->changes.add(Moment::now(), "start", "one");
  surface.state->changes.add(Moment::now(), "reload", "two");
  // It breaks off after the first event, and again: what was missed is still missing.
  std::string id = id_of(now - 50, 1);
  for (int attempt = 0; attempt < 3; ++attempt) {
    Listener cut{surface, id};
    id = first_id(cut.said());
    EXPECT_EQ(id, id_of(now - 50, 1));
  }
  Listener listener{surface, id};
  listener.said();
  surface.state->tick(after(0), true);
  const std::string said = listener.said();
  EXPECT_EQ(count_of(said, "event: series"), 49U);
  EXPECT_NE(said.find("\"text\":\"two\""), std::string::npos);
  EXPECT_EQ(last_id(said), id_of(now - 1, surface.state->changes.last()));
}

TEST(Events, ResumeAsFarBackAsTheSeriesReach) {
  Surface surface;
  const std::int64_t now = Moment::now().wall_ns / kSecondNs;
  record_seconds(surface.view, now - 900, now);
  Listener listener{surface, id_of(now - 701, 0)};
  const Json hello = data_of(listener.said(), "hello");
  EXPECT_EQ(hello["resumed"], true);
  EXPECT_EQ(hello["missed_seconds"], 0.0);
  std::string said;
  for (int tick = 0; tick < 20; ++tick) {
    surface.state->tick(after(0), true);
    said += listener.said();
  }
  EXPECT_EQ(count_of(said, "event: series"), 700U);
  for (const std::int64_t second : {now - 700, now - 350, now - 1}) {
    EXPECT_NE(said.find("\"at\":" + std::to_string(second) + ".0"), std::string::npos) << second - now;
  }
  const Json late = data_of(Listener{surface, id_of(now - 951, 0)}.said(), "hello");
  EXPECT_EQ(late["resumed"], false);
  EXPECT_EQ(late["missed_seconds"], 50.0);
}

TEST(Events, SecondsThatWereNeverRecordedAreMissed) {
  Surface surface;
  const std::int64_t now = Moment::now().wall_ns / kSecondNs;
  record_seconds(surface.view, now - 60, now - 30);
  // The process goes on after a pause, and has not yet recorded anything again.
  const Json woken = data_of(Listener{surface, id_of(now - 40, 0)}.said(), "hello");
  EXPECT_EQ(woken["resumed"], false);
  EXPECT_GE(woken["missed_seconds"], 29);
  EXPECT_LE(woken["missed_seconds"], 31);
  record_seconds(surface.view, now - 10, now);
  const Json hello = data_of(Listener{surface, id_of(now - 40, 0)}.said(), "hello");
  EXPECT_EQ(hello["resumed"], false);
  EXPECT_EQ(hello["missed_seconds"], 20);
  const Json after = data_of(Listener{surface, id_of(now - 9, 0)}.said(), "hello");
  EXPECT_EQ(after["resumed"], true);
  EXPECT_EQ(after["missed_seconds"], 0);
}

TEST(Events, NobodyMissesWhatWasNotAskedFor) {
  Surface surface;
  const std::int64_t now = Moment::now().wall_ns / kSecondNs;
  record_seconds(surface.view, now - 10, now);
  Listener listener{surface, {}, "overview"};
  listener.said();
  record_seconds(surface.view, now, now + 5);
  surface.state->changes.add(Moment::now(), "reload", "one");
  surface.state->tick(after(5000), true);
  listener.said();
  surface.state->tick(after(6000), true);
  EXPECT_EQ(last_id(listener.said()), id_of(now + 4, surface.state->changes.last()));
}

TEST(Events, GoOnWithTheSeriesAfterTheWallClockWasSetBack) {
  Surface surface;
  const std::int64_t now = Moment::now().wall_ns / kSecondNs;
  record_seconds(surface.view, now + 3590, now + 3600);
  Listener listener{surface};
  listener.said();
  surface.view.points.clear();
  record_seconds(surface.view, now - 1, now);
  surface.state->tick(after(0), true);
  EXPECT_EQ(count_of(listener.said(), "event: series"), 1U);
  record_seconds(surface.view, now, now + 1);
  surface.state->tick(after(1000), true);
  EXPECT_EQ(count_of(listener.said(), "event: series"), 1U);
}

TEST(Events, AreKeptAwakeSoThatAClosedOneIsNoticed) {
  Surface surface;
  Listener listener{surface, {}, "jobs"};
  listener.said();
  surface.state->tick(after(4000), true);
  EXPECT_EQ(listener.said(), "");
  surface.state->tick(after(5500), true);
  EXPECT_EQ(listener.said(), ": still here\n\n");
}

}  // namespace
}  // namespace equinox::admin
