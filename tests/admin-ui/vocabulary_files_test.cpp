// The vocabulary of the core, of the API's description and of the dashboard is one.

#include <gtest/gtest.h>

#include <algorithm>
#include <equinox/vocabulary.hpp>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>
#include <vector>

namespace equinox::admin {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file{EQUINOX_ADMIN_FOLDER + path};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_FALSE(text.empty()) << path;
  return text;
}

std::vector<std::string> found(const std::string& text, const std::regex& pattern) {
  std::vector<std::string> out;
  for (std::sregex_iterator at{text.begin(), text.end(), pattern}; at != std::sregex_iterator{}; ++at) {
    out.push_back((*at)[1]);
  }
  return out;
}

/// The words of a schema that is an enumeration, on one line or as a list.
std::vector<std::string> schema_words(const std::string& name) {
  static const std::string api = text_of("/api/openapi.yaml");
  std::smatch match;
  if (std::regex_search(api, match, std::regex{"\n    " + name + R"(: \{ type: string, enum: \[([^\]]*)\])"})) {
    return found(match[1], std::regex{R"(([^ ,']+))"});
  }
  EXPECT_TRUE(std::regex_search(
      api, match, std::regex{"\n    " + name + R"(:\n      type: string\n      enum:\n((?:        - .*\n)*))"}))
      << name;
  return found(match[1], std::regex{"- (.*)\n"});
}

/// The words of E, sorted; without `none`, which the API writes as null.
template <typename E>
std::vector<std::string> core_words() {
  std::vector<std::string> out;
  for_each_word<E>([&out](E word) {
    if (to_string(word) != "none") out.emplace_back(to_string(word));
  });
  std::sort(out.begin(), out.end());
  return out;
}

template <typename E>
void expect_same(const std::string& schema) {
  auto words = schema_words(schema);
  std::sort(words.begin(), words.end());
  EXPECT_EQ(words, core_words<E>()) << schema;
}

TEST(Vocabulary, OfTheApiIsTheCores) {
  expect_same<Protocol>("Protocol");
  expect_same<ConnectionState>("State");
  expect_same<RequestPhase>("Phase");
  expect_same<DeadlineKind>("DeadlineKind");
  expect_same<Initiator>("Initiator");
  expect_same<CloseFamily>("Family");
  expect_same<StallCause>("StallCause");
  expect_same<LimitedBy>("LimitedBy");
  expect_same<CloseReason>("CloseReason");
}

TEST(Vocabulary, OfTheDashboardPutsReasonsIntoTheCoresFamilies) {
  const std::string dashboard = text_of("/web/src/lib/vocabulary.ts");
  const std::size_t begin = dashboard.find("kReasonFamily:");
  ASSERT_NE(begin, std::string::npos);
  const std::string table = dashboard.substr(begin, dashboard.find("};", begin) - begin);
  std::map<std::string, std::string> told;
  const std::regex entry{R"((\w+): '(\w+)')"};
  for (std::sregex_iterator at{table.begin(), table.end(), entry}; at != std::sregex_iterator{}; ++at) {
    told.emplace((*at)[1], (*at)[2]);
  }
  EXPECT_EQ(told.size(), kCloseReasons);
  for_each_word<CloseReason>([&told](CloseReason reason) {
    EXPECT_EQ(told[std::string{to_string(reason)}], to_string(family_of(reason))) << to_string(reason);
  });
}

}  // namespace
}  // namespace equinox::admin
