#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "deploy/appliance/commands.hpp"
#include "handlers/temporary_folder.hpp"

namespace equinox::appliance {
namespace {

/// An admin API that answers as it is told.
class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("EQUINOX_TOKEN");
    server.set_read_timeout(1);
    port = server.bind_to_any_port("127.0.0.1");
    options.admin.address = "127.0.0.1:" + std::to_string(port);
    thread = std::thread{[this] { server.listen_after_bind(); }};
    while (!server.is_running()) std::this_thread::yield();
  }
  void TearDown() override {
    server.stop();
    thread.join();
  }
  void answer(const std::string& path, int status, const std::string& body) {
    server.Get("/admin/api/v1" + path, [=, this](const httplib::Request& request, httplib::Response& response) {
      authorization = request.get_header_value("Authorization");
      query = request.get_param_value("query");
      queries.push_back(query);
      response.status = status;
      response.set_content(body, "application/json");
    });
  }
  /// Runs a command and keeps what it prints.
  int run(int (*command)(const Options&)) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = command(options);
    out = testing::internal::GetCapturedStdout();
    err = testing::internal::GetCapturedStderr();
    return status;
  }

  httplib::Server server;
  int port{0};
  std::thread thread;
  Options options;
  std::string authorization;
  std::string query;
  std::vector<std::string> queries;
  std::string out;
  std::string err;
};

TEST_F(ClientTest, ConnsPrintsATable) {
  answer("/connections", 200, R"({"total": 7, "rows": [{"id": "0-1-2", "peer": "127.0.0.1:5", "protocol": "h2c"}]})");
  options.query = "protocol:h2c idle>1s";
  EXPECT_EQ(run(run_conns), 0);
  EXPECT_THAT(out, testing::HasSubstr("0-1-2"));
  EXPECT_THAT(out, testing::HasSubstr("1 of 7 connections"));
  EXPECT_EQ(query, "protocol:h2c idle>1s");
}

TEST_F(ClientTest, JsonIsWhatTheServerSaid) {
  answer("/connections", 200, R"({"total": 0, "rows": []})");
  options.json = true;
  EXPECT_EQ(run(run_conns), 0);
  EXPECT_EQ(nlohmann::json::parse(out)["total"], 0);
}

TEST_F(ClientTest, ABadQueryIsShownWithItsPlaceAndIsStatus2) {
  answer(
      "/connections", 400,
      R"({"type": "bad-query", "title": "unknown field", "status": 400, "position": 5, "length": 3, "fields": ["id", "peer"]})");
  options.query = "id:1 foo:2";
  EXPECT_EQ(run(run_conns), 2);
  EXPECT_THAT(err, testing::HasSubstr("  id:1 foo:2\n       ^^^\n"));
  EXPECT_THAT(err, testing::HasSubstr("fields: id peer"));
}

TEST_F(ClientTest, RefusedCredentialsAreStatus3) {
  answer("/closed", 401, R"({"title": "sign in"})");
  EXPECT_EQ(run(run_why), 3);
  EXPECT_THAT(err, testing::HasSubstr("sign in"));
}

TEST_F(ClientTest, NobodyThereIsStatus1) {
  options.admin.address = "127.0.0.1:1";
  EXPECT_EQ(run(run_conns), 1);
  EXPECT_THAT(err, testing::HasSubstr("no answer from http://127.0.0.1:1: cannot connect: Connection refused"));
}

TEST_F(ClientTest, AnAddressWithAPathIsRefused) {
  answer("/connections", 200, R"({"rows": [], "total": 0})");
  const std::string origin = "http://127.0.0.1:" + std::to_string(port);
  options.admin.address = origin + "/";
  EXPECT_EQ(run(run_conns), 0);
  for (const char* path : {"/foo/", "/foo", "/?a=b"}) {
    options.admin.address = origin + path;
    EXPECT_THROW(run_conns(options), std::runtime_error) << path;
  }
}

TEST_F(ClientTest, WhatAnotherProtocolAnswersIsToldInWords) {
  options.admin.address = "https://127.0.0.1:" + std::to_string(port);  // it speaks http
  EXPECT_EQ(run(run_conns), 1);
  EXPECT_THAT(err, testing::HasSubstr("TLS"));
  EXPECT_THAT(err, testing::Not(testing::HasSubstr("SSLConnection")));
}

TEST_F(ClientTest, AnAddressWithoutAnAdminApiIsNamedAsSuch) {
  EXPECT_EQ(run(run_conns), 1);  // 404, as ops and traffic answer
  EXPECT_THAT(err, testing::HasSubstr("there is no admin API at http://127.0.0.1:" + std::to_string(port)));
}

