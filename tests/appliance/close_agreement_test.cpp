// Close reasons that the appliance's own handlers cannot give, and the loopback network not: provoked on a server made
// for it, through its handlers and the system-call seam. As for all the others (e2e/test_close_reasons.py), metric,
// ring, log, API and command line say the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <equinox/admin.hpp>
#include <equinox/metrics.hpp>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "deploy/appliance/commands.hpp"
#include "net/syscalls.hpp"
#include "server/broken_body.hpp"
#include "server/failing_receive.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using ::testing::ElementsAre;

/// A server, a second one that shows it as the appliance's admin surface does, and everything the first one logs.
class CloseAgreement : public ServerTest {
 protected:
  CloseAgreement() {
    ::unsetenv("EQUINOX_TOKEN");
    net::syscalls().recv = failing_receive;
    config.log.level = LogLevel::debug;
    config.log.format = "json";
    config.log.sink = [this](LogLevel, std::string_view line) {
      const std::lock_guard lock{mutex_};
      lines_.push_back(Json::parse(line));
    };
  }
  ~CloseAgreement() override {
    // Their threads use the seam, and the log's this object.
    if (admin_) admin_->stop();
    if (admin_) server().stop();
    receive_errno = 0;
    net::syscalls() = net::real_syscalls();
  }

  void serve() {
    start();
    ServerConfig surface;
    surface.listeners = {{.name = "admin", .address = "127.0.0.1:0"}};
    surface.reactors = 1;
    surface.log.target = "off";
    admin_.emplace(surface);
    admin_->mount("/admin", admin::routes(server().view(), {}));
    admin_->get("/metrics", metrics::exposition(server().view()));
    admin_->start();
  }

  /// Exactly one connection was closed, and whoever is asked says that it was for this.
  void everybody_says(CloseReason reason) {
    receive_errno = 0;  // the surface reads through the same seam
    ASSERT_TRUE(closed_once_for(reason));
    const std::string word{to_string(reason)};
    EXPECT_THAT(reasons_of_the_metric(), ElementsAre(word));

    const Json rows = ask("/admin/api/v1/closed")["rows"];
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0]["reason"], word);
    const std::string id = rows[0]["id"];

    ASSERT_TRUE(eventually([&] { return !logged(id).empty(); })) << "no line in the log";
    ASSERT_EQ(logged(id).size(), 1U);
    EXPECT_EQ(logged(id)[0]["reason"], word);
    EXPECT_EQ(logged(id)[0]["peer"], rows[0]["peer"]);

    const Json detail = ask("/admin/api/v1/connection/" + id);
    EXPECT_EQ(detail["closed"], rows[0]);
    EXPECT_EQ(reason_in(detail["log"]), word);

    appliance::Options options;
    options.admin.address = "127.0.0.1:" + std::to_string(admin_->port());
    options.query = id;
    options.json = true;
    ::testing::internal::CaptureStdout();
    const int status = appliance::run_why(options);
    const std::string said = ::testing::internal::GetCapturedStdout();
    ASSERT_EQ(status, 0) << said;
    const Json why = Json::parse(said)["rows"][0];
    EXPECT_EQ(why["reason"], word);
    EXPECT_EQ(why["sentence"], rows[0]["sentence"]);
    EXPECT_EQ(reason_in(why["log"]), word);
    lines_of_it_ = why["log"];
  }

  /// One request, and all that comes until the server ends the connection.
  std::string talk() {
    RawClient client{port()};
    client.send(kGet);
    EXPECT_TRUE(client.read_to_end()) << "still open";
    return client.received();
  }

  /// Before the line on the end there is one about what was thrown, redacted.
  void says_first(std::string_view message) {
    ASSERT_EQ(lines_of_it_.size(), 2U);
    EXPECT_EQ(lines_of_it_[0]["message"], message);
    EXPECT_NE(lines_of_it_[0].dump().find("there is no /store?key=***"), std::string::npos) << lines_of_it_[0];
    EXPECT_EQ(lines_of_it_[0].dump().find("secret"), std::string::npos);
  }

 private:
  std::vector<Json> logged(const std::string& id) {
    const std::lock_guard lock{mutex_};
    std::vector<Json> out;
    for (const Json& line : lines_) {
      if (line["message"] == "connection closed" && line["connection"] == id) out.push_back(line);
    }
    return out;
  }
  std::string get(const std::string& path) const {
    httplib::Client client{"127.0.0.1", admin_->port()};
    const auto answer = client.Get(path.c_str());
    return answer ? answer->body : std::string{};
  }
  Json ask(const std::string& path) const { return Json::parse(get(path), nullptr, false); }
  /// The reasons whose counter is not 0; each as often as it was counted.
  std::vector<std::string> reasons_of_the_metric() const {
    constexpr std::string_view kLabel = "reason=\"";
    std::vector<std::string> out;
    std::istringstream page{get("/metrics")};
    for (std::string line; std::getline(page, line);) {
      if (!line.starts_with("equinox_connections_closed_total{")) continue;
      const auto begin = line.find(kLabel) + kLabel.size();
      const auto count = std::stoul(line.substr(line.rfind(' ')));
      out.insert(out.end(), count, line.substr(begin, line.find('"', begin) - begin));
    }
    return out;
  }
  /// What the lines shown with a connection give as its reason; the last one says it.
  static std::string reason_in(const Json& lines) {
    if (lines.empty() || lines.back()["message"] != "connection closed") return "no line";
    for (const Json& field : lines.back()["fields"]) {
      if (field["name"] == "reason") return field["value"];
    }
    return "no reason";
  }

  Json lines_of_it_;  ///< what everybody_says() was told
  std::mutex mutex_;
  std::vector<Json> lines_;
  std::optional<Server> admin_;
};

