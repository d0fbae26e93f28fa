// What an answer of the server's own carries: the request's id, and the fields of the route that was refused.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "http/http2_client.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RefusalAnswers : public ServerTest {
 protected:
  RefusalAnswers() {
    config.log.access = path_;
    config.log.access_format = "json";
    config.limits.request_head = 1024;
  }
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    RouteOptions options;
    options.request_body_max_bytes = 10;
    options.response_fields = {{"X-Route", "upload"}};
    server().post(
        "/upload", [](const Request&) { return Response::text("thanks"); }, options);
    start();
  }
  ~RefusalAnswers() override { std::filesystem::remove(path_); }
  [[nodiscard]] std::string log() const {
    std::ifstream in{path_};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  /// The value of X-Request-Id in an answer; empty where there is none.
  static std::string id_of(const std::string& answer) {
    constexpr std::string_view kName = "X-Request-Id: ";
    const std::size_t at = answer.find(kName);
    if (at == std::string::npos) return {};
    return answer.substr(at + kName.size(), answer.find('\r', at) - at - kName.size());
  }
  bool is_logged(const std::string& id) {
    return eventually([&] { return log().find("\"request_id\":\"" + id + '"') != std::string::npos; });
  }

 private:
  std::string path_ = ::testing::TempDir() + "refusals-" + std::to_string(::getpid()) + ".log";
};

class EarlyRefusals : public RefusalAnswers,
                      public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(EarlyRefusals, HaveAnIdThatIsLogged) {
  serve();
  const auto& [status, request] = GetParam();
  RawClient client{port()};
  client.send(request);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), StartsWith(std::string{"HTTP/1.1 "} + status));
  const std::string id = id_of(client.received());
  EXPECT_EQ(id.size(), 16U) << client.received();
  EXPECT_TRUE(is_logged(id)) << log();
}

const std::string kLongHead = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2000, 'x') + "\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(Statuses, EarlyRefusals,
                         ::testing::Values(std::pair{"400", "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"},
                                           std::pair{"417", "GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"},
                                           std::pair{"431", kLongHead.c_str()},
                                           std::pair{"501", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"},
                                           std::pair{"505", "GET / HTTP/1.7\r\nHost: a\r\n\r\n"}));

TEST_F(RefusalAnswers, ALateHeadHasAnIdToo) {
  config.timeouts.header = 200ms;
  serve();
  RawClient client{port()};
  client.send("GET / HT");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(is_logged(id_of(client.received()))) << client.received();
  EXPECT_EQ(id_of(client.received()).size(), 16U);
}

TEST_F(RefusalAnswers, AnExpectationKeepsTheClientsOwnId) {
  serve();
  RawClient client{port()};
  client.send("GET / HTTP/1.1\r\nHost: a\r\nx-request-id:  mine-1 \r\nExpect: tea\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_EQ(id_of(client.received()), "mine-1") << client.received();
  EXPECT_TRUE(is_logged("mine-1")) << log();
}

TEST_F(RefusalAnswers, AnExpectationOverHttp2KeepsTheClientsOwnId) {
  serve();
  RawClient client{port()};
  http::test::Http2Client protocol;
  const std::int32_t stream = protocol.get("/", {{"x-request-id", "mine-2"}, {"expect", "tea"}});
  client.send(protocol.output());
  EXPECT_TRUE(eventually([&] {
    client.read_until([](const std::string& all) { return !all.empty(); }, 20ms);
    protocol.input(client.received());
    client.forget();
    return protocol.answer(stream).is_ended;
  }));
  EXPECT_EQ(protocol.answer(stream).status, 417);
  EXPECT_EQ(protocol.answer(stream).field("x-request-id"), "mine-2");
  EXPECT_TRUE(is_logged("mine-2")) << log();
}

/// An application that passes an id on has decided which one it is.
TEST_F(RefusalAnswers, AnIdOfTheHandlersOwnIsTheOnlyOne) {
  make().get("/", [](const Request&) { return Response::text("hello").with("x-request-id", "its-own"); });
  server().get("/none", [](const Request&) { return Response::text("hello").with("x-request-id", ""); });
  server().get(
      "/route",
      [](const Request&) { return Response::text("hello").with("x-request-id", "its-own").with("server", "s"); },
      {.response_fields = {{"X-Request-Id", "the route's"}, {"Server", "the route's"}, {"X-More", "the route's"}}});
  start();
  for (const char* path : {"/", "/none", "/route"}) {
    const std::string answer = exchange("GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("x-request-id: ")) << path;
    EXPECT_THAT(answer, Not(HasSubstr("X-Request-Id"))) << path;
  }
  const std::string answer = exchange("GET /route HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("server: s\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Server")));
  EXPECT_THAT(answer, HasSubstr("X-More: the route's"));
}

TEST_F(RefusalAnswers, ABodyThatStopsIsLoggedAsRefused) {
  config.timeouts.body = 100ms;
  serve();
  RawClient client{port()};
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(eventually([&] { return log().find("\"refused\":\"body_timeout\"") != std::string::npos; })) << log();
}

TEST_F(RefusalAnswers, HaveNoIdWhereIdsAreOff) {
  config.request_ids = false;
  serve();
  RawClient client{port()};
  client.send("BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), Not(HasSubstr("X-Request-Id")));
}

TEST_F(RefusalAnswers, ABodyThatIsTooLargeGetsTheFieldsOfItsRoute) {
  serve();
  RawClient client{port()};
  client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(client.received(), HasSubstr("X-Route: upload\r\n"));
}

TEST_F(RefusalAnswers, SoDoesAHandlersFailure) {
  RouteOptions options;
  options.response_fields = {{"X-Route", "broken"}};
  make().get(
      "/broken", [](const Request&) -> Response { throw std::runtime_error{"broken"}; }, options);
  start();
  const std::string answer = exchange("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 "));
  EXPECT_THAT(answer, HasSubstr("X-Route: broken\r\n"));
}

}  // namespace
}  // namespace equinox::testing