TEST_F(ClientTest, AnAnswerThatIsNoJsonIsStatus1) {
  answer("/closed", 200, "<html>");
  EXPECT_EQ(run(run_why), 1);
}

TEST_F(ClientTest, TheTokenComesFromTheFileOrTheEnvironment) {
  const TemporaryFolder folder;
  answer("/closed", 200, R"({"total": 0, "rows": []})");
  options.admin.token_file = folder.write("token", "eqx_file\n").string();
  EXPECT_EQ(run(run_why), 0);
  EXPECT_EQ(authorization, "Bearer eqx_file");
  options.admin.token_file.clear();
  ::setenv("EQUINOX_TOKEN", "eqx_env", 1);
  EXPECT_EQ(run(run_why), 0);
  EXPECT_EQ(authorization, "Bearer eqx_env");
}

TEST_F(ClientTest, WhyTellsASentenceForEachAndTakesABareId) {
  answer(
      "/closed", 200,
      R"({"total": 1, "rows": [{"id": "0-1f-2", "peer": "127.0.0.1:5", "protocol": "http/1.1", "reason": "keep_alive_timeout",
             "sentence": "Idle for 60 s.", "closed_at": 1700000000}]})");
  answer("/connection/0-1f-2", 200, R"({"id": "0-1f-2", "log": [], "log_from_at": null})");
  options.query = "0-1f-2";
  EXPECT_EQ(run(run_why), 0);
  EXPECT_THAT(queries, testing::ElementsAre("id:0-1f-2", ""));
  EXPECT_THAT(out, testing::HasSubstr("keep_alive_timeout\n    Idle for 60 s.\n  log lines\n    none was written"));
}

TEST_F(ClientTest, WhyTellsTheLogLinesOfOneConnection) {
  answer("/closed", 200, R"({"total": 1, "rows": [{"id": "0-1f-2", "sentence": "A handler failed."}]})");
  answer("/connection/0-1f-2", 200,
         R"({"log_from_at": 1700000000, "log": [
              {"at": 1700000001.25, "level": "error", "component": "handler", "message": "handler threw",
               "fields": [{"name": "what", "value": "\u001b[2Jno disk"}, {"name": "target", "value": "/a?k=***"}]}]})");
  options.query = "0-1f-2";
  EXPECT_EQ(run(run_why), 0);
  EXPECT_THAT(out, testing::HasSubstr(":21.250  error [handler] handler threw what="));
  EXPECT_THAT(out, testing::HasSubstr("no disk target=/a?k=***\n"));
  EXPECT_THAT(out, testing::HasSubstr("may be missing"));
  EXPECT_THAT(out, testing::Not(testing::HasSubstr("\x1b")));
  options.json = true;
  EXPECT_EQ(run(run_why), 0);
  const auto row = nlohmann::json::parse(out)["rows"][0];
  EXPECT_EQ(row["log"][0]["message"], "handler threw");
  EXPECT_EQ(row["log_from_at"], 1700000000);
}

TEST_F(ClientTest, WhyCountsTheReasonsOfAllThatMatch) {
  answer("/closed", 200,
         R"({"total": 70, "by_reason": {"drain": 6, "keep_alive_timeout": 64},
             "rows": [{"id": "0-1f-2", "reason": "drain", "sentence": "The server drained."}]})");
  EXPECT_EQ(run(run_why), 0);
  EXPECT_THAT(out, testing::EndsWith("1 of 70\nby reason\n      64  keep_alive_timeout\n       6  drain\n"));
}

TEST_F(ClientTest, WhyWithAQueryAsksForNoLogLines) {
  answer("/closed", 200, R"({"total": 1, "rows": [{"id": "0-1f-2", "sentence": "Idle for 60 s."}]})");
  options.query = "reason:keep_alive_timeout";
  EXPECT_EQ(run(run_why), 0);
  EXPECT_THAT(queries, testing::ElementsAre("reason:keep_alive_timeout"));
  EXPECT_THAT(out, testing::Not(testing::HasSubstr("log lines")));
}

