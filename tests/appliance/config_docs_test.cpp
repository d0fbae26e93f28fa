#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "deploy/appliance/config.hpp"
#include "deploy/appliance/config_schema.hpp"

namespace equinox::appliance {
namespace {

const std::filesystem::path kDocs{EQUINOX_DOCS_DIR};

std::string read(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// With EQUINOX_UPDATE_DOCS=1 the file is written instead of compared.
bool is_update() { return std::getenv("EQUINOX_UPDATE_DOCS") != nullptr; }

std::string with_reference(const std::string& page) {
  constexpr std::string_view kBegin = "<!-- reference: made from the table of keys -->\n";
  constexpr std::string_view kEnd = "<!-- end of reference -->\n";
  const auto begin = page.find(kBegin);
  const auto end = page.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos) return "docs/configuration.md has lost its two marks";
  return page.substr(0, begin + kBegin.size()) + "\n" + config_reference() + page.substr(end);
}

TEST(ConfigDocs, TheSchemaSaysWhatTheTableSays) {
  const std::string expected = config_schema().dump(2) + "\n";
  if (is_update()) std::ofstream{kDocs / "config.schema.json"} << expected;
  EXPECT_TRUE(read(kDocs / "config.schema.json") == expected)
      << "docs/config.schema.json is out of date: run this test with EQUINOX_UPDATE_DOCS=1";
}

TEST(ConfigDocs, TheReferenceSaysWhatTheTableSays) {
  const std::string page = read(kDocs / "configuration.md");
  const std::string expected = with_reference(page);
  if (is_update()) std::ofstream{kDocs / "configuration.md"} << expected;
  EXPECT_TRUE(read(kDocs / "configuration.md") == expected)
      << "docs/configuration.md is out of date: run this test with EQUINOX_UPDATE_DOCS=1";
}

TEST(ConfigDocs, EverySampleIsAValidConfiguration) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{kDocs / "examples"}) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    const LoadedConfig loaded = load_config_file(entry.path().string(), {});
    EXPECT_TRUE(loaded.config) << entry.path();
    for (const ConfigProblem& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
  }
  EXPECT_GE(count, 4u);
}

TEST(ConfigDocs, TheSchemaKnowsEveryKeyWithItsDefault) {
  const auto schema = config_schema();
  EXPECT_EQ(schema["properties"]["timeouts"]["properties"]["idle"]["default"], "60s");
  EXPECT_EQ(schema["properties"]["reactors"]["anyOf"][0]["maximum"], 255);
  EXPECT_EQ(schema["properties"]["listeners"]["items"]["required"][0], "address");
  EXPECT_FALSE(schema["properties"]["limits"]["additionalProperties"]);
  EXPECT_EQ(schema["properties"]["routes"]["items"]["oneOf"].size(), 8u);
}

}  // namespace
}  // namespace equinox::appliance
