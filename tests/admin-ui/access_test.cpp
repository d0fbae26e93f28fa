#include "admin-ui/api/access.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "admin-ui/api/secrets.hpp"
#include "admin-ui/fake_view.hpp"
#include "admin-ui/tokens_file.hpp"

namespace equinox::admin {
namespace {

Ask change(std::vector<std::pair<std::string, std::string>> fields) {
  Ask ask;
  ask.method = Method::post;
  ask.path = "/api/v1/drain";
  ask.body = "{}";
  ask.fields = std::move(fields);
  return ask;
}

TEST(Access, AnswersOnlyToAllowedNames) {
  Options options;
  options.hosts = {"admin.example.net", "*.corp.example", "10.1.2.3"};
  Surface surface{options};
  const std::pair<const char*, int> hosts[] = {{"127.0.0.1:9181", 200},    {"localhost:9181", 200},
                                               {"LOCALHOST", 200},         {"[::1]:9181", 200},
                                               {"a.localhost", 200},       {"127.8.9.1", 200},
                                               {"admin.example.net", 200}, {"x.corp.example:1", 200},
                                               {"10.1.2.3:80", 200},       {"evil.example", 421},
                                               {"127.evil.example", 421},  {"corp.example", 421},
                                               {"xcorp.example", 421},     {"", 421},
                                               {"localhost.evil", 421},    {"127.0.0.1.evil.example", 421}};
  for (const auto& [host, expected] : hosts) {
    Ask ask;
    ask.path = "/api/v1/status";
    ask.authority = host;
    EXPECT_EQ(surface.ask(ask).status, expected) << host;
  }
}

TEST(Access, APageBesideTheApiHasTheSameDoor) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  const Before door = viewers_only(options);
  const auto knock = [&door](std::string authority, std::vector<Field> fields) {
    RequestHead head;
    head.authority = authority;
    head.fields = fields;
    RequestContext context;
    context.peer = Endpoint::v4({127, 0, 0, 1}, 1);
    const auto refused = door(Request{head, context});
    return refused ? refused->status().code() : 200;
  };
  EXPECT_EQ(knock("localhost:9181", {{"authorization", "Bearer viewer-secret"}}), 200);
  EXPECT_EQ(knock("localhost:9181", {{"authorization", "Bearer viewer-secret"}, {"origin", "http://evil.example"}}),
            200);
  EXPECT_EQ(knock("evil.example", {{"authorization", "Bearer viewer-secret"}}), 421);
  EXPECT_EQ(knock("localhost:9181", {{"authorization", "Bearer wrong"}}), 401);
  EXPECT_EQ(knock("localhost:9181", {}), 401);
}

TEST(Access, WithoutTokensOnlyThisMachineIsOperator) {
  Surface surface;
  const Json session = surface.get("/session").json();
  EXPECT_EQ(session["role"], "operator");
  EXPECT_EQ(session["actor"], "local");
  Ask far;
  far.path = "/api/v1/status";
  far.peer = Endpoint::v4({192, 0, 2, 1}, 1);
  EXPECT_EQ(surface.ask(far).status, 401);
  const Got reload = surface.act(Method::post, "/reload", Json::object());
  EXPECT_EQ(reload.status, 403);
  EXPECT_EQ(reload.json()["needs_role"], "admin");
}

TEST(Access, RolesMayWhatTheyMay) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  Surface surface{options};
  EXPECT_EQ(surface.get("/status").status, 401) << "with tokens the machine alone is not enough";
  const std::tuple<const char*, int, int, int> matrix[] = {
      {"viewer", 200, 403, 403}, {"operator", 200, 200, 403}, {"admin", 200, 200, 422}, {"nobody", 401, 401, 401}};
  for (const auto& [role, looked, drained, reloaded] : matrix) {
    Ask ask;
    ask.path = "/api/v1/status";
    ask.fields = {{"Authorization", std::string{"Bearer "} + role + "-secret"}};
    ask.peer = Endpoint::v4({192, 0, 2, 1}, 1);
    EXPECT_EQ(surface.ask(ask).status, looked) << role;
    ask.method = Method::post;
    ask.path = "/api/v1/drain";
    EXPECT_EQ(surface.ask(ask).status, drained) << role;
    ask.path = "/api/v1/reload";
    EXPECT_EQ(surface.ask(ask).status, reloaded) << role;
  }
  const Json audit = surface.state->audit.page(100);
  EXPECT_EQ(audit["rows"][0]["result"], "refused");
  EXPECT_EQ(audit["total"], 8);
}

