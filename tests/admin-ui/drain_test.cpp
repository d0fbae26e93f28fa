// What a drain would have to wait for, and for how long.

#include <gtest/gtest.h>

#include "admin-ui/fake_view.hpp"

namespace equinox::admin {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

class Drain : public testing::Test {
 protected:
  Drain() {
    surface.view.facts.drain_timeout_ns = 25 * kSecond;
    // Usual requests take up to a tenth of a second.
    SeriesPoint point;
    point.recorded = true;
    point.at_wall_ns = Moment::now().wall_ns - kSecond;
    const auto bucket = std::upper_bound(kDurationEdges.begin(), kDurationEdges.end(), 60'000'000U);
    point.duration[index_of(Protocol::http11)][static_cast<std::size_t>(bucket - kDurationEdges.begin())] = 100;
    surface.view.points.push_back(point);
  }
  ConnectionId add(std::uint32_t n, ConnectionState state, DeadlineKind deadline, double silent,
                   std::uint32_t pending = 0) {
    return surface.view.add(n, [&](ConnectionRecord& record) {
      const Moment now = Moment::now();
      record.hot.state = state;
      record.hot.deadline = deadline;
      record.hot.deadline_due_ns = now.steady_ns + 40 * kSecond;
      record.hot.last_active_ns = now.steady_ns - static_cast<std::int64_t>(silent * 1e9);
      record.hot.pending_bytes = pending;
      record.hot.requests = 1;
      record.hot.route = 2;
      record.cold.target_request = 1;
    });
  }
  Json preview() { return surface.act(Method::post, "/drain", {{"dry_run", true}}).json(); }

  Surface surface;
};

TEST_F(Drain, OfNobodyTakesItsDelay) {
  EXPECT_EQ(preview()["estimate_seconds"], 0.0);
  surface.view.facts.drain_delay_ns = 5 * kSecond;
  EXPECT_EQ(preview()["estimate_seconds"], 5.0);
}

TEST_F(Drain, GivesIdleConnectionsTheirSecond) {
  add(1, ConnectionState::idle, DeadlineKind::idle, 30);
  const Json seen = preview();
  EXPECT_EQ(seen["estimate_seconds"], 1.0);
  EXPECT_TRUE(seen["no_estimate"].is_null());
  EXPECT_TRUE(seen["holders"].empty());
}

TEST_F(Drain, HasNoEstimateForAClientThatTakesNothing) {
  const ConnectionId id = add(1, ConnectionState::writing, DeadlineKind::write, 12, 19'000'000);
  surface.view.totals.totals.requests_started[0][0] = 1;
  const Json seen = preview();
  EXPECT_TRUE(seen["estimate_seconds"].is_null());
  EXPECT_EQ(seen["no_estimate"], "a client takes nothing");
  const Json& holder = seen["holders"][0];
  EXPECT_EQ(holder["id"], to_string(id));
  EXPECT_EQ(holder["waiting_for"], "the client to read what is ready");
  EXPECT_EQ(holder["left_bytes"], 19'000'000);
  EXPECT_EQ(holder["target"], "/api/items/1?key=***") << "as everywhere, without values";
  EXPECT_TRUE(holder["estimate_seconds"].is_null());
  EXPECT_TRUE(surface.get("/status").json()["overview"]["drain_estimate_seconds"].is_null());
}

TEST_F(Drain, CountsOnTheSpeedOfAClientThatReads) {
  const ConnectionId id = add(1, ConnectionState::writing, DeadlineKind::write, 0, 5'000'000);
  Moment now = Moment::now();
  static_cast<void>(preview());  // asks for rates
  surface.state->rates.look(surface.view, now);
  surface.view.change(id, [](ConnectionRecord& record) { record.hot.sent_bytes += 1'000'000; });
  now.steady_ns += kSecond;
  surface.state->rates.look(surface.view, now);
  EXPECT_EQ(preview()["estimate_seconds"], 5.0);
  surface.view.change(id, [](ConnectionRecord& record) { record.hot.pending_bytes = 90'000'000; });
  EXPECT_EQ(preview()["estimate_seconds"], 25.0) << "the timeout cuts it";
}

TEST_F(Drain, EndsAHandlerThatIsLongerThanUsualWithItsDeadline) {
  add(1, ConnectionState::handling, DeadlineKind::handler, 0);
  EXPECT_EQ(preview()["estimate_seconds"], 1.0) << "as usual, within the second of the idle";
  surface.view.facts.drain_timeout_ns = 100 * kSecond;
  add(2, ConnectionState::handling, DeadlineKind::handler, 20);
  EXPECT_NEAR(preview()["estimate_seconds"].get<double>(), 40, 0.2);
}

TEST_F(Drain, NamesWhatItsHoldersWaitForWhileItRuns) {
  surface.view.facts.drain = DrainState::draining;
  surface.view.facts.drain_started_wall_ns = Moment::now().wall_ns - 3 * kSecond;
  const std::vector<std::pair<DeadlineKind, std::string>> expected{
      {DeadlineKind::body, "the client's upload, the rest of a request body"},
      {DeadlineKind::write, "the client to read what is ready"},
      {DeadlineKind::handler, "the handler of /api/items/{id}"},
      {DeadlineKind::head, "the rest of a request head"}};
  for (const auto& [deadline, words] : expected) {
    const ConnectionId id = add(1, ConnectionState::draining, deadline, 5);
    const Json drain = surface.get("/status").json()["drain"];
    ASSERT_EQ(drain["holders"].size(), 1U);
    EXPECT_EQ(drain["holders"][0]["waiting_for"], words);
    EXPECT_EQ(drain["delay_left_seconds"], 0.0);
    EXPECT_EQ(surface.get("/connection/" + to_string(id)).json()["waiting_for"]["sentence"], words);
    surface.view.close(id);
  }
}

TEST_F(Drain, AClosingConnectionWaitsForItsBytesFirst) {
  const auto sentence = [this](ConnectionId id) {
    return surface.get("/connection/" + to_string(id)).json()["waiting_for"]["sentence"];
  };
  EXPECT_EQ(sentence(add(1, ConnectionState::closing, DeadlineKind::write, 5, 3'000'000)),
            "the client to take what is left");
  EXPECT_EQ(sentence(add(2, ConnectionState::closing, DeadlineKind::none, 5)), "the client to close as well");
}

TEST_F(Drain, TellsWhatIsLeftOfItsDelay) {
  EXPECT_TRUE(preview()["delay_left_seconds"].is_null());
  surface.view.facts.drain = DrainState::delay;
  surface.view.facts.drain_delay_ns = 6 * kSecond;
  surface.view.facts.drain_started_wall_ns = Moment::now().wall_ns - 2 * kSecond;
  EXPECT_NEAR(surface.get("/status").json()["drain"]["delay_left_seconds"].get<double>(), 4, 0.2);
}

}  // namespace
}  // namespace equinox::admin
