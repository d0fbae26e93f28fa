#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <set>

#include "admin-ui/api/selection.hpp"
#include "admin-ui/fake_view.hpp"

namespace equinox::admin {
namespace {

Json asked(Surface& surface, const Json& body) {
  const Got got = surface.act(Method::post, "/connections/query", body);
  EXPECT_EQ(got.status, 200) << got.text;
  return got.json();
}

TEST(Connections, ListsTheFirstPageInOneCall) {
  Surface surface;
  surface.view.add_many(1000);
  const Json page = surface.get("/connections", "query=listener:http&sort=received&order=desc&limit=50").json();
  EXPECT_EQ(page["total"], 500);
  ASSERT_EQ(page["rows"].size(), 50U);
  for (std::size_t i = 1; i < 50; ++i) {
    EXPECT_GE(page["rows"][i - 1]["received_bytes"].get<std::uint64_t>(),
              page["rows"][i]["received_bytes"].get<std::uint64_t>());
  }
  for (const char* name : {"id", "peer", "listener", "protocol", "state", "age_seconds", "idle_seconds", "requests",
                           "received_bytes", "sent_bytes", "memory_bytes", "deadline"}) {
    EXPECT_TRUE(page["rows"][0].contains(name)) << name;
  }
}

TEST(Connections, SaysWhichColumnsThereAreWhenAskedForAnother) {
  Surface surface;
  surface.view.add_many(10);
  const Got got = surface.act(Method::post, "/connections/query", {{"query", ""}, {"columns", {"peer", "bogus"}}});
  EXPECT_EQ(got.status, 400);
  EXPECT_NE(got.text.find("bogus"), std::string::npos) << got.text;
  EXPECT_NE(got.text.find("pending_bytes"), std::string::npos) << got.text;
  EXPECT_EQ(asked(surface, {{"query", ""}, {"columns", {"peer", "closed", "rtt_seconds", "id"}}})["total"], 10);
}

TEST(Connections, NameTheLastStreamOfAGoawayOnly) {
  Surface surface;
  surface.view.close(surface.view.add(2));  // h2
  const Json row = surface.get("/closed").json()["rows"][0];
  EXPECT_EQ(row["protocol"], "h2");
  EXPECT_TRUE(row["last_stream_id"].is_null()) << row["last_stream_id"];
}

TEST(Closed, IsReadPageByPageToItsEnd) {
  Surface surface;
  for (std::uint8_t i = 1; i <= 3; ++i) surface.view.close(surface.view.add(i));
  std::vector<std::uint64_t> seen;
  std::string query = "limit=2";
  for (int page = 0; page < 3; ++page) {
    const Json rows = surface.get("/closed", query).json()["rows"];
    for (const Json& row : rows) seen.push_back(row["sequence"]);
    query = "limit=2&before=" + std::to_string(seen.back());
  }
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{3, 2, 1}));
  const Json none = surface.get("/closed", "before=0").json();
  EXPECT_EQ(none["rows"].size(), 0U) << "nothing is older than the first";
  EXPECT_EQ(none["total"], 3);
  EXPECT_EQ(surface.get("/closed").json()["rows"].size(), 3U);
  EXPECT_EQ(surface.get("/closed", "before=").json()["rows"].size(), 3U);
  EXPECT_EQ(surface.get("/closed", "before=-1").status, 400);
}