TEST(Access, AChangeMustComeFromItsOwnPage) {
  Surface surface;
  const std::pair<const char*, const char*> json{"Content-Type", "application/json"};
  const std::pair<const char*, const char*> action{"X-Equinox-Action", "1"};
  const std::pair<const char*, const char*> own{"Origin", "http://127.0.0.1:9181"};
  EXPECT_EQ(surface.ask(change({json, action, own})).status, 200);
  EXPECT_EQ(surface.ask(change({json, action, {"Sec-Fetch-Site", "same-origin"}})).status, 200);
  EXPECT_EQ(surface.ask(change({action})).status, 200) << "curl on this machine";
  EXPECT_EQ(surface.ask(change({json, own})).status, 403) << "no action field";
  EXPECT_EQ(surface.ask(change({json})).status, 403);
  EXPECT_EQ(surface.ask(change({action, own})).status, 403) << "not JSON";
  EXPECT_EQ(surface.ask(change({{"Content-Type", "text/plain"}, action, own})).status, 403);
  EXPECT_EQ(surface.ask(change({json, action, {"Origin", "http://evil.example"}})).status, 403);
  EXPECT_EQ(surface.ask(change({json, action, {"Origin", "null"}})).status, 403);
  EXPECT_EQ(surface.ask(change({json, action, {"Origin", "http://127.0.0.1:8080"}})).status, 403) << "another port";
  for (const char* site : {"cross-site", "same-site", "none"}) {
    EXPECT_EQ(surface.ask(change({json, action, own, {"Sec-Fetch-Site", site}})).status, 403) << site;
  }
}

// Something in front ends TLS: the browser's page is https, the socket is in the clear, and Host names the same place.
TEST(Access, APageBehindSomethingThatEndsTlsIsItsOwn) {
  Options options;
  options.hosts = {"eq.example", "2001:db8::1"};
  Surface surface{options};
  const auto changed = [&surface](Scheme scheme, const char* host, const char* origin) {
    Ask ask = change({{"Content-Type", "application/json"}, {"X-Equinox-Action", "1"}, {"Origin", origin}});
    ask.scheme = scheme;
    ask.authority = host;
    return surface.ask(ask).status;
  };
  constexpr Scheme kClear = Scheme::http;
  constexpr Scheme kTls = Scheme::https;
  const std::tuple<Scheme, const char*, const char*, int> asked[] = {
      {kClear, "eq.example", "https://eq.example", 200},
      {kClear, "eq.example:443", "https://eq.example", 200},
      {kClear, "EQ.example", "HTTPS://eq.example:443", 200},
      {kClear, "eq.example:8443", "https://eq.example:8443", 200},
      {kClear, "eq.example", "http://eq.example", 200},
      {kClear, "eq.example:80", "http://eq.example", 200},
      {kClear, "[2001:db8::1]", "https://[2001:db8::1]", 200},
      {kTls, "eq.example", "https://eq.example", 200},
      {kTls, "eq.example:9181", "https://eq.example:9181", 200},
      {kTls, "eq.example", "http://eq.example", 403},
      {kClear, "eq.example", "https://evil.example", 403},
      {kClear, "eq.example", "https://eq.example.evil", 403},
      {kClear, "eq.example", "https://eq.example/", 403},
      {kClear, "eq.example", "https://a@eq.example", 403},
      {kClear, "eq.example", "https://eq.example:8443", 403},
      {kClear, "eq.example:8443", "https://eq.example", 403},
      {kClear, "eq.example:80", "https://eq.example", 403},
      {kClear, "[2001:db8::1]", "https://[2001:db8::1]evil", 403},
      {kClear, "eq.example", "ftp://eq.example", 403},
      {kClear, "eq.example", "eq.example", 403},
      {kClear, "eq.example", "null", 403},
      {kClear, "eq.example", "", 403},
      {kTls, "eq.example", "null", 403},
      {kClear, "evil.example", "https://evil.example", 421}};
  for (const auto& [scheme, host, origin, expected] : asked) {
    EXPECT_EQ(changed(scheme, host, origin), expected) << (scheme == kTls) << " " << host << " " << origin;
  }
}