TEST_F(CloseAgreement, ResponseConnectionClose) {
  make().get("/", [](const Request&) { return std::move(Response::text("bye").close_connection()); });
  serve();
  talk();
  everybody_says(CloseReason::response_connection_close);
}

TEST_F(CloseAgreement, AppClose) {
  make().get("/", [](const Request&) { return Response::text("hello"); });
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  ConnectionId id;
  server().view().for_each_record([&](const ConnectionRecord& record) {
    id = record.id;
    return false;
  });
  ASSERT_TRUE(server().close(id, CloseReason::app_close));
  EXPECT_TRUE(client.read_to_end());
  everybody_says(CloseReason::app_close);
}

TEST_F(CloseAgreement, HandlerTimeout) {
  config.timeouts.handler = 150ms;
  std::optional<Responder> kept;
  make().get("/", [&](Request, Responder responder) { kept.emplace(std::move(responder)); });
  serve();
  talk();
  everybody_says(CloseReason::handler_timeout);
}

TEST_F(CloseAgreement, HandlerAbort) {
  make().get("/", [](const Request&) { return Response::stream(std::make_unique<BrokenBody>(false), "text/plain"); });
  serve();
  talk();
  everybody_says(CloseReason::handler_abort);
}

TEST_F(CloseAgreement, HandlerExceptionAfterStart) {
  make().get("/", [](const Request&) { return Response::stream(std::make_unique<BrokenBody>(true), "text/plain"); });
  serve();
  talk();
  everybody_says(CloseReason::handler_exception_after_start);
  says_first("body threw");
}

TEST_F(CloseAgreement, NetworkTimeout) {
  make().get("/", [](const Request&) { return Response::text("hello"); });
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  receive_errno = ETIMEDOUT;
  client.send("G");
  EXPECT_TRUE(client.read_to_end());
  everybody_says(CloseReason::network_timeout);
}

TEST_F(CloseAgreement, NetworkError) {
  make().get("/", [](const Request&) { return Response::text("hello"); });
  serve();
  RawClient client{port()};
  client.send(kGet);
  client.read_for("hello");
  receive_errno = EHOSTUNREACH;
  client.send("G");
  EXPECT_TRUE(client.read_to_end());
  everybody_says(CloseReason::network_error);
}

/// Not a reason of its own, but what people look for next to one: the line of the handler that threw.
TEST_F(CloseAgreement, WhatAHandlerThrewStandsBesideTheEndOfItsConnection) {
  make().get("/", [](const Request&) -> Response { throw std::runtime_error{"there is no /store?key=secret"}; });
  serve();
  RawClient client{port()};
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  everybody_says(CloseReason::client_connection_close);
  says_first("handler threw");
}

}  // namespace
}  // namespace equinox::testing
