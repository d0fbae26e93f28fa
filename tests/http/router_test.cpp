#include "http/router.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

namespace equinox::http {
namespace {

Response nothing(const Request&) { return Response{}; }

class RouterTest : public testing::Test {
 protected:
  void add(std::vector<Method> methods, std::string pattern, RouteOptions options = {}) {
    router.add(std::move(methods), std::move(pattern), nothing, std::move(options));
  }
  Match ask(Method method, std::string_view path, std::string_view host = "a.example",
            std::string_view listener = "http") {
    RequestHead head;
    head.method = method;
    head.path = path;
    head.authority = host;
    return router.match(head, listener, parameters);
  }
  /// Pattern of the route that answers, or the status in words.
  std::string answer(Method method, std::string_view path) {
    const Match match = ask(method, path);
    switch (match.status) {
      case MatchStatus::found: return match.route->pattern;
      case MatchStatus::not_found: return "404";
      case MatchStatus::method_not_allowed: return "405 " + to_string(match.allow);
      case MatchStatus::options: return "OPTIONS " + to_string(match.allow);
      case MatchStatus::not_implemented: return "501";
    }
    return "";
  }
  Router router;
  RouteParameters parameters;
};

TEST_F(RouterTest, FindsLiteralParameterAndPrefixRoutes) {
  add({Method::get}, "/");
  add({Method::get}, "/users/me");
  add({Method::get}, "/users/{id}");
  add({Method::get}, "/users/{id}/posts/{post}");
  add({Method::get}, "/files/*");
  EXPECT_EQ(answer(Method::get, "/"), "/");
  EXPECT_EQ(answer(Method::get, "/users/me"), "/users/me");
  EXPECT_EQ(answer(Method::get, "/users/7"), "/users/{id}");
  EXPECT_EQ(answer(Method::get, "/users/"), "404");
  EXPECT_EQ(answer(Method::get, "/users/7/"), "404");
  EXPECT_EQ(answer(Method::get, "/files"), "404");
  EXPECT_EQ(answer(Method::get, "/files/"), "/files/*");
  EXPECT_EQ(answer(Method::get, "/filesystem"), "404");
  const Match match = ask(Method::get, "/users/7/posts/9");
  ASSERT_EQ(match.parameters.size(), 2U);
  EXPECT_EQ(match.parameters[0].name, "id");
  EXPECT_EQ(match.parameters[0].value, "7");
  EXPECT_EQ(match.parameters[1].value, "9");
  EXPECT_EQ(ask(Method::get, "/files/a/b").parameters[0].value, "a/b");
}

TEST_F(RouterTest, TakesTheFirstOfOverlappingRoutesWhateverTheirKind) {
  add({Method::get}, "/a/b");
  add({Method::get}, "/a/{x}/c");
  add({Method::get}, "/a/*");
  add({Method::get}, "/{any}/b");
  add({}, "/*");
  EXPECT_EQ(answer(Method::get, "/a/b"), "/a/b");
  EXPECT_EQ(answer(Method::get, "/a/x/c"), "/a/{x}/c");
  EXPECT_EQ(answer(Method::get, "/a/x/d"), "/a/*");
  EXPECT_EQ(answer(Method::get, "/z/b"), "/{any}/b");
  EXPECT_EQ(answer(Method::get, "/z/c"), "/*");
}

TEST_F(RouterTest, PrefersRegistrationOrderOverLiterals) {
  add({Method::post}, "/users/{id}");
  add({Method::get, Method::post}, "/users/me");
  EXPECT_EQ(answer(Method::post, "/users/me"), "/users/{id}");
  EXPECT_EQ(answer(Method::get, "/users/me"), "/users/me");
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    out.emplace_back(path.substr(at + 1, end - at - 1));
    at = end;
  }
  return out;
}

bool takes(std::string_view pattern, std::string_view path) {
  const auto wanted = segments_of(pattern);
  const auto given = segments_of(path);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "*") return given.size() > i;
    if (i == given.size() || (wanted[i] != given[i] && (wanted[i].front() != '{' || given[i].empty()))) return false;
  }
  return wanted.size() == given.size();
}