TEST(Access, ACookieIsSecureWhereTheBrowserAskedForHttps) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  options.hosts = {"eq.example"};
  Surface surface{options};
  const auto cookie = [&surface](Scheme scheme, const char* origin) {
    Ask ask;
    ask.method = Method::post;
    ask.path = "/api/v1/session";
    ask.fields = {{"Content-Type", "application/json"}};
    if (*origin != '\0') ask.fields.push_back({"Origin", origin});
    ask.body = R"({"token":"viewer-secret"})";
    ask.authority = "eq.example";
    ask.scheme = scheme;
    return surface.ask(ask).cookie;
  };
  EXPECT_TRUE(cookie(Scheme::http, "https://eq.example").ends_with("; Secure"));
  EXPECT_TRUE(cookie(Scheme::https, "https://eq.example").ends_with("; Secure"));
  EXPECT_TRUE(cookie(Scheme::https, "").ends_with("; Secure"));
  const std::string plain = cookie(Scheme::http, "http://eq.example");
  EXPECT_NE(plain, "");
  EXPECT_EQ(plain.find("Secure"), std::string::npos) << "a browser would not send it back";
  for (const char* foreign : {"https://evil.example", "null"}) EXPECT_EQ(cookie(Scheme::http, foreign), "") << foreign;
}

TEST(Access, SignsInWithACookieAndOut) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  Surface surface{options};
  Ask ask;
  ask.method = Method::post;
  ask.path = "/api/v1/session";
  ask.fields = {{"Content-Type", "application/json"}};
  ask.body = R"({"token":"wrong"})";
  EXPECT_EQ(surface.ask(ask).status, 401);
  ask.body = R"({"token":"operator-secret"})";
  const Got in = surface.ask(ask);
  ASSERT_EQ(in.status, 200) << in.text;
  EXPECT_EQ(in.json()["actor"], "my-operator");
  for (const char* part : {"equinox_session=", "; HttpOnly", "; SameSite=Strict", "; Path=/"}) {
    EXPECT_NE(in.cookie.find(part), std::string::npos) << in.cookie;
  }
  Ask look;
  look.path = "/api/v1/session";
  look.fields = {{"Cookie", "other=1; " + in.cookie.substr(0, in.cookie.find(';'))}};
  EXPECT_EQ(surface.ask(look).json()["how"], "cookie");
  look.method = Method::del;
  EXPECT_EQ(surface.ask(look).status, 204);
  look.method = Method::get;
  EXPECT_EQ(surface.ask(look).status, 401);
}

TEST(Access, WhoSignsInAndOutIsWrittenDown) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  options.usage = std::make_shared<Usage>();
  Surface surface{options};
  Ask ask;
  ask.method = Method::post;
  ask.path = "/api/v1/session";
  ask.fields = {{"Content-Type", "application/json"}};
  ask.body = R"({"token":"wrong"})";
  EXPECT_EQ(surface.ask(ask).status, 401);
  ask.body = R"({"token":"operator-secret"})";
  const Got in = surface.ask(ask);
  Ask out;
  out.method = Method::del;
  out.path = "/api/v1/session";
  EXPECT_EQ(surface.ask(out).status, 204) << "nobody was signed in";
  out.fields = {{"Cookie", in.cookie.substr(0, in.cookie.find(';'))}};
  EXPECT_EQ(surface.ask(out).status, 204);
  Ask look;
  look.path = "/api/v1/audit";
  look.fields = {{"Authorization", "Bearer viewer-secret"}};
  const Json rows = surface.ask(look).json()["rows"];
  ASSERT_EQ(rows.size(), 3U) << rows;
  const auto said = [&rows](std::size_t row) {
    return rows[row]["action"].get<std::string>() + ", " + rows[row]["result"].get<std::string>() + ", " +
           rows[row]["actor"].get<std::string>() + ", " + rows[row]["role"].dump() + ", " +
           rows[row]["what"].get<std::string>();
  };
  EXPECT_EQ(said(0), "sign out, done, my-operator, \"operator\", dashboard from 127.0.0.1:40000");
  EXPECT_EQ(said(1), "sign in, done, my-operator, \"operator\", dashboard from 127.0.0.1:40000");
  EXPECT_EQ(said(2), "sign in, refused, 127.0.0.1:40000, null, dashboard");
}

