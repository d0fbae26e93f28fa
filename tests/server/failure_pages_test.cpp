#include <atomic>
#include <optional>
#include <string>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A sink that fails where it is told to.
class BrokenSink final : public BodySink {
 public:
  explicit BrokenSink(bool at_once) : at_once_{at_once} {}
  SinkStatus receive(std::span<const std::byte>) override {
    if (at_once_) throw std::runtime_error{"no"};
    return SinkStatus::more;
  }
  Response finish() override { throw std::runtime_error{"no"}; }

 private:
  bool at_once_;
};

class FailurePages : public ServerTest {
 protected:
  Server& make_with_page() {
    Server& made = make();
    made.internal_error([](const Request& request) {
      return Response::text("sorry for " + std::string{request.path()} + " " + std::string{request.body()}, 500);
    });
    return made;
  }
  std::string post(const std::string& path, const std::string& body) {
    return exchange("POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
                    "\r\n\r\n" + body);
  }
  /// The newest request that is counted, once there are `count`.
  std::optional<RequestRecord> newest(std::size_t count) {
    std::optional<RequestRecord> found;
    eventually([&] {
      std::size_t seen = 0;
      found.reset();
      server().view().recent_requests([&](const RequestRecord& record) {
        if (!found) found = record;
        ++seen;
        return true;
      });
      return seen >= count;
    });
    return found;
  }
};

TEST_F(FailurePages, ServeExceptionsOfEveryShape) {
  Server& made = make_with_page();
  made.post("/sync", [](const Request&) -> Response { throw std::runtime_error{"no"}; });
  made.post("/async", [](Request, Responder) { throw std::runtime_error{"no"}; });
  made.post("/receive", [](const Request&) { return std::make_unique<BrokenSink>(true); });
  made.post("/finish", [](const Request&) { return std::make_unique<BrokenSink>(false); });
  made.post("/no-sink", [](const Request&) { return std::unique_ptr<BodySink>{}; });
  start();
  std::size_t count = 0;
  for (const std::string path : {"/sync", "/async", "/receive", "/finish", "/no-sink"}) {
    SCOPED_TRACE(path);
    const std::string answer = post(path, "body");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(answer, HasSubstr("sorry for " + path));
    const auto record = newest(++count);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->error, ErrorType::handler_exception);
  }
}

TEST_F(FailurePages, ServeRequestsThatNobodyAnswers) {
  Server& made = make_with_page();
  made.post("/at-once", [](Request, Responder) {});
  made.post("/later", [&made](Request, Responder responder) {
    auto shared = std::make_shared<Responder>(std::move(responder));
    EXPECT_TRUE(made.offload([shared] {}));
  });
  start();
  std::size_t count = 0;
  for (const std::string path : {"/at-once", "/later"}) {
    SCOPED_TRACE(path);
    const std::string answer = post(path, "body");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(answer, EndsWith("sorry for " + path + " body"));
    const auto record = newest(++count);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->status, 500);
    EXPECT_EQ(record->error, ErrorType::status);
    EXPECT_GT(record->phases_ns[static_cast<std::size_t>(RequestPhase::handler)], 0);
  }
}

TEST_F(FailurePages, AreNotForAfterHoweverAHandlerFails) {
  Server& made = make_with_page();
  made.after([](const Request&, Response& response) { response.with("X-After", "ran"); });
  made.post("/sync", [](const Request&) -> Response { throw std::runtime_error{"no"}; });
  made.post("/async", [](Request, Responder) { throw std::runtime_error{"no"}; });
  made.post("/dropped", [](Request, Responder) {});
  made.post("/receive", [](const Request&) { return std::make_unique<BrokenSink>(true); });
  made.post("/finish", [](const Request&) { return std::make_unique<BrokenSink>(false); });
  made.post("/no-sink", [](const Request&) { return std::unique_ptr<BodySink>{}; });
  made.post("/fine", [](Request, Responder responder) { responder.send(Response::text("fine")); });
  Routes early;
  early.before([](const Request&) { return std::optional{Response::error(401)}; });
  early.post("/sync", [](const Request&) { return Response::text("never"); });
  early.post("/async", [](Request, Responder) {});
  made.mount("/early", std::move(early));
  start();
  for (const std::string path : {"/sync", "/async", "/dropped", "/receive", "/finish", "/no-sink"}) {
    EXPECT_THAT(post(path, "body"), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("X-After")))) << path;
  }
  for (const std::string path : {"/early/sync", "/early/async"}) {
    EXPECT_THAT(post(path, "body"), AllOf(StartsWith("HTTP/1.1 401 "), Not(HasSubstr("X-After")))) << path;
  }
  EXPECT_THAT(post("/fine", "body"), HasSubstr("X-After: ran"));
}

TEST_F(FailurePages, KnowARequestWhoseBodyCameLater) {
  make_with_page().post("/", [](Request, Responder) {});
  start();
  RawClient client{port()};
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  client.read_for("100 Continue\r\n\r\n");
  client.send("body");
  EXPECT_THAT(client.read_for("sorry for / body"), HasSubstr("sorry for / body"));
  client.send(kGet);  // 405: the connection lives on
  EXPECT_THAT(client.read_for("HTTP/1.1 405 "), HasSubstr("HTTP/1.1 405 "));
}

TEST_F(FailurePages, GiveWayToThePlainAnswerWhenTheyThrow) {
  std::atomic<int> asked{0};
  Server& made = make();
  made.internal_error([&asked](const Request&) -> Response {
    ++asked;
    throw std::runtime_error{"neither"};
  });
  made.get("/", [](Request, Responder) {});
  start();
  const std::string answer = exchange(kGet);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, EndsWith("500 Internal Server Error\n"));
  EXPECT_EQ(asked, 1);
}

TEST_F(FailurePages, AreNotAskedForAnAnswerOfStatus500) {
  make_with_page().get("/", [](Request, Responder responder) { responder.send(Response::text("mine", 500)); });
  start();
  EXPECT_THAT(exchange(kGet), Not(HasSubstr("sorry")));
}

}  // namespace
}  // namespace equinox::testing
