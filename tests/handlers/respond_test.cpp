#include "handlers/respond.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "handlers/request_maker.hpp"

namespace equinox::handlers {
namespace {

TEST(Respond, AnswersTheSameToEverybody) {
  const SyncHandler handler = respond(418, "application/json", "{}");
  Response response = handler(RequestMaker{"/a"}.make());
  EXPECT_EQ(response.status().code(), 418);
  EXPECT_EQ(response.content_type(), "application/json");
  EXPECT_EQ(body_of(response), "{}");
}

std::string location(const std::string& to, RequestMaker maker) {
  Response response = redirect(to, 308)(maker.make());
  return response.status().code() == 308 ? std::string{response.field("Location")}
                                         : std::to_string(response.status().code());
}

TEST(Redirect, FillsItsPlaceholders) {
  EXPECT_EQ(location("https://{host}/new/{rest}", RequestMaker{"/old/a/b"}.rest("a/b")), "https://a.example/new/a/b");
  EXPECT_EQ(location("https://x{path}?{query}", RequestMaker{"/a b"}.query("c=d")), "https://x/a%20b?c=d");
  EXPECT_EQ(location("/users/{id}/profile", RequestMaker{"/u/7"}.parameter("id", "7 8")), "/users/7%208/profile");
  EXPECT_EQ(location("/fixed", RequestMaker{"/a"}), "/fixed");
}

TEST(Redirect, KeepsAQueryAndLeavesNoQuestionMarkWithoutOne) {
  const std::string to = "https://{host}/{rest}?{query}";
  EXPECT_EQ(location(to, RequestMaker{"/a"}.rest("a").query("c=d&e")), "https://a.example/a?c=d&e");
  EXPECT_EQ(location(to, RequestMaker{"/a"}.rest("a")), "https://a.example/a");
  EXPECT_EQ(location("/new?{query}#top", RequestMaker{"/a"}), "/new#top");
  EXPECT_EQ(location("/new?{query}&from=old", RequestMaker{"/a"}), "/new?&from=old") << "the query goes on";
  EXPECT_EQ(location("/new?from=old&{query}", RequestMaker{"/a"}), "/new?from=old&");
}

TEST(Redirect, AnEncodedSlashStaysOne) {
  EXPECT_EQ(location("/new/{rest}", RequestMaker{"/old/a%2Fb"}.rest("a%2Fb")), "/new/a%2Fb") << "as the path holds it";
  EXPECT_EQ(location("/new/{rest}", RequestMaker{"/old/a%252Fb"}.rest("a%252Fb")), "/new/a%252Fb");
  EXPECT_EQ(location("/new{path}", RequestMaker{"/a%2Fb"}), "/new/a%2Fb");
  EXPECT_EQ(location("/n/{name}/x", RequestMaker{"/u/a%2Fb"}.parameter("name", "a/b")), "/n/a%2Fb/x")
      << "a parameter's value is decoded: one segment in, one segment out";
  EXPECT_EQ(location("/n/{name}", RequestMaker{"/u/x"}.parameter("name", "50%/../x")), "/n/50%25%2F..%2Fx");
}

TEST(Redirect, WhatAPathMayHoldStaysAsItIs) {
  const std::string all = "a;v=1@b:c,d+e!f$g&h(i)*'j";
  EXPECT_EQ(location("/new/{rest}", RequestMaker{"/old/x"}.rest(all)), "/new/" + all);
  EXPECT_EQ(location("https://{host}/{rest}", RequestMaker{"/old/x"}.rest(all)), "https://a.example/" + all);
  EXPECT_EQ(location("//b.example/{rest}", RequestMaker{"/old/x"}.rest(all)), "//b.example/" + all);
  EXPECT_EQ(location("https://x{path}", RequestMaker{"/" + all}), "https://x/" + all);
  EXPECT_EQ(location("/u/{id}", RequestMaker{"/x"}.parameter("id", all)), "/u/" + all);
  EXPECT_EQ(location("/u/{id}", RequestMaker{"/x"}.parameter("id", "/?#%\\[]\x7f\xff")),
            "/u/%2F%3F%23%25%5C%5B%5D%7F%FF");
}

TEST(Redirect, WhatWouldNameAHostOrPartAQueryIsEncoded) {
  EXPECT_EQ(location("/login?to={path}&x=1", RequestMaker{"/a&b=c+d"}), "/login?to=/a%26b%3Dc%2Bd&x=1");
  EXPECT_EQ(location("/find?q={rest}", RequestMaker{"/x"}.rest("a&b=c")), "/find?q=a%26b%3Dc");
  EXPECT_EQ(location("/find?q={id}", RequestMaker{"/x"}.parameter("id", "a&b=c")), "/find?q=a%26b%3Dc");
  EXPECT_EQ(location("/a#{id}", RequestMaker{"/x"}.parameter("id", "a=b")), "/a#a%3Db");
  EXPECT_EQ(location("https://{id}.example/", RequestMaker{"/x"}.parameter("id", "b:80")), "https://b%3A80.example/");
  EXPECT_EQ(location("//{id}.example/", RequestMaker{"/x"}.parameter("id", "a@b")), "//a%40b.example/");
  EXPECT_EQ(location("{rest}", RequestMaker{"/x"}.rest("https:b/c")), "https%3Ab/c");
  EXPECT_EQ(location("{id}/c", RequestMaker{"/x"}.parameter("id", "javascript:b")), "javascript%3Ab/c");
}

TEST(Redirect, NothingFromTheRequestEndsTheFieldOrNamesAnotherHost) {
  EXPECT_EQ(location("/new/{rest}", RequestMaker{"/x"}.rest("a\r\nSet-Cookie: b")), "/new/a%0D%0ASet-Cookie:%20b");
  EXPECT_EQ(location("/{rest}", RequestMaker{"/x"}.rest("/evil.example")), "/evil.example");
  EXPECT_EQ(location("{path}", RequestMaker{"//evil.example"}), "/evil.example");
  EXPECT_EQ(location("https://{authority}/", RequestMaker{"/"}.authority("a\r\nb")), "400");
  EXPECT_EQ(location("https://{host}/", RequestMaker{"/"}.authority("a\r\nb")), "400");
  EXPECT_EQ(location("https://{host}/", RequestMaker{"/"}.authority("")), "400");
  EXPECT_EQ(location("/?{query}", RequestMaker{"/"}.query("a\r\nb")), "/?a%0D%0Ab");
}

TEST(Redirect, APathStaysOne) {
  EXPECT_EQ(location("/{query}", RequestMaker{"/"}.query("/evil.example")), "/evil.example");
  EXPECT_EQ(location("/{query}", RequestMaker{"/"}.query("\\/evil.example")), "/evil.example");
  EXPECT_EQ(location("/{rest}/{id}", RequestMaker{"/"}.rest("").parameter("id", "evil.example")), "/evil.example");
  EXPECT_EQ(location("{path}{query}", RequestMaker{"/"}.query("/evil.example")), "/evil.example");
  EXPECT_EQ(location("/{query}", RequestMaker{"/"}.query("/")), "/");
  EXPECT_EQ(location("//b.example/{rest}", RequestMaker{"/"}.rest("a")), "//b.example/a") << "as it is written";
  EXPECT_EQ(location("/a//{rest}", RequestMaker{"/"}.rest("b")), "/a//b");
}

TEST(Redirect, HostLeavesThePortOfTheListenerOut) {
  EXPECT_EQ(location("https://{host}/x", RequestMaker{"/"}.authority("example.net:19382")), "https://example.net/x");
  EXPECT_EQ(location("https://{host}:8443/x", RequestMaker{"/"}.authority("example.net")),
            "https://example.net:8443/x");
  EXPECT_EQ(location("https://{host}/x", RequestMaker{"/"}.authority("[2001:db8::1]:8080")), "https://[2001:db8::1]/x");
  EXPECT_EQ(location("https://{host}/x", RequestMaker{"/"}.authority("[2001:db8::1]")), "https://[2001:db8::1]/x");
  EXPECT_EQ(location("https://{host}/x", RequestMaker{"/"}.authority(":8080")), "400");
  EXPECT_EQ(location("http://{authority}/x", RequestMaker{"/"}.authority("example.net:19382")),
            "http://example.net:19382/x");
}

TEST(Echo, AnswersTheBodyWithItsTypeButLetsNoScriptRun) {
  RequestMaker maker{"/echo", Method::post};
  maker.body("<script>").field("Content-Type", "text/html");
  Response response = echo()(maker.make());
  EXPECT_EQ(body_of(response), "<script>");
  EXPECT_EQ(response.content_type(), "text/html");
  EXPECT_EQ(response.field("X-Content-Type-Options"), "nosniff");
}

TEST(Echo, WithoutABodyDescribesTheRequestWhateverItsBytes) {
  RequestMaker maker{"/echo"};
  maker.field("X-A", "\xff\"").query("q=1");
  Response response = echo()(maker.make());
  const auto json = nlohmann::json::parse(body_of(response));
  EXPECT_EQ(json["method"], "GET");
  EXPECT_EQ(json["fields"][0]["name"], "X-A");
  EXPECT_EQ(json["query"], "q=1");
}

TEST(Echo, DescribesARequestWhoseFramingAnnouncedABodyThatNeverCame) {
  RequestMaker maker{"/echo", Method::post};
  maker.field("Transfer-Encoding", "chunked").body("");
  Response response = echo()(maker.make());
  EXPECT_EQ(response.content_type(), "application/json");
  EXPECT_EQ(nlohmann::json::parse(body_of(response))["method"], "POST");
}

TEST(Welcome, LinksToTheDashboard) {
  const SyncHandler handler = welcome("http://127.0.0.1:9181/admin/");
  Response response = handler(RequestMaker{"/"}.make());
  EXPECT_EQ(response.content_type(), "text/html; charset=utf-8");
  EXPECT_THAT(body_of(response), testing::HasSubstr("href=\"http://127.0.0.1:9181/admin/\""));
}

}  // namespace
}  // namespace equinox::handlers