TEST(Audit, RefusalsDoNotPushOutWhatWasDone) {
  Surface surface;
  ASSERT_EQ(surface.ask(change({{"X-Equinox-Action", "1"}})).status, 200);
  for (int i = 0; i < 600; ++i) {
    Ask stranger = change({});
    stranger.peer = Endpoint::v4({192, 0, 2, 1}, 1);
    ASSERT_EQ(surface.ask(stranger).status, 401);
  }
  for (int i = 0; i < 600; ++i) ASSERT_EQ(surface.ask(change({})).status, 403);
  const Json audit = surface.get("/audit", "limit=500").json();
  EXPECT_EQ(audit["total"], 201) << "a share for those who are known, one for the others";
  ASSERT_EQ(audit["rows"].size(), 201U);
  EXPECT_EQ(audit["rows"][0]["actor"], "local") << "newest first";
  EXPECT_EQ(audit["rows"][100]["actor"], "192.0.2.1:1");
  EXPECT_EQ(audit["rows"][200]["result"], "done");
}

TEST(Access, WhoIsNotLetInIsToldWhatWouldDo) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  Surface surface{options};
  Ask ask;
  ask.path = "/api/v1/status";
  Response response = surface.respond(ask);
  EXPECT_EQ(response.status().code(), 401);
  EXPECT_EQ(response.field("www-authenticate"), "Bearer");
  ask.fields = {{"Authorization", "Bearer viewer-secret"}};
  EXPECT_EQ(surface.respond(ask).field("www-authenticate"), "");
}

