#include <gtest/gtest.h>

#include "deploy/appliance/client/connection_table.hpp"
#include "deploy/appliance/client/text_table.hpp"

namespace equinox::appliance {
namespace {

TEST(ClientText, NothingFromTheWireReachesTheTerminalAsASequence) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a\\x1b[2Jb");
  EXPECT_EQ(printable("a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J"),
            "\\x9b2J");
  EXPECT_EQ(printable("Grüße"), "Grüße");
}

TEST(ClientText, ColumnsAreAsWideAsTheirWidestCell) {
  TextTable table{{"A", "B"}};
  table.add({"äöü", "1"});
  table.add({"x", "2"});
  EXPECT_EQ(table.to_string(), "A    B\näöü  1\nx    2\n");
  EXPECT_EQ(table.to_string(3), "A  \näöü\nx  \n");
}

TEST(ClientText, DurationsAndSizesAreShort) {
  EXPECT_EQ(short_duration(1.52), "1.5s");
  EXPECT_EQ(short_duration(200), "3m20s");
  EXPECT_EQ(short_duration(7500), "2h05m");
  EXPECT_EQ(short_duration(12.0 * 86'400), "12d00h");
  EXPECT_EQ(short_duration(-1), "0s");
  EXPECT_EQ(short_size(512), "512");
  EXPECT_EQ(short_size(1536), "1.5k");
}

TEST(ClientText, ARowShowsWhatIsKnownAndADashForTheRest) {
  const auto page =
      nlohmann::json::parse(R"({"total": 1, "rows": [{"id": "0-1-2", "peer": "127.0.0.1:5", "listener": "http",
    "protocol": "h2c", "state": "idle", "age_seconds": 61, "idle_seconds": 2.5, "requests": 3, "received_bytes": 2048,
    "sent_bytes": 10, "memory_bytes": 472, "deadline": {"kind": "idle", "seconds_left": 57.5}, "target": null}]})");
  const std::string text = connection_table(page, 0);
  EXPECT_THAT(
      text, testing::ContainsRegex("0-1-2 +127.0.0.1:5 +http +h2c +idle +1m01s +2.5s +3 +2.0k +10 +472 +idle 57s +-"));
  const auto bare = connection_table(nlohmann::json::parse(R"({"rows": [{"id": "x", "deadline": null}]})"), 0);
  EXPECT_THAT(bare, testing::ContainsRegex("x +- +-"));
}

TEST(ClientText, TheClientStandsInFrontOfTheProxyThatNamesIt) {
  const auto page = nlohmann::json::parse(
      R"({"rows": [{"id": "0-1-2", "peer": "10.0.0.1:5", "client": "192.0.2.7:4711", "listener": "http"},
                   {"id": "0-2-2", "peer": "10.0.0.1:6", "client": null, "listener": "http"}]})");
  const std::string text = connection_table(page, 0);
  EXPECT_THAT(text, testing::ContainsRegex("0-1-2 +192.0.2.7:4711 via 10.0.0.1:5 +http"));
  EXPECT_THAT(text, testing::ContainsRegex("0-2-2 +10.0.0.1:6 +http"));
}

TEST(ClientText, ASortFieldMayDescend) {
  Options options;
  options.sort = "-age";
  const auto query = connection_query(options, 5);
  EXPECT_THAT(query, testing::Contains(std::pair<std::string, std::string>{"sort", "age"}));
  EXPECT_THAT(query, testing::Contains(std::pair<std::string, std::string>{"order", "desc"}));
}

}  // namespace
}  // namespace equinox::appliance
