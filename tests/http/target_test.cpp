#include "http/target.hpp"

#include <gtest/gtest.h>

namespace equinox::http {
namespace {

struct PathCase {
  std::string_view raw;
  std::string_view path;  ///< empty: refused
};

class PathNormalization : public testing::TestWithParam<PathCase> {};

TEST_P(PathNormalization, LeavesOneReading) {
  std::string scratch;
  const auto path = normalize_path(GetParam().raw, scratch);
  if (GetParam().path.empty()) {
    EXPECT_FALSE(path);
  } else {
    ASSERT_TRUE(path) << GetParam().raw;
    EXPECT_EQ(*path, GetParam().path);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rfc3986, PathNormalization,
    testing::Values(PathCase{"/", "/"}, PathCase{"/a/b", "/a/b"}, PathCase{"/a.b/.c", "/a.b/.c"},
                    PathCase{"/a%20b", "/a b"}, PathCase{"/%41", "/A"}, PathCase{"/a%2fb", "/a%2Fb"},
                    PathCase{"/a%2Fb", "/a%2Fb"}, PathCase{"/a%252Fb", "/a%252Fb"}, PathCase{"/a%252fb", "/a%252fb"},
                    PathCase{"/a%25b", "/a%b"}, PathCase{"/./a", "/a"}, PathCase{"/a/.", "/a/"}, PathCase{"/a/..", "/"},
                    PathCase{"/a/b/../c", "/a/c"}, PathCase{"/a/../b", "/b"}, PathCase{"/a/b/..", "/a/"},
                    PathCase{"/a/%2e%2E/b", "/b"}, PathCase{"/a/.%2e/b", "/b"}, PathCase{"/%2e/a", "/a"},
                    PathCase{"//a", "//a"}, PathCase{"/a//../b", "/a/b"}, PathCase{"/...", "/..."},
                    PathCase{"/..a", "/..a"}, PathCase{"/a%5cb", "/a\\b"}, PathCase{"/%c3%a4", "/\xc3\xa4"},
                    PathCase{"/..", ""}, PathCase{"/../a", ""}, PathCase{"/a/../../b", ""}, PathCase{"/%2e%2e", ""},
                    PathCase{"/a%00", ""}, PathCase{"/a%", ""}, PathCase{"/a%2", ""}, PathCase{"/a%2g", ""},
                    PathCase{"", ""}, PathCase{"a", ""}, PathCase{"/..%2f", "/..%2F"},
                    PathCase{"/a%2f..%2fb", "/a%2F..%2Fb"}));

TEST(Target, TakesTheFourFormsApart) {
  std::string scratch;
  const auto origin = parse_target(Method::get, "/a%20b?c=d%20e", scratch);
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->path, "/a b");
  EXPECT_EQ(origin->query, "c=d%20e");
  std::string other;
  const auto absolute = parse_target(Method::get, "http://h:81/x?y", other);
  ASSERT_TRUE(absolute);
  EXPECT_EQ(absolute->authority, "h:81");
  EXPECT_EQ(absolute->path, "/x");
  EXPECT_EQ(absolute->query, "y");
  EXPECT_EQ(parse_target(Method::options, "*", other)->path, "*");
  EXPECT_EQ(parse_target(Method::options, "http://h", other)->path, "*");
  EXPECT_EQ(parse_target(Method::connect, "h:1", other)->authority, "h:1");
}

TEST(Target, PointsIntoTheTargetWhenNothingIsDecoded) {
  std::string scratch;
  constexpr std::string_view kTarget = "/plain/path.html?q";
  EXPECT_EQ(parse_target(Method::get, kTarget, scratch)->path.data(), kTarget.data());
}

TEST(Target, DecodesTheRestOfASegment) {
  std::string scratch;
  scratch.reserve(64);
  EXPECT_EQ(decode_rest("a%2Fb", scratch), "a/b");
  EXPECT_EQ(decode_rest("a%252Fb", scratch), "a%2Fb");
  EXPECT_EQ(decode_rest("100%", scratch), "100%");
  EXPECT_EQ(decode_rest("plain", scratch), "plain");
}

// Decoded in two steps, so that a slash that was data is never taken for a separator; in the end each encoding is
// undone once, and only once.
TEST(Target, DecodesEachEncodingOnce) {
  for (const std::string target :
       {"/a%2Fb", "/a%252Fb", "/a%25252Fb", "/%2525252f", "/100%25", "/%25%32%46", "/%25%3225%32f", "/%252"}) {
    std::string scratch;
    const auto path = normalize_path(target, scratch);
    ASSERT_TRUE(path.has_value()) << target;
    std::string rest;
    rest.reserve(path->size());
    EXPECT_EQ(decode_rest(*path, rest), percent_decode(target)) << target;
  }
}

TEST(Target, WrittenAgainIsTheSamePath) {
  EXPECT_EQ(encode_normalized("/a%2Fb/100%/%252F c"), "/a%2Fb/100%25/%252F%20c");
  for (const std::string target : {"/a%2Fb", "/a%25252fb", "/100%25/%5C%0A", "/a;b=c:d@e/%3f%23"}) {
    std::string scratch;
    const std::string path{*normalize_path(target, scratch)};
    for (const Kept kept : {Kept::unreserved, Kept::of_paths}) {
      std::string again;
      EXPECT_EQ(*normalize_path(encode_normalized(path, kept), again), path) << target;
    }
  }
}

TEST(Target, EncodesAndDecodesText) {
  EXPECT_EQ(encode_path("/a b\r\n%/\xc3\xa4"), "/a%20b%0D%0A%25/%C3%A4");
  EXPECT_EQ(percent_decode("a%20b+c%zz"), "a b+c%zz");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
}

TEST(Target, KeepsWhatMayStandInAPath) {
  constexpr std::string_view kPath = "/a-b._~!$&'()*+,;=:@c";
  EXPECT_EQ(encode_normalized(kPath, Kept::of_paths), kPath);
  EXPECT_EQ(encode_normalized("/?#[]\\\"<>^`{|}", Kept::of_paths), "/%3F%23%5B%5D%5C%22%3C%3E%5E%60%7B%7C%7D");
  EXPECT_EQ(encode_segment("a/b;c", Kept::of_paths), "a%2Fb;c");
  EXPECT_EQ(encode_segment("a/b;c"), "a%2Fb%3Bc");
}

TEST(Target, FindsQueryParameters) {
  EXPECT_EQ(query_parameter("a=1&b=x%20y&c", "b"), "x y");
  EXPECT_EQ(query_parameter("a=1&b=2", "c"), "");
  EXPECT_EQ(query_parameter("c", "c"), "");
  EXPECT_EQ(query_parameter("a=1&a=2", "a"), "1");
}

}  // namespace
}  // namespace equinox::http
