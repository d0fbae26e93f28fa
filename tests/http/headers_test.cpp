#include "http/headers.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace equinox::http {
namespace {

TEST(Fields, AreFoundWithoutCase) {
  const std::vector<Field> fields{{"Host", "a"}, {"X", "1"}, {"x", "2"}};
  EXPECT_EQ(find_field(fields, "HOST"), "a");
  EXPECT_EQ(find_field(fields, "x"), "1");
  EXPECT_EQ(find_field(fields, "y"), std::nullopt);
  EXPECT_EQ(count_fields(fields, "x"), 2U);
}

TEST(Fields, ListsHaveMembers) {
  EXPECT_TRUE(list_has("close", "close"));
  EXPECT_TRUE(list_has("a, Close ,b", "close"));
  EXPECT_FALSE(list_has("closed", "close"));
  EXPECT_FALSE(list_has("", "close"));
  std::string_view list = ", a ,, \"b, c\", d";
  EXPECT_EQ(next_member(list), "a");
  EXPECT_EQ(next_member(list), "\"b, c\"");
  EXPECT_EQ(next_member(list), "d");
  EXPECT_EQ(next_member(list), std::nullopt);
}

TEST(Fields, KnowTokens) {
  EXPECT_TRUE(is_token("X-Request-Id!#$%&'*+.^_`|~"));
  for (const std::string_view text : {"", "a b", "a:b", "a(b)", "\xc3", "a\"", "a/b"}) EXPECT_FALSE(is_token(text));
}

TEST(Fields, RefuseValuesThatWouldSplitAMessage) {
  EXPECT_TRUE(is_safe_value("a\tb \xff"));
  for (const std::string_view text :
       {std::string_view{"a\rb"}, std::string_view{"a\nb"}, std::string_view{"a\0b", 3}}) {
    EXPECT_FALSE(is_safe_value(text));
  }
}

TEST(Fields, RefuseControlCharactersAtEachPlaceOfAValue) {
  for (const std::size_t size : {1U, 7U, 8U, 9U, 16U, 23U}) {
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned octet = 0; octet < 256; ++octet) {
        for (const char other : {'a', '\t', '~', '\xff'}) {
          std::string value(size, other);
          value[at] = static_cast<char>(octet);
          const bool is_control = (octet < 0x20 && octet != '\t') || octet == 0x7f;
          ASSERT_EQ(is_safe_value(value), !is_control) << octet << " at " << at << " of " << size;
        }
      }
    }
  }
}

TEST(Fields, KnowBlanksAtTheEnds) {
  for (const std::string_view text : {" a", "a ", "\ta", "a\t", " ", "\t"}) EXPECT_TRUE(has_outer_blank(text)) << text;
  for (const std::string_view text : {"", "a", "a b", "a\tb", "\xff"}) EXPECT_FALSE(has_outer_blank(text)) << text;
}

TEST(Authority, IsCheckedOctetByOctet) {
  for (const std::string_view good : {"a", "a.example:80", "[::1]", "[2001:db8::1]:443", "192.0.2.1", "a_b", "a:"}) {
    EXPECT_TRUE(is_valid_authority(good)) << good;
  }
  for (const std::string_view bad : {"", ":80", "a:b", "a:123456", "a:65536", "a b", "a/b", "u@a", "[::1", "[]",
                                     "[::1]x", "a,b", "a\x01", "::1", "a%20"}) {
    EXPECT_FALSE(is_valid_authority(bad)) << bad;
  }
}

TEST(Authority, HasAHost) {
  EXPECT_EQ(host_of("a.example:80"), "a.example");
  EXPECT_EQ(host_of("[::1]:80"), "[::1]");
  EXPECT_EQ(host_of("a"), "a");
}

TEST(Trailers, MustNotFrameOrRoute) {
  for (const std::string_view name : {"Content-Length", "transfer-encoding", "HOST", "Connection", "Authorization"}) {
    EXPECT_TRUE(is_forbidden_in_trailers(name)) << name;
  }
  EXPECT_FALSE(is_forbidden_in_trailers("X-Checksum"));
}

}  // namespace
}  // namespace equinox::http