// Which routes a literal path meets is found out at registration; whatever the order, it must be what one look at each
// route in turn finds.
TEST(RouterOfAnyOrder, FindsWhatALookAtEachRouteInTurnFinds) {
  using Registered = std::pair<Method, std::string>;
  std::vector<Registered> routes{{Method::get, "/a/b"}, {Method::post, "/a/{x}"}, {Method::put, "/{y}/b"},
                                 {Method::del, "/a/*"}, {Method::patch, "/a/b"},  {Method::get, "/{y}/{x}"}};
  std::sort(routes.begin(), routes.end());
  std::size_t orders = 0;
  do {
    Router router;
    std::vector<Registered> taken;
    for (const auto& [method, pattern] : routes) {
      try {
        router.add({method}, pattern, nothing);
        taken.emplace_back(method, pattern);
      } catch (const std::invalid_argument&) {  // hidden by an earlier one in this order
      }
    }
    ++orders;
    for (const char* path : {"/a/b", "/a/z", "/z/b", "/z/z", "/a/"}) {
      for (const Method method : {Method::get, Method::post, Method::put, Method::del, Method::patch}) {
        std::string expected;
        bool is_allowed_otherwise = false;
        for (const auto& [its_method, pattern] : taken) {
          if (!expected.empty() || !takes(pattern, path)) continue;
          is_allowed_otherwise = true;
          if (its_method == method) expected = pattern;
        }
        if (expected.empty()) expected = is_allowed_otherwise ? "405" : "404";
        RequestHead head;
        head.method = method;
        head.path = path;
        RouteParameters parameters;
        const Match match = router.match(head, "http", parameters);
        const std::string found = match.status == MatchStatus::found       ? match.route->pattern
                                  : match.status == MatchStatus::not_found ? "404"
                                                                           : "405";
        ASSERT_EQ(found, expected) << to_string(method) << " " << path << " in order " << orders;
      }
    }
  } while (std::next_permutation(routes.begin(), routes.end()));
  EXPECT_EQ(orders, 720U);
}

