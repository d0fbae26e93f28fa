// What the access log says of a request, as far as its client could stretch it.

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using ::testing::HasSubstr;

class AccessLine : public ServerTest {
 protected:
  AccessLine() {
    config.log.access = path_;
    config.log.access_format = "json";
  }
  ~AccessLine() override { std::filesystem::remove(path_); }
  /// The line of a request, once it is written.
  std::string line_of(std::string_view request) {
    exchange(request);
    std::string line;
    EXPECT_TRUE(eventually([&] {
      std::ifstream in{path_};
      line.assign(std::istreambuf_iterator<char>{in}, {});
      return line.ends_with('\n');
    }));
    return line;
  }

 private:
  std::string path_ = ::testing::TempDir() + "access-" + std::to_string(::getpid()) + ".log";
};

TEST_F(AccessLine, HasTheWholeTarget) {
  make().get("/*", [](const Request&) { return Response::text("hello"); });
  start();
  const std::string target = '/' + std::string(300, 'x');
  EXPECT_THAT(line_of("GET " + target + " HTTP/1.1\r\nHost: a\r\nReferer: /from\r\n\r\n"),
              AllOf(HasSubstr("\"target\":\"" + target + '"'), HasSubstr("\"referer\":\"/from\"")));
}

TEST_F(AccessLine, SaysThatItIsCut) {
  make().get("/*", [](const Request&) { return Response::text("hello"); });
  start();
  EXPECT_THAT(line_of("GET /" + std::string(4'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
              AllOf(HasSubstr(std::string(300, 'x')), HasSubstr("\"cut\":true")));
}

TEST_F(AccessLine, SaysWhoAskedHoweverLongTheTargetIs) {
  make().get("/*", [](const Request&) { return Response::text("hello"); });
  start();
  EXPECT_THAT(line_of("GET /" + std::string(4'000, 'x') + " HTTP/1.1\r\nHost: a.example\r\nUser-Agent: agent " +
                      std::string(600, 'y') + "\r\nReferer: /from\r\n\r\n"),
              AllOf(HasSubstr("\"authority\":\"a.example\""), HasSubstr("\"user_agent\":\"agent y"),
                    HasSubstr("\"referer\":\"/from\""), HasSubstr(std::string(200, 'x')), HasSubstr("\"cut\":true")));
}

TEST_F(AccessLine, SaysThatAFieldIsCut) {
  make().get("/*", [](const Request&) { return Response::text("hello"); });
  start();
  EXPECT_THAT(line_of("GET / HTTP/1.1\r\nHost: a\r\nReferer: /" + std::string(200, 'x') + "\r\n\r\n"),
              AllOf(HasSubstr(std::string(159, 'x')), ::testing::Not(HasSubstr(std::string(160, 'x'))),
                    HasSubstr("\"target\":\"/\""), HasSubstr("\"cut\":true")));
}

TEST_F(AccessLine, HasTheNameOfARareMethod) {
  make().any("/", [](const Request&) { return Response::text("hello"); });
  start();
  EXPECT_THAT(line_of("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"), HasSubstr("\"method\":\"PROPFIND\""));
}

TEST_F(AccessLine, HasAllOfARequestThatIsAnsweredLater) {
  make().get("/*", [](Request, Responder responder) { responder.send(Response::text("later")); });
  start();
  const std::string target = '/' + std::string(300, 'x');
  EXPECT_THAT(line_of("GET " + target + " HTTP/1.1\r\nHost: a\r\nUser-Agent: test\r\n\r\n"),
              AllOf(HasSubstr("\"target\":\"" + target + '"'), HasSubstr("\"user_agent\":\"test\"")));
}

}  // namespace
}  // namespace equinox::testing
