#include "handlers/static_path.hpp"

#include <gtest/gtest.h>

#include <string>

namespace equinox::handlers {
namespace {

TEST(StaticPath, MapsPlainNames) {
  EXPECT_EQ(map_static_path("")->relative, "");
  EXPECT_TRUE(map_static_path("")->names_folder);
  EXPECT_EQ(map_static_path("/")->relative, "");
  EXPECT_EQ(map_static_path("a/b.txt")->relative, "a/b.txt");
  EXPECT_FALSE(map_static_path("a/b.txt")->names_folder);
  EXPECT_EQ(map_static_path("a/b/")->relative, "a/b");
  EXPECT_TRUE(map_static_path("a/b/")->names_folder);
  EXPECT_EQ(map_static_path(".well-known/a")->relative, ".well-known/a");
  EXPECT_EQ(map_static_path("a\\b")->relative, "a\\b") << "a backslash is a character of a name here";
}

TEST(StaticPath, MapsNothingThatCouldLeaveTheRoot) {
  for (const std::string rest : {"..", "../a", "a/..", "a/../b", ".", "./a", "a/.", "a//b", "//a", "a//", "/../a",
                                 ".git/config", "a/.htaccess", "...", "a/.well-known/b"}) {
    EXPECT_FALSE(map_static_path(rest)) << rest;
  }
  EXPECT_FALSE(map_static_path(std::string_view{"a\0b", 3}));
  EXPECT_FALSE(map_static_path(std::string(256, 'a')));
  EXPECT_FALSE(map_static_path(std::string(70'000, 'a')));
}

}  // namespace
}  // namespace equinox::handlers
