#include "deploy/appliance/config_document.hpp"

#include <gtest/gtest.h>

namespace equinox::appliance {
namespace {

struct Read {
  std::optional<ConfigValue> root;
  std::vector<ConfigProblem> problems;
};

Read read(std::string_view text) {
  Read out;
  out.root = read_document(text, "f.json", out.problems);
  return out;
}

std::string first_problem(std::string_view text) {
  const Read out = read(text);
  return out.problems.empty() ? "" : out.problems.front().to_string();
}

TEST(ConfigDocument, KnowsWhereEachValueStands) {
  const Read out =
      read("{\n  \"a\": 1, // note\n  /* two\n  lines */ \"b\" : [ true,\n  \"x\" ] , \"c\": -2.5e-1\n}\n");
  ASSERT_TRUE(out.root);
  const auto& members = out.root->members;
  ASSERT_EQ(members.size(), 3u);
  EXPECT_EQ(members[0].at, (Position{2, 3}));
  EXPECT_EQ(members[0].value.at, (Position{2, 8}));
  EXPECT_EQ(members[0].value.integer, 1);
  EXPECT_EQ(members[1].at, (Position{4, 12}));
  EXPECT_EQ(members[1].value.items[0].at, (Position{4, 20}));
  EXPECT_EQ(members[1].value.items[1].at, (Position{5, 3}));
  EXPECT_EQ(members[2].value.at, (Position{5, 16}));
  EXPECT_EQ(members[2].value.number, -0.25);
}

TEST(ConfigDocument, CountsCharactersNotBytesAndSurvivesEscapes) {
  const Read out = read(R"({"ä\"}]//": "€\u0041", "k": [[1],[2]], "l":{}})");
  ASSERT_TRUE(out.root);
  EXPECT_EQ(out.root->members[0].key, "ä\"}]//");
  EXPECT_EQ(out.root->members[0].value.at, (Position{1, 13}));
  EXPECT_EQ(out.root->members[0].value.text, "€A");
  EXPECT_EQ(out.root->members[1].at, (Position{1, 24}));
  EXPECT_EQ(out.root->members[1].value.items[1].at, (Position{1, 34}));
  EXPECT_EQ(out.root->members[2].at, (Position{1, 40}));
}

TEST(ConfigDocument, FindsKeysGivenTwice) {
  EXPECT_EQ(first_problem("{\"a\": 1,\n \"a\": 2}"),
            "f.json:2:2: a: given twice, first on line 1; a key may be given once");
  EXPECT_TRUE(read("{\"a\": {\"b\": 1}, \"b\": {\"a\": 2}}").problems.empty());
}

TEST(ConfigDocument, SaysWhereTheSyntaxIsWrong) {
  EXPECT_THAT(first_problem("{\n  \"a\": 1,\n  }"), testing::StartsWith("f.json:3:3: syntax error"));
  EXPECT_THAT(first_problem(""), testing::StartsWith("f.json:1:1: syntax error"));
  EXPECT_THAT(first_problem("{\"a\": nope}"), testing::StartsWith("f.json:1:7: syntax error"));
  EXPECT_THAT(first_problem("{} {}"), testing::StartsWith("f.json:1:4: syntax error"));
}

TEST(ConfigDocument, RefusesWhatIsTooDeepOrTooLarge) {
  EXPECT_THAT(first_problem(std::string(100, '[')), testing::HasSubstr("nested too deep, at most 32 levels"));
  EXPECT_THAT(first_problem(std::string(kDocumentMaxBytes + 1, ' ')), testing::HasSubstr("are allowed"));
}

TEST(ConfigDocument, RefusesANulWhereItStands) {
  using namespace std::string_view_literals;
  EXPECT_EQ(first_problem("{\n // a \0 note\n}"sv), "f.json:2:7: a NUL byte, allowed is text");
  EXPECT_EQ(first_problem("\0"sv), "f.json:1:1: a NUL byte, allowed is text");
  EXPECT_EQ(first_problem("{\n // ä€ \0\n}"sv), "f.json:2:8: a NUL byte, allowed is text") << "characters, not bytes";
  EXPECT_EQ(first_problem("\xEF\xBB\xBF{\0}"sv), "f.json:1:2: a NUL byte, allowed is text");
}

TEST(ConfigDocument, ReadsAByteOrderMark) { EXPECT_TRUE(read("\xEF\xBB\xBF{\"a\": 1}").root); }

}  // namespace
}  // namespace equinox::appliance