TEST_F(ClientTest, CloseCountsFirstAndThenFollowsItsJob) {
  std::atomic<int> posts{0};
  server.Post("/admin/api/v1/connections/close", [&](const httplib::Request& request, httplib::Response& response) {
    const auto body = nlohmann::json::parse(request.body);
    EXPECT_EQ(request.get_header_value("X-Equinox-Action"), "1");
    EXPECT_EQ(body["rate"], 50.0);
    EXPECT_EQ(body["dry_run"], posts++ == 0);
    const bool is_preview = body["dry_run"];
    EXPECT_EQ(body.contains("query"), is_preview) << "a second query could find others";
    EXPECT_EQ(body.value("handle", ""), is_preview ? "" : "h7");
    response.set_content(
        is_preview ? R"({"count": 3, "mid_request": 1, "handle": "h7"})" : R"({"id": "j1", "state": "running"})",
        "application/json");
  });
  answer("/jobs/j1", 200, R"({"id": "j1", "state": "finished", "total": 3, "done": 2, "gone": 1})");
  options.query = "idle>1s";
  options.rate = "50/s";
  EXPECT_EQ(run(run_close), 0);
  EXPECT_EQ(out, "3 connections match, 1 of them in the middle of a request\n2 closed, 1 had ended by themselves\n");
  posts = 0;
  options.dry_run = true;
  EXPECT_EQ(run(run_close), 0);
  EXPECT_EQ(posts, 1);
}

TEST_F(ClientTest, CloseThatMatchesNobodySaysSoAsJsonToo) {
  std::atomic<int> posts{0};
  server.Post("/admin/api/v1/connections/close", [&](const httplib::Request&, httplib::Response& response) {
    ++posts;
    response.set_content(R"({"count": 0, "mid_request": 0, "handle": "h7"})", "application/json");
  });
  options.query = "id:none";
  options.json = true;
  EXPECT_EQ(run(run_close), 0);
  EXPECT_EQ(nlohmann::json::parse(out, nullptr, false).value("count", -1), 0) << out;
  options.json = false;
  EXPECT_EQ(run(run_close), 0);
  EXPECT_EQ(out, "0 connections match, none of them in the middle of a request\n");
  EXPECT_EQ(posts, 2) << "nothing was asked to be closed";
}

TEST_F(ClientTest, CloseRefusesAnEmptyQueryUnlessAllAreMeant) {
  std::atomic<int> posts{0};
  server.Post("/admin/api/v1/connections/close", [&](const httplib::Request&, httplib::Response& response) {
    ++posts;
    response.set_content(R"({"count": 1, "mid_request": 0, "handle": "h7"})", "application/json");
  });
  options.dry_run = true;
  for (const char* empty : {"", " ", "\t"}) {
    options.query = empty;
    EXPECT_EQ(run(run_close), 2);
    EXPECT_THAT(err, testing::HasSubstr("--all"));
  }
  options.query = "idle>1s";
  options.all = true;
  EXPECT_EQ(run(run_close), 2) << "one of them is a mistake";
  EXPECT_EQ(posts, 0);
  options.query.clear();
  EXPECT_EQ(run(run_close), 0);
  EXPECT_EQ(out, "1 connection matches, none of them in the middle of a request\n");
}

TEST_F(ClientTest, ARateThatIsNoneIsStatus2) {
  options.query = "idle>1s";
  for (const char* rate : {"fast", "0", "-1/s", "5/m", "inf", "inf/s", "nan", "1e999"}) {
    options.rate = rate;
    EXPECT_EQ(run(run_close), 2) << rate;
  }
}

TEST_F(ClientTest, DrainWaitsUntilNoRequestIsInFlight) {
  std::atomic<int> asked{0};
  server.Post("/admin/api/v1/drain", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(R"({"state": "draining"})", "application/json");
  });
  server.Get("/admin/api/v1/status", [&](const httplib::Request&, httplib::Response& response) {
    const bool is_idle = ++asked == 3;
    response.set_content(is_idle ? R"({"drain": {"state": "draining", "requests_in_flight": 0, "connections_left": 4}})"
                                 : R"({"drain": {"state": "draining", "requests_in_flight": 2, "connections_left": 5,
                                       "holders": [{"id": "0-1-2", "waiting_for": "the handler of /report",
                                                    "target": "/report?month=***", "age_seconds": 41}]}})",
                         "application/json");
  });
  options.wait = true;
  EXPECT_EQ(run(run_drain), 0);
  EXPECT_EQ(asked, 3);
  EXPECT_THAT(out, testing::HasSubstr("draining: 2 requests in flight, 5 connections left\n"
                                      "    0-1-2  waiting for the handler of /report  /report?month=***  for 41s\n"));
  EXPECT_THAT(out, testing::EndsWith("draining: 0 requests in flight, 4 connections left\n"));
}