TEST_F(RouterTest, FallsThroughToALaterRouteThatTakesTheMethod) {
  add({Method::get}, "/x");
  add({Method::post}, "/*");
  EXPECT_EQ(answer(Method::post, "/x"), "/*");
  EXPECT_EQ(answer(Method::put, "/x"), "405 GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(answer(Method::get, "/y"), "405 POST, OPTIONS");
}

TEST_F(RouterTest, AnswersHeadWithGetUnlessItHasItsOwnRoute) {
  add({Method::get}, "/a");
  add({Method::get}, "/b");
  add({Method::head}, "/b");
  add({Method::head}, "/c");
  add({Method::get}, "/c");
  EXPECT_EQ(ask(Method::head, "/a").route->id, 0);
  EXPECT_EQ(ask(Method::head, "/b").route->id, 2);
  EXPECT_EQ(ask(Method::head, "/c").route->id, 3);
  EXPECT_EQ(ask(Method::get, "/c").route->id, 4);
}

TEST_F(RouterTest, AnswersOptionsConnectAndTraceByRule) {
  add({Method::get}, "/a");
  add({}, "/any");
  EXPECT_EQ(answer(Method::options, "/a"), "OPTIONS GET, HEAD, OPTIONS");
  EXPECT_EQ(answer(Method::options, "/any"), "/any");
  EXPECT_EQ(answer(Method::options, "/none"), "404");
  EXPECT_EQ(answer(Method::options, "*"), "OPTIONS GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
  EXPECT_EQ(answer(Method::connect, ""), "501");
  EXPECT_EQ(answer(Method::trace, "/any").substr(0, 3), "405");
  EXPECT_EQ(answer(Method::other, "/any"), "/any");
  EXPECT_EQ(answer(Method::other, "/a"), "405 GET, HEAD, OPTIONS");
}

TEST_F(RouterTest, ChoosesByHostAndListener) {
  add({}, "/*", {.name = "ops", .host = {}, .listener = "ops", .request_body_max_bytes = {}, .response_fields = {}});
  add({}, "/*",
      {.name = "b", .host = "b.example", .listener = {}, .request_body_max_bytes = {}, .response_fields = {}});
  add({}, "/*",
      {.name = "wild", .host = "*.c.example", .listener = {}, .request_body_max_bytes = {}, .response_fields = {}});
  add({}, "/*", {.name = "rest", .host = {}, .listener = {}, .request_body_max_bytes = {}, .response_fields = {}});
  const auto name = [this](std::string_view host, std::string_view listener) {
    return ask(Method::get, "/x", host, listener).route->options.name;
  };
  EXPECT_EQ(name("a", "ops"), "ops");
  EXPECT_EQ(name("B.example:80", "http"), "b");
  EXPECT_EQ(name("b.example.:80", "http"), "b") << "the dot of a fully qualified name";
  EXPECT_EQ(name("b.example..", "http"), "rest");
  EXPECT_EQ(name("x.c.example", "http"), "wild");
  EXPECT_EQ(name("x.c.example.", "http"), "wild");
  EXPECT_EQ(name("c.example", "http"), "rest");
}

TEST_F(RouterTest, DecodesASlashInAParameterOnly) {
  add({Method::get}, "/f/{name}/x");
  add({Method::get}, "/p/*");
  EXPECT_EQ(ask(Method::get, "/f/a%2Fb/x").parameters[0].value, "a/b");
  EXPECT_EQ(ask(Method::get, "/f/a%252Fb/x").parameters[0].value, "a%2Fb");
  EXPECT_EQ(ask(Method::get, "/p/a%2Fb").parameters[0].value, "a%2Fb");
}

TEST_F(RouterTest, RefusesPatternsThatCannotMatch) {
  for (const std::string pattern : {"", "a", "/a/*/b", "/a*", "/{}", "/{a}/{a}", "/a{b}", "/{a b}", "/a?b", "/a#b",
                                    "/%41", "/a/../b", "/.", "/a\nb"}) {
    EXPECT_THROW(add({Method::get}, pattern), std::invalid_argument) << pattern;
  }
  EXPECT_THROW(add({Method::connect}, "/a"), std::invalid_argument);
  EXPECT_THROW(
      add({}, "/a", {.name = {}, .host = "a b", .listener = {}, .request_body_max_bytes = {}, .response_fields = {}}),
      std::invalid_argument);
}

// "*" is easily taken for "every path", which it is not: no other request has that target.
TEST_F(RouterTest, TakesTheAsteriskForOptionsOnly) {
  for (const std::vector<Method>& methods :
       {std::vector<Method>{}, {Method::get}, {Method::options, Method::get}, {Method::other}}) {
    EXPECT_THROW(add(methods, "*"), std::invalid_argument);
  }
  add({Method::get}, "/*");
  add({Method::options}, "/*");
  add({Method::options}, "*");
  EXPECT_EQ(answer(Method::options, "*"), "*");
  EXPECT_EQ(answer(Method::get, "/a"), "/*");
}

TEST_F(RouterTest, RefusesAHostThatIsNoName) {
  for (const char* host : {".", "*.", "*..", ".a.example", "*", "*.*.example", "a.*.example", "*a.example"}) {
    EXPECT_THROW(
        add({}, "/a", {.name = {}, .host = host, .listener = {}, .request_body_max_bytes = {}, .response_fields = {}}),
        std::invalid_argument)
        << host;
  }
  add({}, "/a",
      {.name = {}, .host = "a.example.", .listener = {}, .request_body_max_bytes = {}, .response_fields = {}});
}

// What no route takes is counted under such a name.
TEST_F(RouterTest, RefusesANameOfItsOwn) {
  for (const char* name : {"_unmatched", "_other", "_"}) {
    EXPECT_THROW(
        add({}, "/a", {.name = name, .host = {}, .listener = {}, .request_body_max_bytes = {}, .response_fields = {}}),
        std::invalid_argument)
        << name;
  }
  add({}, "/a", {.name = "a_b", .host = {}, .listener = {}, .request_body_max_bytes = {}, .response_fields = {}});
}

TEST_F(RouterTest, SaysWhatIsAllowedInstead) {
  const auto why = [this](const std::string& pattern, const std::string& host = {}) -> std::string {
    try {
      add({}, pattern, {.name = {}, .host = host, .listener = {}, .request_body_max_bytes = {}, .response_fields = {}});
    } catch (const std::invalid_argument& mistake) {
      return mistake.what();
    }
    return "accepted";
  };
  EXPECT_EQ(why("/a{b}"), "route \"/a{b}\": a parameter must be a whole segment, allowed is \"/users/{id}\"");
  EXPECT_EQ(why("/{a}/{a}"), "route \"/{a}/{a}\": the parameter {a} stands in it twice, allowed are different names");
  EXPECT_EQ(why("/a", "a.example:80"),
            "route \"/a\": \"a.example:80\" is no host, allowed is a name without port, or *.name");
  EXPECT_EQ(why("*"), "route \"*\": is the target of OPTIONS * and of nothing else, allowed is \"/*\" for every path");
}

struct HiddenCase {
  std::string earlier;
  std::string later;
  bool is_hidden;
};

TEST_F(RouterTest, RefusesRoutesThatAnEarlierOneHides) {
  for (const HiddenCase& c :
       {HiddenCase{"/a", "/a", true}, HiddenCase{"/{x}", "/{y}", true}, HiddenCase{"/{x}", "/a", true},
        HiddenCase{"/*", "/a", true}, HiddenCase{"/*", "/", true}, HiddenCase{"/*", "/a/*", true},
        HiddenCase{"/a/*", "/a/{x}", true}, HiddenCase{"/a/*", "/a/", true}, HiddenCase{"/a/*", "/a", false},
        HiddenCase{"/a", "/{x}", false}, HiddenCase{"/a/{x}", "/a/*", false}, HiddenCase{"/a/*", "/*", false},
        HiddenCase{"/{x}", "/", false}}) {
    Router fresh;
    fresh.add({Method::get}, c.earlier, nothing);
    if (c.is_hidden) {
      EXPECT_THROW(fresh.add({Method::get}, c.later, nothing), std::invalid_argument) << c.earlier << " " << c.later;
    } else {
      EXPECT_NO_THROW(fresh.add({Method::get}, c.later, nothing)) << c.earlier << " " << c.later;
    }
    EXPECT_NO_THROW(fresh.add({Method::put}, c.later, nothing)) << "another method is another route";
  }
}

TEST_F(RouterTest, RefusesHostsThatAnEarlierOneCovers) {
  struct Hosts {
    std::string earlier;
    std::string later;
    bool is_hidden;
  };
  const auto of_host = [](const std::string& host) { return RouteOptions{.host = host}; };
  for (const Hosts& c :
       {Hosts{"", "www.example.net", true}, Hosts{"*.example.net", "www.example.net", true},
        Hosts{"*.example.net", "WWW.EXAMPLE.NET", true}, Hosts{"*.example.net", "*.a.example.net", true},
        Hosts{"*.example.net", "*.example.net", true}, Hosts{"*.example.net", "example.net", false},
        Hosts{"*.example.net", "wwwexample.net", false}, Hosts{"*.a.example.net", "*.example.net", false},
        Hosts{"www.example.net", "*.example.net", false}, Hosts{"www.example.net", "", false},
        Hosts{"www.example.net", "www.example.net.", true}}) {
    Router fresh;
    fresh.add({Method::get}, "/*", nothing, of_host(c.earlier));
    if (c.is_hidden) {
      EXPECT_THROW(fresh.add({Method::get}, "/x", nothing, of_host(c.later)), std::invalid_argument) << c.later;
    } else {
      EXPECT_NO_THROW(fresh.add({Method::get}, "/x", nothing, of_host(c.later))) << c.earlier << " " << c.later;
    }
  }
}

TEST_F(RouterTest, RefusesRoutesThatSeveralEarlierOnesHideTogether) {
  add({Method::get}, "/u");
  add({Method::post}, "/{x}");
  EXPECT_THROW(add({Method::get, Method::post}, "/u"), std::invalid_argument);
  EXPECT_NO_THROW(add({Method::get, Method::put}, "/u")) << "PUT is nobody's yet";
}

TEST(RouterOfRoutes, PagesOfAnInnerCollectionAreRefusedInsteadOfLost) {
  const SyncHandler page = [](const Request&) { return Response{}; };
  for (auto set : {&Routes::not_found, &Routes::method_not_allowed, &Routes::internal_error}) {
    Routes inner;
    (inner.*set)(page);
    Routes outer;
    EXPECT_THROW(outer.mount("/api", inner), std::invalid_argument);
    EXPECT_THROW(outer.group("/api", [&](Routes& group) { (group.*set)(page); }), std::invalid_argument);
    EXPECT_NO_THROW((outer.*set)(page));
  }
}

TEST(RouterOfRoutes, CompilesGroupsMiddlewareFieldsAndPages) {
  std::string trace;
  Routes routes;
  routes.before([&trace](const Request&) -> std::optional<Response> {
    trace += "outer ";
    return std::nullopt;
  });
  routes.group("/api", [&trace](Routes& api) {
    api.before([&trace](const Request&) -> std::optional<Response> {
      trace += "inner ";
      return std::nullopt;
    });
    RouteOptions options;
    options.response_fields = {{"X-Api", "1"}};
    api.get("/users/{id}", nothing, options);
  });
  routes.not_found([](const Request&) { return Response::text("mine", 404); });
  const Router router{routes};
  ASSERT_EQ(router.routes().size(), 1U);
  const Route& route = *router.routes()[0];
  EXPECT_EQ(route.pattern, "/api/users/{id}");
  EXPECT_EQ(route.options.name, "/api/users/{id}");
  const RequestHead head;
  const RequestContext context;
  const Request request{head, context};
  for (const Before& before : route.before) static_cast<void>(before(request));
  EXPECT_EQ(trace, "outer inner ");
  EXPECT_EQ(route.options.response_fields.at(0).first, "X-Api");
  ASSERT_NE(router.status_page(404), nullptr);
  EXPECT_EQ(router.status_page(405), nullptr);
}

TEST(MethodSet, IsWrittenAsAllow) {
  EXPECT_EQ(to_string(MethodSet{Method::get, Method::post}), "GET, POST");
  EXPECT_FALSE(MethodSet::any().has(Method::connect));
  EXPECT_FALSE(MethodSet::any().has(Method::trace));
}

}  // namespace
}  // namespace equinox::http
