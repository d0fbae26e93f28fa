#include "handlers/status.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "handlers/request_maker.hpp"

namespace equinox::handlers {
namespace {

using namespace std::chrono_literals;

/// A view that says what it was told.
class FixedView : public ServerView {
 public:
  LiveFacts facts;
  std::vector<ReactorFacts> turning;
  ServerSnapshot totals;

  [[nodiscard]] ServerIdentity identity() const override {
    ServerIdentity out;
    out.version = "1.2.3";
    return out;
  }
  [[nodiscard]] LiveFacts live() const override { return facts; }
  [[nodiscard]] ServerSnapshot snapshot() const override { return totals; }
  [[nodiscard]] std::vector<std::string> route_names() const override { return {}; }
  [[nodiscard]] std::vector<std::string> listener_names() const override { return {}; }
  [[nodiscard]] std::size_t reactor_count() const override { return turning.size(); }
  void for_each_record(const Visitor<ConnectionRecord>&) const override {}
  [[nodiscard]] std::uint32_t record_extent(std::size_t) const override { return 0; }
  [[nodiscard]] std::optional<ConnectionRecord> record_at(std::size_t, std::uint32_t) const override { return {}; }
  [[nodiscard]] std::optional<ConnectionRecord> record(ConnectionId) const override { return {}; }
  void closed(const Visitor<ClosedRecord>&) const override {}
  void slow_requests(const Visitor<RequestRecord>&) const override {}
  void sampled_requests(const Visitor<RequestRecord>&) const override {}
  void recent_requests(const Visitor<RequestRecord>&) const override {}
  void stalls(const Visitor<StallRecord>&) const override {}
  [[nodiscard]] std::vector<StateChange> timeline(ConnectionId, std::size_t) const override { return {}; }
  [[nodiscard]] std::int64_t timeline_reach_wall_ns(std::size_t) const override { return 0; }
  [[nodiscard]] std::vector<ReactorFacts> reactors() const override { return turning; }
  [[nodiscard]] std::vector<SeriesPoint> series(std::int64_t) const override { return {}; }
};

int code(const SyncHandler& handler) { return handler(RequestMaker{"/"}.make()).status().code(); }

TEST(Status, DescribesTheServerAsJson) {
  FixedView view;
  view.facts.ready = true;
  view.totals.listeners.resize(1);
  view.totals.listeners[0].open[index_of(Protocol::http11)][0] = 3;
  Response response = status(view)(RequestMaker{"/api/status"}.make());
  EXPECT_EQ(response.content_type(), "application/json");
  const auto json = nlohmann::json::parse(body_of(response));
  EXPECT_EQ(json["status"], "ok");
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["connections"], 3);
  EXPECT_EQ(json["connections_by_protocol"]["http/1.1"], 3);
  EXPECT_EQ(json["connections_by_protocol"]["h2"], 0);
  EXPECT_TRUE(json["uptime_seconds"].is_number());
  EXPECT_TRUE(json["requests"].is_number());
}

TEST(Health, ReadinessFallsWhileStartingAndDraining) {
  FixedView view;
  EXPECT_EQ(code(readyz(view)), 503);
  view.facts.ready = true;
  EXPECT_EQ(code(readyz(view)), 200);
  view.facts.drain = DrainState::delay;
  EXPECT_EQ(code(readyz(view)), 503);
}

TEST(Health, LivenessFallsOnlyWhenAReactorStopsTurning) {
  FixedView view;
  view.turning.resize(2);
  view.turning[1].reactor = 1;
  view.turning[1].last_iteration_ns_ago = 30'000'000'000;
  EXPECT_EQ(code(livez(view, 30s)), 200);
  view.turning[1].last_iteration_ns_ago += 1;
  EXPECT_EQ(code(livez(view, 30s)), 503);
}

}  // namespace
}  // namespace equinox::handlers