TEST(Access, APageOfAnotherOriginMayNotEvenLook) {
  Surface surface;
  const auto looked = [&surface](std::vector<std::pair<std::string, std::string>> fields) {
    Ask ask;
    ask.path = "/api/v1/status";
    ask.fields = std::move(fields);
    return surface.ask(ask).status;
  };
  EXPECT_EQ(looked({}), 200) << "curl";
  EXPECT_EQ(looked({{"Sec-Fetch-Site", "same-origin"}}), 200);
  EXPECT_EQ(looked({{"Sec-Fetch-Site", "none"}, {"Sec-Fetch-Mode", "navigate"}}), 200) << "typed";
  const auto led = [](const char* where) {
    return std::vector<std::pair<std::string, std::string>>{
        {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", where}};
  };
  EXPECT_EQ(looked(led("document")), 200) << "a link";
  for (const char* inside : {"iframe", "frame", "embed", "object"}) EXPECT_EQ(looked(led(inside)), 403) << inside;
  EXPECT_EQ(looked({{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "cors"}}), 403);
  EXPECT_EQ(looked({{"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Mode", "no-cors"}}), 403) << "another port";
  EXPECT_EQ(looked({{"Origin", "http://evil.example"}}), 403);
  Ask events;
  events.path = "/api/v1/events";
  events.fields = {{"Origin", "http://localhost:3000"}};
  EXPECT_EQ(surface.ask(events).status, 403);
  events.fields = led("document");
  EXPECT_EQ(surface.ask(events).status, 403) << "a window that a page opens";
  EXPECT_EQ(surface.state->streams.size(), 0U) << "it takes no viewer's place";
}

TEST(Access, AProxyOnThisMachineIsNotAPersonOnIt) {
  Surface surface;
  for (const char* field : {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"}) {
    Ask ask;
    ask.path = "/api/v1/status";
    ask.fields = {{field, "192.0.2.1"}};
    EXPECT_EQ(surface.ask(ask).status, 401) << field;
    Ask action = change({{"X-Equinox-Action", "1"}, {field, "192.0.2.1"}});
    EXPECT_EQ(surface.ask(action).status, 401) << field;
  }
  EXPECT_TRUE(surface.done.empty());
}

TEST(Access, AKnownCallWithAnotherMethodIsRefusedWithThoseThatExist) {
  Surface surface;
  const auto asked = [&surface](Method method, const std::string& path) {
    Ask ask;
    ask.method = method;
    ask.path = "/api/v1" + path;
    return surface.respond(ask);
  };
  const std::tuple<Method, const char*, const char*> wrong[] = {{Method::post, "/status", "GET, HEAD"},
                                                                {Method::get, "/connections/query", "POST"},
                                                                {Method::del, "/connections/close", "POST"},
                                                                {Method::post, "/connections/h1", "GET, HEAD"},
                                                                {Method::put, "/session", "GET, HEAD, POST, DELETE"},
                                                                {Method::get, "/drain", "POST"},
                                                                {Method::patch, "/log-level", "GET, HEAD, PUT"},
                                                                {Method::post, "/jobs/j1", "GET, HEAD, DELETE"},
                                                                {Method::get, "/events/v1/viewport", "PUT"}};
  for (const auto& [method, path, allow] : wrong) {
    Response response = asked(method, path);
    EXPECT_EQ(response.status().code(), 405) << path;
    EXPECT_EQ(response.field("allow"), allow) << path;
    EXPECT_EQ(response.content_type(), "application/problem+json") << path;
    EXPECT_EQ(Json::parse(read_body(response))["type"], "method-not-allowed");
  }
  Response options = asked(Method::options, "/log-level");
  EXPECT_EQ(options.status().code(), 204);
  EXPECT_EQ(options.field("allow"), "GET, HEAD, PUT");
  EXPECT_EQ(options.field("access-control-allow-origin"), "") << "nothing from elsewhere may read";
  EXPECT_EQ(asked(Method::get, "/nothing").status().code(), 404);
}

TEST(Tokens, AMistakeInTheFileIsWrittenDownNotTold) {
  const TokensFile file;
  Options options;
  options.tokens_file = file.path();
  Surface surface{options};
  Moment now = Moment::now();
  surface.state->tick(now, true);
  EXPECT_EQ(surface.state->audit.page(10)["total"], 0);
  file.write("{ broken");
  now.steady_ns += 2'000'000'000;
  surface.state->tick(now, true);
  const Json row = surface.state->audit.page(10)["rows"][0];
  EXPECT_EQ(row["action"], "tokens file");
  EXPECT_EQ(row["result"], "failed");
  EXPECT_NE(row["reason"].get<std::string>().find("stay as they were"), std::string::npos);
  const Got refused = surface.get("/status");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.text.find(file.path()), std::string::npos) << "no path for whoever asks";
}

TEST(Tokens, ThatWereNeverReadCannotStay) {
  const TokensFile file;
  file.write("{");
  Tokens tokens{file.path()};
  tokens.look({1, 1});
  EXPECT_NE(tokens.error().find("no tokens yet: nobody can sign in"), std::string::npos) << tokens.error();
}

TEST(Tokens, AreReadAgainWhenTheFileChanges) {
  const TokensFile file;
  Tokens tokens{file.path()};
  Moment now{1, 1};
  const auto known = [&](const std::string& secret) {
    now.steady_ns += 2'000'000'000;
    return tokens.find(sha256_hex(secret), now).has_value();
  };
  EXPECT_TRUE(known("admin-secret"));
  file.write(R"({"tokens": [{"name": "n", "role": "viewer", "sha256": ")" + sha256_hex("fresh") + "\"}]}");
  EXPECT_TRUE(known("fresh"));
  EXPECT_FALSE(known("admin-secret"));
  file.write("{ broken");
  EXPECT_TRUE(known("fresh")) << "a mistake locks nobody out";
  EXPECT_NE(tokens.error(), "");
  std::remove(file.path().c_str());
  EXPECT_FALSE(known("fresh"));
}

TEST(Access, ReadOnlyMeansNobodyChangesAnything) {
  Options options;
  options.read_only = true;
  Surface surface{options};
  EXPECT_EQ(surface.get("/session").json()["role"], "viewer");
  EXPECT_EQ(surface.act(Method::post, "/drain", Json::object()).status, 403);
  EXPECT_TRUE(surface.done.empty());
}

TEST(Usage, HasEveryResultFromTheStart) {
  const auto has = [](std::string_view action, std::string_view result, std::string_view role) {
    const std::vector<Usage::Action> all = Usage{}.actions();
    return std::count_if(all.begin(), all.end(), [&](const Usage::Action& one) {
      return one.action == action && one.result == result && one.role == role && one.count == 0;
    });
  };
  EXPECT_EQ(has("close", "done", "operator"), 1);
  EXPECT_EQ(has("close", "refused", "viewer"), 1);
  EXPECT_EQ(has("close", "refused", ""), 1) << "of somebody who has no role";
  EXPECT_EQ(has("close", "done", "viewer"), 0);
  EXPECT_EQ(has("reload", "failed", "admin"), 1);
  EXPECT_EQ(has("undrain", "failed", "operator"), 1);
  EXPECT_EQ(has("sign in", "refused", ""), 1);
  EXPECT_EQ(has("sign in", "done", "viewer"), 1);
  EXPECT_EQ(has("sign out", "done", "admin"), 1);
  EXPECT_EQ(has("tokens file", "failed", ""), 1);
}

}  // namespace
}  // namespace equinox::admin
