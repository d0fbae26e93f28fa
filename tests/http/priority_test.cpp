#include "http/priority.hpp"

#include <gtest/gtest.h>

#include <string>

namespace equinox::http {
namespace {

TEST(PriorityTest, ReadsWhatRfc9218Allows) {
  struct Case {
    std::string_view text;
    Priority expected;
  };
  const Case cases[] = {
      {"", {}},
      {"u=5", {5, false}},
      {"i", {3, true}},
      {"u=0, i", {0, true}},
      {"i=?0,u=7", {7, false}},
      {"  u=2  ", {2, false}},
      {"u=1;x=2;y, i;z=\"a\\\"b\"", {1, true}},
      {"u=1, u=4", {4, false}},
      {"u=9", {}},
      {"u=-1", {}},
      {"u=1.5, i", {3, true}},
      {"u=?1", {}},
      {"i=1", {}},
      {"foo=(1 2;a \"x\");b, u=6", {6, false}},
      {"foo=:aGk=:, bar=tok/en, u=2", {2, false}},
      {"*x=1, u=4", {4, false}},
  };
  for (const Case& wanted : cases) EXPECT_EQ(parse_priority(wanted.text), wanted.expected) << wanted.text;
}

TEST(PriorityTest, IgnoresTheWholeOfWhatIsNoDictionary) {
  for (const std::string_view text : {"u=1,", "u=1 i", "U=1", "u=", "u=1, =2", "u=1;", "u=(1", "u=\"open", "u=1, x=:a",
                                      "u=1234567890123456", "u=1\t;a", "u=1.", "u=?2", "\xff"}) {
    EXPECT_EQ(parse_priority(text), Priority{}) << text;
    EXPECT_EQ(parse_priority(text, {6, true}), (Priority{6, true})) << text;
  }
}

}  // namespace
}  // namespace equinox::http