TEST(Connections, KeepsTheOrderWhileConnectionsComeAndGo) {
  Surface surface;
  surface.view.add_many(3000);
  const Json answer = asked(surface, {{"query", ""}, {"sort", "sent"}, {"order", "asc"}});
  ASSERT_EQ(answer["total"], 3000);
  std::vector<std::string> seen;
  for (std::size_t offset = 0; offset < 3000; offset += 500) {
    // Between the pages some end and others begin.
    surface.view.close(FakeView::made(static_cast<std::uint32_t>(offset + 7)).id, CloseReason::write_stall);
    surface.view.add(static_cast<std::uint32_t>(100'000 + offset));
    const Json page = surface
                          .get("/connections/" + answer["handle"].get<std::string>(),
                               "offset=" + std::to_string(offset) + "&limit=500")
                          .json();
    for (const Json& row : page["rows"]) seen.push_back(row["id"]);
  }
  EXPECT_EQ(seen.size(), 3000U);
  EXPECT_EQ((std::set<std::string>{seen.begin(), seen.end()}).size(), 3000U);
}

TEST(Connections, ShowsWhyARowEndedSinceTheQuery) {
  Surface surface;
  const ConnectionId id = surface.view.add(5);
  const Json answer = asked(surface, {{"query", "id:" + to_string(id)}});
  surface.view.close(id, CloseReason::write_stall);
  const Json page = surface.get("/connections/" + answer["handle"].get<std::string>()).json();
  ASSERT_EQ(page["rows"].size(), 1U);
  EXPECT_EQ(page["rows"][0]["closed"]["reason"], "write_stall");
  const Json detail = surface.get("/connection/" + to_string(id)).json();
  EXPECT_EQ(detail["live"], false);
  EXPECT_EQ(detail["closed"]["reason"], "write_stall");
}

/// A live connection with two lines, as the server writes them.
ConnectionId add_logged(Surface& surface) {
  const ConnectionId id = surface.view.add(5);
  const std::int64_t now = Moment::now().wall_ns;
  surface.view.logged = id;
  surface.view.excerpt.lines = {{now - 2'000'000'000,
                                 LogLevel::info,
                                 "access",
                                 "request",
                                 {{"client", "192.0.2.17"},
                                  {"status", "404"},
                                  {"connection", to_string(id)},
                                  {"target", "/a?token=secret&x"},
                                  {"referer", "https://else.example/?session=secret"}},
                                 false},
                                {now - 1'000'000'000,
                                 LogLevel::warning,
                                 "handler",
                                 "handler threw",
                                 {{"peer", "[2001:db8:1:2::7]:4000"}, {"what", "no such file: /a?token=secret"}},
                                 true}};
  return id;
}

TEST(ConnectionLog, IsToldOfOpenAndOfClosedConnections) {
  Surface surface;
  const ConnectionId id = add_logged(surface);
  const ConnectionId other = surface.view.add(9);
  const Json live = surface.get("/connection/" + to_string(id)).json();
  ASSERT_EQ(live["log"].size(), 2U);
  EXPECT_EQ(live["log"][0]["component"], "access");
  EXPECT_EQ(live["log"][0]["level"], "info");
  EXPECT_EQ(live["log"][0]["fields"][1], (Json{{"name", "status"}, {"value", "404"}}));
  EXPECT_EQ(live["log"][1]["level"], "warn");
  EXPECT_EQ(live["log"][1]["cut"], true);
  EXPECT_LT(live["log"][0]["at"].get<double>(), live["log"][1]["at"].get<double>());
  EXPECT_TRUE(live["log_from_at"].is_null());
  EXPECT_EQ(surface.get("/connection/" + to_string(other)).json()["log"], Json::array());
  surface.view.close(id, CloseReason::handler_abort);
  EXPECT_EQ(surface.get("/connection/" + to_string(id)).json()["log"], live["log"]);
}

TEST(ConnectionLog, SaysFromWhenOnItIsWhole) {
  Surface surface;
  const ConnectionId id = add_logged(surface);
  surface.view.excerpt.from_wall_ns = Moment::now().wall_ns;
  EXPECT_NEAR(surface.get("/connection/" + to_string(id)).json()["log_from_at"].get<double>(),
              seconds(surface.view.excerpt.from_wall_ns), 0.001);
  surface.view.excerpt.from_wall_ns = 1;  // long before it was accepted: nothing of it can be missing
  EXPECT_TRUE(surface.get("/connection/" + to_string(id)).json()["log_from_at"].is_null());
}

TEST(ConnectionLog, IsBounded) {
  Surface surface;
  const ConnectionId id = add_logged(surface);
  surface.view.excerpt.lines.resize(1000);
  EXPECT_EQ(surface.get("/connection/" + to_string(id)).json()["log"].size(), 50U);
}

TEST(ConnectionLog, KeepsToTheRulesOfRedaction) {
  const auto shown = [](Options options) {
    Surface surface{std::move(options)};
    const ConnectionId id = add_logged(surface);
    std::string out;
    const Json detail = surface.get("/connection/" + to_string(id)).json();
    for (const Json& line : detail["log"]) {
      for (const Json& field : line["fields"]) {
        out += field["name"].get<std::string>() + "=" + field["value"].get<std::string>() + "\n";
      }
    }
    return out;
  };
  EXPECT_EQ(shown({}),
            "client=192.0.2.17\nstatus=404\ntarget=/a?token=***&***\nreferer=https://else.example/?session=***\n"
            "peer=[2001:db8:1:2::7]:4000\nwhat=no such file: /a?token=***\n");
  Options open;
  open.show_query_values = true;
  EXPECT_NE(shown(open).find("what=no such file: /a?token=secret\n"), std::string::npos);
  Options truncated;
  truncated.truncate_client_address = true;
  const std::string cut = shown(truncated);
  EXPECT_NE(cut.find("client=192.0.2.0\n"), std::string::npos) << cut;
  EXPECT_NE(cut.find("peer=2001:db8:1::\n"), std::string::npos) << cut;
}

TEST(Connections, ForgetsAHandleThatNobodySaw) {
  Handles handles{2};
  Moment now{1, 1};
  const auto answer = std::make_shared<const KeptAnswer>();
  const std::string first = handles.keep(answer, now);
  now.steady_ns += 29'000'000'000;
  const std::string second = handles.keep(answer, now);
  EXPECT_NE(handles.find(first, now), nullptr);
  now.steady_ns += 2'000'000'000;
  EXPECT_NE(handles.find(first, now), nullptr) << "asking starts its time anew";
  handles.keep(answer, now);
  EXPECT_EQ(handles.find(second, now), nullptr) << "the longest unseen one makes room";
  now.steady_ns += 31'000'000'000;
  handles.expire(now);
  EXPECT_EQ(handles.size(), 0U);
  Surface surface;
  const Got gone = surface.get("/connections/h0");
  EXPECT_EQ(gone.status, 410);
  EXPECT_EQ(gone.type, "application/problem+json");
  EXPECT_EQ(gone.json()["type"], "handle-expired");
}

TEST(Connections, SaysWhatEachTermOfAnEmptyAnswerCosts) {
  Surface surface;
  surface.view.add_many(100);
  const Json answer = asked(surface, {{"query", "proto:h2 age>1h"}});
  EXPECT_EQ(answer["total"], 0);
  EXPECT_EQ(answer["total_without"][0]["total"], 0);
  EXPECT_EQ(answer["total_without"][1]["term"], "age>1h");
  EXPECT_EQ(answer["total_without"][1]["total"], 25);
}

TEST(Connections, SortsByEveryFieldUnknownLast) {
  FakeView view;
  view.add_many(500);
  const Rates rates;
  for (const std::string_view name :
       {"id", "peer", "listener", "protocol", "state", "reactor", "age", "idle", "requests", "received", "sent",
        "streams", "rtt", "pending", "memory", "deadline"}) {
    const Moment now = Moment::now();
    const Query query{"", Names::of(view), {}, now};
    for (const std::string_view order : {"asc", "desc"}) {
      const Sorting sorting = sorting_of(name, order);
      const Selection found = select(view, query, sorting, rates, now);
      ASSERT_EQ(found.ids.size(), 500U) << name;
      bool unknown = false;
      std::optional<double> last;
      for (const std::uint64_t id : found.ids) {
        const auto record = view.record(ConnectionId::unpack(id));
        const auto value = number_value(sorting.field, {&*record, nullptr, nullptr}, now);
        if (!value) {
          unknown = true;
          continue;
        }
        EXPECT_FALSE(unknown) << name;
        if (last) {
          EXPECT_TRUE(order == "asc" ? *last <= *value : *last >= *value) << name;
        }
        last = value;
      }
    }
  }
  EXPECT_THROW(sorting_of("colour", ""), Problem);
  EXPECT_THROW(sorting_of("id", "up"), Problem);
}

TEST(Connections, RefusesWhatIsOutOfBounds) {
  Surface surface;
  EXPECT_EQ(surface.get("/connections", "limit=501").status, 400);
  EXPECT_EQ(surface.get("/connections", "limit=0").status, 400);
  EXPECT_EQ(surface.get("/connections", "query=colour%3Ared").json()["position"], 0);
  EXPECT_EQ(surface.get("/connections", "query=" + std::string(3000, 'a')).status, 400);
  EXPECT_EQ(surface.get("/connection/none").status, 404);
  EXPECT_EQ(surface.get("/nothing").status, 404);
  EXPECT_EQ(surface.get("/nothing").type, "application/problem+json");
}

TEST(Connections, EscapesWhateverCameFromTheWire) {
  Surface surface;
  surface.view.add(4, [](ConnectionRecord& record) {
    record.hot.requests = 1;
    record.cold.target.assign("/<script>\"\x01\xff\xc0/&\n</script>");
    record.cold.sni.assign("\xed\xa0\x80.example");
  });
  const Got got = surface.get("/connections");
  ASSERT_EQ(got.status, 200);
  const Json row = got.json()["rows"][0];
  EXPECT_NE(row["target"].get<std::string>().find("<script>\"\x01\xef\xbf\xbd"), std::string::npos);
  EXPECT_EQ(got.text.find('\x01'), std::string::npos);
  EXPECT_EQ(got.text.find('\xff'), std::string::npos);
  EXPECT_EQ(got.type, "application/json");
}

TEST(Lists, AnswerInTheirShapes) {
  Surface surface;
  surface.view.add_many(64);
  SeriesPoint point;
  point.recorded = true;
  point.at_wall_ns = (Moment::now().wall_ns / 1'000'000'000 - 2) * 1'000'000'000;
  point.requests = 5;
  point.duration[1][3] = 5;
  surface.view.points.push_back(point);
  for (const char* path : {"/status", "/session", "/closed", "/requests/slow", "/strip", "/deadlines", "/routes",
                           "/http2", "/reactors", "/stalls", "/config", "/certificates", "/audit", "/log-level"}) {
    const Got got = surface.get(path);
    EXPECT_EQ(got.status, 200) << path << got.text;
    EXPECT_TRUE(got.json().is_object()) << path;
  }
  const Json status = surface.get("/status").json();
  EXPECT_EQ(status["overview"]["connections"], 64);
  EXPECT_EQ(status["session"]["how"], "loopback");
  EXPECT_GT(status["process"]["pid"], 0);
  const Json series = surface.get("/series", "names=requests,p50_seconds,duration,closed_reason").json();
  const auto& requests = series["series"]["requests"];
  EXPECT_EQ(std::count_if(requests.begin(), requests.end(), [](const Json& v) { return v.is_number(); }), 1);
  EXPECT_EQ(surface.get("/series", "names=nothing").status, 400);
  const Json deadlines = surface.get("/deadlines").json();
  EXPECT_EQ(deadlines["total"], 64);
  EXPECT_EQ(deadlines["none"], 13);
  EXPECT_EQ(surface.get("/strip", "cells=8").json()["rows"][0]["cells"].get<std::string>().size(), 8U);
}

TEST(Deadlines, WhoAShorterIdleTimeoutWouldCloseIsFoundByAQuery) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  Surface surface;
  const auto add = [&surface](std::uint32_t n, ConnectionState state, DeadlineKind deadline, std::int64_t silent_s,
                              std::int64_t unused_s) {
    return surface.view.add(n, [&](ConnectionRecord& record) {
      const Moment now = Moment::now();
      record.hot.state = state;
      record.hot.deadline = deadline;
      record.hot.deadline_total_ms = 60'000;
      record.hot.deadline_due_ns = now.steady_ns + (60 - unused_s) * kSecond;
      record.hot.last_active_ns = now.steady_ns - silent_s * kSecond;
    });
  };
  std::set<std::string> expected{to_string(add(1, ConnectionState::idle, DeadlineKind::idle, 20, 20)),
                                 to_string(add(2, ConnectionState::idle, DeadlineKind::idle, 1, 20)),  // pinged since
                                 to_string(add(3, ConnectionState::reading_head, DeadlineKind::idle, 20, 20)),
                                 to_string(add(4, ConnectionState::idle, DeadlineKind::max_age, 20, 40))};
  add(5, ConnectionState::idle, DeadlineKind::idle, 20, 2);
  add(6, ConnectionState::idle, DeadlineKind::ping, 20, 20);
  add(7, ConnectionState::handling, DeadlineKind::max_age, 20, 40);
  const Json idle = surface.get("/deadlines").json()["elapsed"]["idle"];
  std::uint64_t counted = idle["over"].get<std::uint64_t>();
  for (std::size_t s = 5; s < idle["counts"].size(); ++s) counted += idle["counts"][s].get<std::uint64_t>();
  EXPECT_EQ(counted, expected.size());
  std::set<std::string> listed;
  const Json page = surface.get("/connections", "query=unused%3E%3D5s").json();
  for (const Json& row : page["rows"]) listed.insert(row["id"]);
  EXPECT_EQ(listed, expected);
}

TEST(Connections, TheIdleDeadlineIsMovedByRequestsOnly) {
  Surface surface;
  const ConnectionId id =
      surface.view.add(1, [](ConnectionRecord& record) { record.hot.deadline = DeadlineKind::idle; });
  EXPECT_EQ(surface.get("/connection/" + to_string(id)).json()["deadline_effect"],
            "The next request ends it; nothing else moves it.");
}

TEST(Series, TheStepThatIsStillFillingIsInTheSums) {
  Surface surface;
  const std::int64_t now = Moment::now().wall_ns / 1'000'000'000;
  for (std::int64_t second = now - 40; second < now; ++second) {
    SeriesPoint point;
    point.recorded = true;
    point.at_wall_ns = second * 1'000'000'000;
    point.closed = 2;
    point.closed_by_reason[index_of(CloseReason::client_fin_idle)] = 2;
    surface.view.points.push_back(point);
  }
  for (const char* step : {"1", "7", "15", "300"}) {
    const Json answer = surface.get("/series", std::string{"names=closed,closed_reason&step_seconds="} + step).json();
    for (const char* name : {"closed", "closed_reason:client_fin_idle"}) {
      int sum = 0;
      for (const Json& value : answer["series"][name]) sum += value.is_number() ? value.get<int>() : 0;
      EXPECT_EQ(sum, 80) << name << " in steps of " << step;
    }
    EXPECT_EQ(answer["points"], answer["series"]["closed"].size());
  }
}

TEST(Requests, SlowOnesAreChosenByProtocol) {
  Surface surface;
  for (int i = 0; i < 150; ++i) {
    RequestRecord record;
    record.protocol = i == 0 ? Protocol::h2c : Protocol::http11;
    record.connection = FakeView::made(1).id.packed();
    surface.view.slow.push_back(record);
  }
  const Json found = surface.get("/requests/slow", "protocol=h2c&limit=1").json();
  EXPECT_EQ(found["total"], 1);
  ASSERT_EQ(found["rows"].size(), 1U);
  EXPECT_EQ(found["rows"][0]["protocol"], "h2c");
  EXPECT_EQ(surface.get("/requests/slow", "limit=1").json()["total"], 150);
  EXPECT_EQ(surface.get("/requests/slow", "protocol=smtp").status, 400);
}

TEST(Requests, AreFoundBehindACell) {
  Surface surface;
  const std::int64_t second = Moment::now().wall_ns / 1'000'000'000 - 5;
  RequestRecord record;
  record.total_ns = 300'000'000;
  record.started_wall_ns = second * 1'000'000'000 + 500'000'000;
  record.connection = FakeView::made(1).id.packed();
  record.status = 200;
  record.phases_ns = {0, 0, 0, 290'000'000, 10'000'000};
  surface.view.sampled.push_back(record);
  surface.view.recent.push_back(record);
  const std::string cell = "from=" + std::to_string(second) + "&to=" + std::to_string(second + 1);
  const Json found = surface.get("/requests/by-bucket", cell + "&above_seconds=0.25&up_to_seconds=0.5").json();
  ASSERT_EQ(found["rows"].size(), 1U) << "once, though two rings hold it";
  EXPECT_EQ(found["rows"][0]["because"], "handler");
  EXPECT_EQ(surface.get("/requests/by-bucket", cell + "&above_seconds=0.3").json()["rows"].size(), 0U);
  RequestRecord fast = record;
  fast.total_ns = 99'000;
  fast.phases_ns = {0, 0, 0, 9'000, 90'000};
  fast.stream = 7;
  surface.view.recent.push_back(fast);
  const Json quick = surface.get("/requests/by-bucket", cell + "&up_to_seconds=0.0001").json();
  ASSERT_EQ(quick["rows"].size(), 1U);
  EXPECT_TRUE(quick["rows"][0]["because"].is_null()) << "90 µs of writing are no slow reader";
  surface.view.recent.back().error = ErrorType::client_gone;
  EXPECT_FALSE(
      surface.get("/requests/by-bucket", cell + "&up_to_seconds=0.0001").json()["rows"][0]["because"].is_null());
  EXPECT_EQ(surface.get("/requests/by-bucket").status, 400);
}

TEST(Requests, OfACellAreCountedBeyondTheLimit) {
  Surface surface;
  const std::int64_t second = Moment::now().wall_ns / 1'000'000'000 - 5;
  for (std::uint32_t n = 0; n < 30; ++n) {
    RequestRecord record;
    record.total_ns = 300'000'000;
    record.started_wall_ns = second * 1'000'000'000 + 500'000'000;
    record.connection = FakeView::made(n).id.packed();
    surface.view.sampled.push_back(record);
  }
  const std::string cell = "from=" + std::to_string(second) + "&to=" + std::to_string(second + 1);
  const Json found = surface.get("/requests/by-bucket", cell + "&limit=10").json();
  EXPECT_EQ(found["rows"].size(), 10U);
  EXPECT_EQ(found["kept"], 30);
}

TEST(Connections, AnswersAQueryOverAHundredThousand) {
  FakeView view;
  view.add_many(100'000);
  const Rates rates;
  const Moment begin = Moment::now();
  const Query query{"state:idle idle>1s 10.", Names::of(view), {}, begin};
  const Selection found = select(view, query, sorting_of("sent", "desc"), rates, begin);
  const Moment end = Moment::now();
  std::cout << found.total << " of 100000 in " << static_cast<double>(end.steady_ns - begin.steady_ns) / 1e6 << " ms\n";
  EXPECT_GT(found.total, 1000U);
}

}  // namespace
}  // namespace equinox::admin
