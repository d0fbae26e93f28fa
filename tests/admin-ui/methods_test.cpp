// Which methods the calls of the API have, as the router of a server finds them.

#include <gtest/gtest.h>

#include "admin-ui/fake_view.hpp"
#include "http/router.hpp"

namespace equinox::admin {
namespace {

class Methods : public testing::Test {
 protected:
  Response asked(Method method, std::string_view name, std::string_view path, std::string_view query = {}) {
    RequestHead head;
    head.method = method;
    head.method_name = name;
    head.path = head.target = path;
    head.query = query;
    head.authority = "127.0.0.1:9181";
    RequestContext context;
    context.peer = context.client = Endpoint::v4({127, 0, 0, 1}, 40000);
    http::RouteParameters parameters;
    const http::Match match = router_.match(head, "admin", parameters);
    if (match.status != http::MatchStatus::found) return Response::error(500);
    const Request request{head, context, "", match.parameters};
    return (*match.route->handler.sync())(request);
  }
  Surface surface_;
  http::Router router_{routes_over(surface_.state)};
};

TEST_F(Methods, HeadIsAnsweredAsGetIs) {
  for (const char* path :
       {"/session", "/status", "/connections", "/closed", "/requests/slow", "/strip", "/deadlines", "/routes", "/http2",
        "/reactors", "/stalls", "/config", "/certificates", "/audit", "/log-level", "/events"}) {
    const std::string whole = std::string{"/api/v1"} + path;
    EXPECT_EQ(asked(Method::head, "HEAD", whole).status().code(), 200) << path;
    EXPECT_EQ(asked(Method::head, "HEAD", whole).content_type(), asked(Method::get, "GET", whole).content_type());
  }
  EXPECT_EQ(asked(Method::head, "HEAD", "/api/v1/series", "names=requests").status().code(), 200);
  EXPECT_EQ(asked(Method::head, "HEAD", "/api/v1/connections/none").status().code(), 410);
  EXPECT_EQ(asked(Method::head, "HEAD", "/api/v1/drain").status().code(), 405) << "there is no GET";
}

TEST_F(Methods, ThoseThatAreRareAreRefusedInTheApisOwnWords) {
  for (const auto& [method, name] : {std::pair{Method::trace, "TRACE"}, {Method::other, "PROPFIND"}}) {
    const Response known = asked(method, name, "/api/v1/status");
    EXPECT_EQ(known.status().code(), 405) << name;
    EXPECT_EQ(known.content_type(), "application/problem+json") << name;
    EXPECT_EQ(known.field("allow"), "GET, HEAD") << name;
    const Response unknown = asked(method, name, "/api/v1/nothing");
    EXPECT_EQ(unknown.status().code(), 404) << name;
    EXPECT_EQ(unknown.content_type(), "application/problem+json") << name;
  }
}

}  // namespace
}  // namespace equinox::admin
