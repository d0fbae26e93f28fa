#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "admin-ui/event_listener.hpp"
#include "admin-ui/fake_view.hpp"
#include "admin-ui/tokens_file.hpp"

namespace equinox::admin {
namespace {

/// The field that shows who asks.
using Proof = std::pair<std::string, std::string>;

struct Sessions : testing::Test {
  static Options with(const TokensFile& file) {
    Options options;
    options.tokens_file = file.path();
    return options;
  }
  /// Signs in with that role's token.
  Proof sign_in(const std::string& role) {
    Ask ask;
    ask.method = Method::post;
    ask.path = "/api/v1/session";
    ask.fields = {{"Content-Type", "application/json"}};
    ask.body = R"({"token":")" + role + R"(-secret"})";
    const Got in = surface.ask(ask);
    EXPECT_EQ(in.status, 200) << in.text;
    return {"Cookie", in.cookie.substr(0, in.cookie.find(';'))};
  }
  int call(Method method, const std::string& path, const Proof& who) {
    Ask ask;
    ask.method = method;
    ask.path = "/api/v1" + path;
    ask.fields = {who};
    return surface.ask(ask).status;
  }
  Response listen(const Proof& who) {
    Ask ask;
    ask.path = "/api/v1/events";
    ask.fields = {who};
    return surface.respond(ask);
  }

  TokensFile file;
  Surface surface{with(file)};
};

TEST_F(Sessions, AnEventStreamEndsWithTheToken) {
  const Response kept = listen({"Authorization", "Bearer admin-secret"});
  const Response cut = listen({"Authorization", "Bearer viewer-secret"});
  const Response cut_cookie = listen(sign_in("operator"));
  surface.state->tick(after(1'000), true);
  EXPECT_EQ(surface.state->streams.size(), 3U);
  file.write(R"({"tokens":[{"role":"admin","sha256":")" + sha256_hex("admin-secret") + "\"}]}");
  surface.state->tick(after(2'000), true);
  EXPECT_EQ(surface.state->streams.size(), 1U);
}

TEST_F(Sessions, AnEventStreamEndsWithTheSession) {
  const Proof here = sign_in("viewer");
  const Proof elsewhere = sign_in("viewer");
  const Response first = listen(here);
  const Response second = listen(elsewhere);
  EXPECT_EQ(call(Method::del, "/session", here), 204);
  surface.state->tick(after(1'000), true);
  EXPECT_EQ(surface.state->streams.size(), 1U) << "the other one of the same token goes on";
  surface.state->tick(after(13 * 3'600'000), true);
  EXPECT_EQ(surface.state->streams.size(), 0U) << "sessions expire";
}

TEST_F(Sessions, WhoSignsInOftenSignsOutNobodyElse) {
  const Proof other = sign_in("admin");
  const Proof oldest = sign_in("viewer");
  const Proof next = sign_in("viewer");
  for (int i = 0; i < 63; ++i) sign_in("viewer");
  EXPECT_EQ(call(Method::get, "/session", other), 200);
  EXPECT_EQ(call(Method::get, "/session", oldest), 401) << "64 sessions of a token";
  EXPECT_EQ(call(Method::get, "/session", next), 200);
}

}  // namespace
}  // namespace equinox::admin
