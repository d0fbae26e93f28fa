// Jobs, actions, event streams and the page itself.

#include <gtest/gtest.h>

#include "admin-ui/api/assets.hpp"
#include "admin-ui/event_listener.hpp"
#include "admin-ui/fake_view.hpp"
#include "admin-ui/tokens_file.hpp"

namespace equinox::admin {
namespace {

TEST(Close, CountsFirstThenGoesAtItsPace) {
  Surface surface;
  surface.view.add_many(100);
  Json body{{"query", "listener:http"}, {"rate", 10}, {"dry_run", true}, {"reason", "test"}};
  const Json preview = surface.act(Method::post, "/connections/close", body).json();
  EXPECT_EQ(preview["count"], 50);
  EXPECT_EQ(preview["seconds"], 5.0);
  EXPECT_TRUE(surface.done.empty());
  body["dry_run"] = false;
  const Got started = surface.act(Method::post, "/connections/close", body);
  ASSERT_EQ(started.status, 202) << started.text;
  const std::string path = "/jobs/" + started.json()["id"].get<std::string>();
  surface.state->tick(after(0), false);
  EXPECT_LE(surface.view.count(), 99U);
  EXPECT_GE(surface.view.count(), 97U);
  for (int second = 1; second <= 3; ++second) surface.state->tick(after(second * 1000), false);
  EXPECT_LE(surface.done.size(), 33U) << "no faster than asked";
  EXPECT_GE(surface.done.size(), 29U);
  const Json stopped = surface.act(Method::del, path, Json::object()).json();
  EXPECT_EQ(stopped["state"], "stopped");
  surface.state->tick(after(9000), false);
  EXPECT_EQ(surface.done.size(), stopped["done"].get<std::size_t>());
  EXPECT_EQ(surface.get(path).json()["state"], "stopped");
  EXPECT_EQ(surface.get("/jobs/none").status, 404);
}

TEST(Close, CountsThoseThatWentByThemselves) {
  Surface surface;
  const ConnectionId a = surface.view.add(1);
  const ConnectionId b = surface.view.add(2);
  const Got started = surface.act(Method::post, "/connections/close", {{"ids", {to_string(a), to_string(b)}}});
  ASSERT_EQ(started.status, 202);
  surface.view.close(a);
  surface.state->tick(after(500), false);
  const Json job = surface.get("/jobs/" + started.json()["id"].get<std::string>()).json();
  EXPECT_EQ(job["state"], "finished");
  EXPECT_EQ(job["done"], 1);
  EXPECT_EQ(job["gone"], 1);
}

TEST(Close, AFinishedJobKeepsItsCountNotItsIds) {
  Surface surface;
  surface.view.add_many(40);
  const Got started = surface.act(Method::post, "/connections/close", {{"query", ""}});
  ASSERT_EQ(started.status, 202);
  EXPECT_EQ(started.json()["total"], 40);
  surface.state->tick(after(1000), false);
  const Json job = surface.get("/jobs/" + started.json()["id"].get<std::string>()).json();
  EXPECT_EQ(job["state"], "finished");
  EXPECT_EQ(job["total"], 40);
  EXPECT_EQ(job["done"], 40);
}

TEST(Close, NeedsExactlyOneWayToName) {
  Surface surface;
  EXPECT_EQ(surface.act(Method::post, "/connections/close", Json::object()).status, 400);
  EXPECT_EQ(surface.act(Method::post, "/connections/close", {{"query", ""}, {"ids", {"0-0-1"}}}).status, 400);
  EXPECT_EQ(surface.act(Method::post, "/connections/close", {{"ids", {"x"}}}).status, 400);
  EXPECT_EQ(surface.act(Method::post, "/connections/close", {{"query", ""}, {"rate", 0}}).status, 400);
}

TEST(Close, WhatNamesNobodyIsNoNameForEverybody) {
  Surface surface;
  surface.view.add_many(5);
  for (const char* name : {"query", "ids", "handle"}) {
    for (const Json& value : {Json{}, Json(1), Json(true), Json::object()}) {
      const Got got = surface.act(Method::post, "/connections/close", {{name, value}});
      EXPECT_EQ(got.status, 400) << name << ' ' << value;
      EXPECT_EQ(got.json()["type"], "bad-request") << got.text;
    }
  }
  surface.state->tick(after(1000), false);
  EXPECT_EQ(surface.view.count(), 5U);
}

TEST(Close, EndsThoseThatThePreviewCounted) {
  Surface surface;
  surface.view.add_many(8);
  const Json preview =
      surface.act(Method::post, "/connections/close", {{"query", "listener:http"}, {"dry_run", true}}).json();
  EXPECT_EQ(preview["count"], 4);
  const ConnectionId late = surface.view.add(100);  // listener http too
  const Got started = surface.act(Method::post, "/connections/close", {{"handle", preview["handle"]}});
  ASSERT_EQ(started.status, 202) << started.text;
  EXPECT_EQ(started.json()["total"], 4);
  EXPECT_EQ(started.json()["query"], "listener:http") << "the journal names what was asked for";
  surface.state->tick(after(1000), false);
  EXPECT_EQ(surface.done.size(), 4U);
  EXPECT_TRUE(surface.view.record(late)) << "nobody had counted it";
  EXPECT_EQ(surface.act(Method::post, "/connections/close", {{"handle", "hnone"}}).status, 410);
}

TEST(Close, CountsAsCutOnlyRequestsThatHaveBegun) {
  Surface surface;
  const auto add = [&surface](std::uint32_t n, ConnectionState state, DeadlineKind deadline, std::uint64_t received) {
    surface.view.add(n, [&](ConnectionRecord& record) {
      record.hot.state = state;
      record.hot.deadline = deadline;
      record.hot.received_bytes = received;
    });
  };
  add(1, ConnectionState::reading_head, DeadlineKind::first_request, 0);
  add(2, ConnectionState::reading_head, DeadlineKind::first_request, 700);  // the TLS handshake's bytes
  add(3, ConnectionState::reading_head, DeadlineKind::max_age, 0);
  add(4, ConnectionState::reading_head, DeadlineKind::idle, 700);  // in a drain
  add(5, ConnectionState::idle, DeadlineKind::idle, 90);
  const Json waiting{{"query", ""}, {"dry_run", true}};
  EXPECT_EQ(surface.act(Method::post, "/connections/close", waiting).json()["mid_request"], 0);
  add(6, ConnectionState::reading_head, DeadlineKind::head, 10);
  add(7, ConnectionState::handling, DeadlineKind::handler, 90);
  add(8, ConnectionState::draining, DeadlineKind::body, 90);
  const Json both = surface.act(Method::post, "/connections/close", waiting).json();
  EXPECT_EQ(both["count"], 8);
  EXPECT_EQ(both["mid_request"], 3);
  const Json drained{{"query", ""}, {"dry_run", true}, {"mode", "drain"}};
  EXPECT_EQ(surface.act(Method::post, "/connections/close", drained).json()["mid_request"], 3)
      << "a drain lets them finish, and says how many";
}

// What nobody reads would be done all the same: "dryrun" would close what it was to count.
TEST(Actions, WhatIsNotKnownIsRefusedAndNothingDone) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  Surface surface{options};
  surface.view.add_many(4);
  const auto act = [&surface](Method method, const std::string& path, const Json& body, const std::string& query = {}) {
    Ask ask;
    ask.method = method;
    ask.path = "/api/v1" + path;
    ask.query = query;
    ask.body = body.dump();
    ask.fields = {{"Authorization", "Bearer admin-secret"}};
    return surface.ask(ask);
  };
  const std::tuple<Method, const char*, Json, const char*> wrong[] = {
      {Method::post, "/connections/close", {{"query", ""}, {"dryrun", true}}, "query, ids, handle, mode, rate, reason"},
      {Method::post, "/drain", {{"dryrun", true}}, "dry_run, reason"},
      {Method::post, "/undrain", {{"dry_run", true}}, "no members"},
      {Method::post, "/reload", {{"dry_run", true}}, "no members"},
      {Method::put, "/log-level", {{"level", "debug"}, {"for", 60}}, "component, level, for_seconds"},
      {Method::del, "/jobs/j1", {{"dry_run", true}}, "no members"},
      {Method::post, "/connections/query", {{"querry", "id:none"}}, "query, sort, order, columns"},
      {Method::put, "/events/v1/viewport", {{"ids", Json::array()}, {"handel", "h"}}, "ids, handle"}};
  for (const auto& [method, path, body, known] : wrong) {
    const Got got = act(method, path, body);
    EXPECT_EQ(got.status, 400) << path;
    const std::string detail = got.json().value("detail", "");
    EXPECT_NE(detail.find(known), std::string::npos) << path << ": " << detail;
    EXPECT_EQ(act(method, path, Json::object(), "dry_run=true").status, 400) << path;
  }
  EXPECT_TRUE(surface.done.empty()) << surface.done.front();
  EXPECT_EQ(surface.state->audit.page(10)["total"], 0);
}

TEST(Actions, AreDoneAndWrittenDown) {
  Surface surface;
  EXPECT_EQ(surface.act(Method::post, "/drain", {{"dry_run", true}}).status, 200);
  EXPECT_TRUE(surface.done.empty());
  EXPECT_EQ(surface.act(Method::post, "/drain", Json::object()).status, 200);
  EXPECT_EQ(surface.act(Method::post, "/undrain", Json::object()).status, 409);
  EXPECT_EQ(surface.act(Method::put, "/log-level", {{"level", "debug"}, {"for_seconds", 60}}).status, 200);
  EXPECT_EQ(surface.act(Method::put, "/log-level", {{"level", "loud"}}).status, 400);
  surface.state->tick(after(61'000), true);
  EXPECT_EQ(surface.done, (std::vector<std::string>{"drain local", "undrain", "level debug", "level info"}));
  const Json audit = surface.get("/audit").json();
  ASSERT_EQ(audit["total"], 3);
  EXPECT_EQ(audit["rows"][1]["result"], "failed");
  Surface bare{{}, false};
  EXPECT_EQ(bare.act(Method::post, "/drain", Json::object()).status, 409);
}

TEST(LogLevels, AReloadIsWhatTheApiShowsAndWhatATimedOneFallsBackTo) {
  Surface surface;
  const auto row = [&surface] { return surface.get("/log-level").json()["rows"][0]; };
  surface.state->actions.log_levels->reload(LogLevel::error);
  EXPECT_EQ(row()["level"], "error");
  EXPECT_EQ(row()["configured"], "error");
  surface.act(Method::put, "/log-level", {{"level", "debug"}, {"for_seconds", 60}});
  surface.state->actions.log_levels->reload(LogLevel::warning);
  EXPECT_EQ(row()["level"], "debug") << "its time is not over";
  EXPECT_EQ(row()["configured"], "warn");
  EXPECT_EQ(surface.done.back(), "level debug") << "the reload had put its own in force";
  surface.state->tick(after(61'000), true);
  EXPECT_EQ(row()["level"], "warn");
  EXPECT_EQ(surface.done.back(), "level warn");
  surface.act(Method::put, "/log-level", {{"level", "debug"}});
  surface.state->actions.log_levels->reload(LogLevel::warning);
  EXPECT_EQ(row()["level"], "warn") << "set for good means till the next reload";
}

TEST(Events, BeginWithHelloAndAWholeOverview) {
  Surface surface;
  surface.view.add_many(10);
  Listener listener{surface};
  const std::string first = listener.said();
  EXPECT_EQ(first.find("event: hello"), 0U);
  EXPECT_EQ(data_of(first, "hello")["boot_id"], "boot-1");
  EXPECT_EQ(data_of(first, "overview")["full"], true);
  EXPECT_EQ(data_of(first, "overview")["data"]["connections"], 10);
  surface.view.add(1000);
  surface.state->tick(after(1000), true);
  const Json delta = data_of(listener.said(), "overview");
  EXPECT_EQ(delta["full"], false);
  EXPECT_EQ(delta["data"]["connections"], 11);
  EXPECT_FALSE(delta["data"].contains("ready")) << "only what changed";
}

TEST(Overview, ItsShareOfErrorsIsOfTheLastTenSeconds) {
  Surface surface;
  const std::int64_t now = Moment::now().wall_ns;
  for (std::int64_t second = 30; second > 0; --second) {
    SeriesPoint point;
    point.recorded = true;
    point.at_wall_ns = now - second * 1'000'000'000;
    surface.view.points.push_back(std::move(point));
  }
  const auto ratio = [&surface] { return surface.get("/status").json()["overview"]["error_ratio"].get<double>(); };
  const auto seconds_ago = [&surface](std::size_t ago) -> SeriesPoint& { return surface.view.points[30 - ago]; };
  seconds_ago(20).requests = seconds_ago(20).errors_5xx = 1;
  EXPECT_EQ(ratio(), 0) << "nobody has asked since";
  seconds_ago(9).requests = seconds_ago(9).errors_5xx = 1;
  EXPECT_EQ(ratio(), 1);
  seconds_ago(2).requests = 3;
  EXPECT_EQ(ratio(), 0.25) << "of all of them, not of the last second's";
}

TEST(Events, TellWhatChangesInTheViewport) {
  Surface surface;
  const ConnectionId stays = surface.view.add(1);
  const ConnectionId goes = surface.view.add(2);
  Listener listener{surface};
  const std::string stream = data_of(listener.said(), "hello")["stream"];
  const Json query = surface.act(Method::post, "/connections/query", {{"query", ""}}).json();
  const Json viewport{{"ids", {to_string(stays), to_string(goes)}}, {"handle", query["handle"]}};
  ASSERT_EQ(surface.act(Method::put, "/events/" + stream + "/viewport", viewport).status, 204);
  surface.state->tick(after(1000), true);
  listener.said();
  surface.view.change(stays, [](ConnectionRecord& record) {
    record.hot.sent_bytes += 4096;
    record.cold.memory_bytes = 70'000;
  });
  surface.view.close(goes, CloseReason::write_stall);
  surface.view.add(3);
  surface.state->tick(after(2000), true);
  const Json rows = data_of(listener.said(), "rows");
  ASSERT_EQ(rows["changed"].size(), 1U);
  EXPECT_TRUE(rows["changed"][0].contains("sent_bytes"));
  EXPECT_EQ(rows["changed"][0]["memory_bytes"], 70'000);
  EXPECT_FALSE(rows["changed"][0].contains("age_seconds")) << "the client lets its clock run";
  EXPECT_EQ(rows["gone"][0]["reason"], "write_stall");
  EXPECT_EQ(rows["drift"]["added"], 1);
  EXPECT_EQ(rows["drift"]["removed"], 1);
  EXPECT_EQ(surface.act(Method::put, "/events/none/viewport", viewport).status, 404);
}

TEST(Events, TellTheDriftOfAListOfWhichNoRowIsLeft) {
  Surface surface;
  const ConnectionId only = surface.view.add(1);
  Listener listener{surface};
  const std::string stream = data_of(listener.said(), "hello")["stream"];
  const std::string handle = surface.act(Method::post, "/connections/query", {{"query", ""}}).json()["handle"];
  const auto watch = [&](const Json& ids, const Json& name) {
    return surface.act(Method::put, "/events/" + stream + "/viewport", {{"ids", ids}, {"handle", name}}).status;
  };
  ASSERT_EQ(watch({to_string(only)}, handle), 204);
  surface.view.close(only, CloseReason::write_stall);
  surface.state->tick(after(1000), true);
  EXPECT_EQ(data_of(listener.said(), "rows")["gone"].size(), 1U);
  surface.view.add(2);
  // Longer than a handle is kept that nobody looks at.
  for (int second = 20; second <= 60; second += 20) {
    surface.state->tick(after(second * 1000), true);
    const Json rows = data_of(listener.said(), "rows");
    EXPECT_EQ(rows["drift"]["added"], 1) << second;
    EXPECT_EQ(rows["drift"]["removed"], 1) << second;
  }
  ASSERT_EQ(watch(Json::array(), nullptr), 204);
  surface.state->tick(after(61'000), true);
  EXPECT_EQ(listener.said().find("event: rows"), std::string::npos) << "nobody looks at the list";
}

StallRecord running_stall(std::int64_t started_ns) {
  StallRecord stall;
  stall.running = true;
  stall.reactor = 1;
  stall.started_ns = started_ns;
  stall.duration_ns = 80'000'000;
  stall.cause = StallCause::handler;
  stall.route = 2;
  stall.has_route = true;
  return stall;
}

TEST(Events, AStallIsToldBetweenTheSecondsOnceAndAgainWhenItIsOver) {
  Surface surface;
  EXPECT_FALSE(surface.state->streams.are_stalls_wanted());
  Listener listener{surface};
  EXPECT_TRUE(surface.state->streams.are_stalls_wanted());
  listener.said();
  const StallRecord stall = running_stall(5'000'000'000);
  surface.view.stalled = {stall};
  surface.state->tick(after(20), false);
  const Json told = data_of(listener.said(), "stall");
  EXPECT_EQ(told["running"], true);
  EXPECT_EQ(told["route"], "/api/items/{id}");
  surface.state->tick(after(40), false);
  EXPECT_EQ(listener.said(), "") << "nothing is new";
  // Over, its turn began before the handler that was named, and another reactor has stalled at the same time.
  StallRecord ended = stall;
  ended.running = false;
  ended.started_ns -= 1'000'000;
  ended.duration_ns = 300'000'000;
  StallRecord other = ended;
  other.reactor = 2;
  surface.view.stalled = {other, ended};
  surface.state->tick(after(1000), true);
  const Json over = data_of(listener.said(), "stall");
  EXPECT_EQ(over["id"], told["id"]);
  EXPECT_EQ(over["running"], false);
  EXPECT_EQ(over["reactor"], 1);
  EXPECT_NEAR(over["duration_seconds"].get<double>(), 0.3, 1e-9);
  surface.state->tick(after(2000), true);
  EXPECT_EQ(listener.said().find("event: stall"), std::string::npos) << "it is over once";
}

TEST(Events, AStallThatLeavesNoRecordDoesNotRunForEver) {
  Surface surface;
  Listener listener{surface};
  surface.view.stalled = {running_stall(5'000'000'000)};
  surface.state->tick(after(1000), true);
  EXPECT_EQ(data_of(listener.said(), "stall")["running"], true);
  surface.view.stalled.clear();
  surface.state->tick(after(2000), true);
  EXPECT_EQ(listener.said().find("event: stall"), std::string::npos) << "its record may still come";
  surface.state->tick(after(5000), true);
  EXPECT_EQ(data_of(listener.said(), "stall")["running"], false);
}

TEST(Events, AHeadRequestTakesNoPlace) {
  Surface surface;
  Ask ask;
  ask.method = Method::head;
  ask.path = "/api/v1/events";
  for (int i = 0; i < 40; ++i) EXPECT_EQ(surface.respond(ask).status().code(), 200);
  EXPECT_EQ(surface.state->streams.size(), 0U);
}

TEST(Events, SayWhenRequestsAreListedAsASampleOnly) {
  Surface surface;
  Listener listener{surface};
  std::int64_t second = 0;
  const auto turn = [&](std::uint64_t ended, std::uint64_t kept) {
    surface.view.totals.totals.requests_finished[0][0] += ended;
    surface.view.totals.ring_recent.written += kept;
    surface.state->tick(after(++second * 1000), true);
    return data_of(listener.said(), "degraded");
  };
  EXPECT_TRUE(turn(100, 100).is_null());
  EXPECT_TRUE(turn(1000, 1000).is_null()) << "all are kept";
  EXPECT_EQ(turn(5000, 1000)["sampling"], 8);
  EXPECT_TRUE(turn(5000, 1000).is_null()) << "told once";
  for (int calm = 0; calm < 4; ++calm) EXPECT_TRUE(turn(100, 100).is_null()) << "not at the first calm second";
  EXPECT_EQ(turn(100, 100)["sampling"], 1);
}

TEST(Http2, FramesHaveARateFromTheSecondLookOn) {
  Surface surface;
  const auto data_received = [&surface] { return surface.get("/http2").json()["frames"][0]; };
  EXPECT_TRUE(data_received()["per_second"].is_null());
  const Moment first = after(1000);
  Moment second = first;
  second.steady_ns += 2'000'000'000;
  surface.view.totals.totals.h2_frames[0][0] = 50;
  surface.state->tick(first, true);
  EXPECT_TRUE(data_received()["per_second"].is_null());
  surface.view.totals.totals.h2_frames[0][0] = 290;
  surface.state->tick(second, true);
  EXPECT_EQ(data_received()["total"], 290);
  EXPECT_EQ(data_received()["per_second"], 120.0);
}

TEST(Events, AreServedToABoundedNumber) {
  Options options;
  options.stream_clients_max = 2;
  Surface surface{options};
  auto first = std::make_unique<Listener>(surface);
  Listener second{surface};
  const Listener third{surface};
  EXPECT_EQ(third.response.status().code(), 503);
  first.reset();
  const Listener fourth{surface};
  EXPECT_EQ(fourth.response.status().code(), 200) << "one that left makes room";
}

TEST(Events, ASlowReaderGetsTheNewestStateWhole) {
  Surface surface;
  for (std::uint32_t n = 0; n < 200; ++n) surface.view.add(n);
  Listener listener{surface};
  for (std::int64_t second = 1; second <= 300; ++second) {
    surface.view.add(static_cast<std::uint32_t>(1000 + second));
    SeriesPoint point;
    point.recorded = true;
    point.at_wall_ns = (Moment::now().wall_ns / 1'000'000'000 + second) * 1'000'000'000;
    surface.view.points = {point};
    surface.state->tick(after(second * 1000), true);
  }
  const std::string said = listener.said();
  EXPECT_LE(said.size(), 300U * 1024U) << "memory is bounded";
  EXPECT_EQ(said.find("event: hello"), std::string::npos) << "the oldest events were dropped";
  EXPECT_NE(said.find("\"full\":true"), std::string::npos);
  surface.state->tick(after(302'000), true);  // the last loss is noticed here
  listener.said();
  surface.state->tick(after(303'000), true);
  EXPECT_EQ(data_of(listener.said(), "overview")["full"], false) << "once it keeps up, differences again";
}

TEST(Changes, NameTheReasonThatMostEvictionsOfASecondHad) {
  const auto told_of = [](EvictionPhase phase) {
    Surface surface;
    surface.state->tick(after(0), true);
    SeriesPoint point;
    point.recorded = true;
    point.at_wall_ns = (Moment::now().wall_ns / kSecondNs + 1) * kSecondNs;
    point.connections = 60;
    point.evictions = 50;
    point.evicted_by_phase[index_of(phase)] = 47;
    point.evicted_by_phase[index_of(EvictionPhase::body)] = 3;
    // Closes tell less: these are no evictions, and an eviction by age is closed a second later.
    point.closed_by_reason[index_of(CloseReason::client_fin_idle)] = 1000;
    surface.view.points = {point};
    surface.state->tick(after(1000), true);
    Json last;
    for (const auto& [number, change] : surface.state->changes.since(0)) last = change;
    return last;
  };
  for (const auto& [phase, name] :
       {std::pair{EvictionPhase::pressure, "connection_limit"}, std::pair{EvictionPhase::max_age, "max_age"},
        std::pair{EvictionPhase::between_requests, "keep_alive_timeout"}}) {
    const Json change = told_of(phase);
    EXPECT_EQ(change["text"], "50 evictions in a second, most " + std::string{name});
    EXPECT_EQ(change["reason"], name);
    EXPECT_EQ(change["query"], "reason:" + std::string{name});
  }
}

TEST(Changes, TellOfCertificatesOnlyWhenTheyAreOthers) {
  Surface surface;
  const auto told = [&surface] {
    std::size_t count = 0;
    for (const auto& [number, change] : surface.state->changes.since(0)) count += change["kind"] == "certificate";
    return count;
  };
  surface.state->tick(after(0), true);  // the traffic server is still starting
  CertificateFacts certificate;
  certificate.listener = "https";
  certificate.name = "main";
  certificate.not_before_s = 1'000;
  certificate.loaded_wall_ns = Moment::now().wall_ns;
  surface.view.facts.certificates = {certificate};
  surface.state->tick(after(1000), true);
  EXPECT_EQ(told(), 0u) << "the first ones are no change";
  surface.view.facts.certificates[0].loaded_wall_ns += 1'000'000'000;
  surface.state->tick(after(2000), true);
  EXPECT_EQ(told(), 0u) << "the same ones, read again";
  surface.view.facts.certificates[0].not_before_s += 1;
  surface.state->tick(after(3000), true);
  EXPECT_EQ(told(), 1u);
}

TEST(Page, IsServedWithItsPolicyBelowItsMount) {
  Surface surface;
  Ask ask;
  ask.path = "/admin";
  Routes outer;
  outer.mount("/admin", routes_over(surface.state));
  bool found = false;
  for (const RouteEntry& entry : outer.entries()) found = found || entry.pattern == "/admin/*";
  EXPECT_TRUE(found);
  ask.path = "/";
  Response page = surface.respond(ask);
  EXPECT_EQ(page.status().code(), 200);
  EXPECT_TRUE(page.content_type().starts_with("text/html"));
  EXPECT_NE(page.field("content-security-policy").find("default-src 'none'"), std::string_view::npos);
  EXPECT_EQ(page.field("x-content-type-options"), "nosniff");
  ask.path = "/assets/none.js";
  EXPECT_EQ(surface.ask(ask).status, 404);
  for (const Asset& asset : embedded_assets()) {
    ask.path = "/" + std::string{asset.path};
    ask.fields = {{"Accept-Encoding", "br, gzip"}};
    Response packed = surface.respond(ask);
    EXPECT_EQ(packed.field("content-encoding"), "gzip") << asset.path;
    ask.fields = {};
    EXPECT_GT(surface.ask(ask).text.size(), 0U) << asset.path;
    ask.fields = {{"If-None-Match", std::string{asset.etag}}};
    EXPECT_EQ(surface.ask(ask).status, 304);
  }
}

TEST(MergePatch, TurnsTheOldIntoTheNew) {
  const Json from{{"a", 1}, {"b", {{"x", 1}, {"y", 2}}}, {"c", 3}};
  const Json to{{"a", 1}, {"b", {{"x", 1}, {"y", 5}}}, {"d", 4}};
  const Json patch = merge_difference(from, to);
  EXPECT_EQ(patch, (Json{{"b", {{"y", 5}}}, {"c", nullptr}, {"d", 4}}));
  Json patched = from;
  patched.merge_patch(patch);
  EXPECT_EQ(patched, to);
  EXPECT_TRUE(merge_difference(to, to).empty());
}

}  // namespace
}  // namespace equinox::admin
