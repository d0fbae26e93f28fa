#include "http/http1_head.hpp"

#include <gtest/gtest.h>

#include "http/headers.hpp"

namespace equinox::http {
namespace {

TEST(KnownAuthority, SaysWhatLookingSays) {
  const std::string longest(64, 'a');
  const std::string longer(65, 'a');
  KnownAuthority known;
  // Each after each: what was said of the one before must not be taken for the next.
  const std::string_view kNames[] = {"",          "a.example", "a.exampl", "a.example:80", "a example",
                                     "[::1]:443", "[::1",      longest,    longer};
  for (const std::string_view first : kNames) {
    for (const std::string_view second : kNames) {
      EXPECT_EQ(known.is_valid(first), is_valid_authority(first)) << first;
      EXPECT_EQ(known.is_valid(second), is_valid_authority(second)) << second << " after " << first;
      EXPECT_EQ(known.is_valid(second), is_valid_authority(second)) << second << " again";
    }
  }
}

TEST(KnownAuthority, KnowsNothingAtFirst) {
  KnownAuthority known;
  EXPECT_FALSE(known.is_valid(""));
  EXPECT_FALSE(known.is_valid("a b"));
}

}  // namespace
}  // namespace equinox::http