TEST_F(ClientTest, DrainNamesItsDelayAndWaitsForIt) {
  std::atomic<int> asked{0};
  const std::string in_delay = R"({"state": "delay", "delay_left_seconds": 5.2, "requests_in_flight": 0,
                                   "connections_left": 1})";
  server.Post("/admin/api/v1/drain", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content(in_delay, "application/json");
  });
  server.Get("/admin/api/v1/status", [&](const httplib::Request&, httplib::Response& response) {
    const bool is_over = ++asked == 3;
    response.set_content(is_over ? R"({"drain": {"state": "draining", "delay_left_seconds": 0, "requests_in_flight": 0,
                                       "connections_left": 0}})"
                                 : R"({"drain": )" + in_delay + "}",
                         "application/json");
  });
  const std::string said =
      "draining: everything is still served for 6 s more, its delay; 0 requests in flight, 1 connection left\n";
  EXPECT_EQ(run(run_drain), 0);
  EXPECT_EQ(out, said);
  options.wait = true;
  EXPECT_EQ(run(run_drain), 0);
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(out, said + "draining: 0 requests in flight, 0 connections left\n");
}

TEST_F(ClientTest, UndrainSaysWhatIsSo) {
  std::atomic<bool> is_draining{true};
  server.Post("/admin/api/v1/undrain", [&](const httplib::Request&, httplib::Response& response) {
    if (is_draining.exchange(false)) {
      response.set_content(R"({"state": "none", "requests_in_flight": 0})", "application/json");
    } else {
      response.status = 409;
      response.set_content(R"({"type": "not-draining", "title": "There is no drain to take back", "status": 409})",
                           "application/problem+json");
    }
  });
  EXPECT_EQ(run(run_undrain), 0);
  EXPECT_EQ(out, "not draining: the server is ready\n");
  EXPECT_EQ(run(run_undrain), 1) << "2 is for a query that is none";
  EXPECT_THAT(err, testing::HasSubstr("no drain to take back"));
}

TEST_F(ClientTest, TopWithoutATerminalPrintsOnePicture) {
  answer("/status", 200,
         R"({"version": "1.2.3", "instance": "a", "ready": true, "draining": false, "uptime_seconds": 61,
             "overview": {"connections": 3, "p99_seconds": 0.0125, "by_state": {"idle": 2, "handling": 1}}})");
  answer("/connections", 200, R"({"total": 1, "rows": [{"id": "0-1-2"}]})");
  EXPECT_EQ(run(run_top), 0);
  EXPECT_THAT(out, testing::StartsWith("equinox 1.2.3 on a  ready  up 1m01s\n"));
  EXPECT_THAT(out, testing::HasSubstr("p50 -   p99 12.50 ms"));
  EXPECT_THAT(out, testing::HasSubstr("handling 1   idle 2"));
  EXPECT_THAT(out, testing::HasSubstr("0-1-2"));
}

TEST_F(ClientTest, ProbeIsGoodOn2xxOnly) {
  server.Get("/good", [](const httplib::Request&, httplib::Response& response) { response.status = 204; });
  server.Get("/bad", [](const httplib::Request&, httplib::Response& response) { response.status = 503; });
  options.url = "http://127.0.0.1:" + std::to_string(port) + "/good";
  EXPECT_EQ(run(run_probe), 0);
  options.url = "http://127.0.0.1:" + std::to_string(port) + "/bad";
  EXPECT_EQ(run(run_probe), 1);
  options.url = "http://127.0.0.1:1/";
  EXPECT_EQ(run(run_probe), 1);
  options.url = "nonsense";
  EXPECT_EQ(run(run_probe), 1);
}

TEST_F(ClientTest, TokenPrintsTheTokenOnceAndOnlyItsHashInTheLine) {
  options.token_role = "operator";
  options.token_name = "ci";
  EXPECT_EQ(run(run_token), 0);
  const auto begin = out.find("eqx_");
  ASSERT_NE(begin, std::string::npos);
  const std::string token = out.substr(begin, 4 + 64);
  const auto line = nlohmann::json::parse(out.substr(out.find('{')));
  EXPECT_EQ(line["name"], "ci");
  EXPECT_EQ(line["role"], "operator");
  EXPECT_EQ(line["sha256"].get<std::string>().size(), 64u);
  EXPECT_EQ(out.find(token, begin + 1), std::string::npos);
  const std::string first = out;
  EXPECT_EQ(run(run_token), 0);
  EXPECT_NE(out, first);
}

}  // namespace
}  // namespace equinox::appliance
