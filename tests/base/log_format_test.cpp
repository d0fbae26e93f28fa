#include "base/log_format.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

namespace equinox {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

const system_clock::time_point kMoment{milliseconds{1'714'979'289'123}};  // 2024-05-06T07:08:09.123Z

std::string json_of(const LogRecord& record) {
  std::string out;
  append_json(out, record);
  return out;
}

std::string text_escaped(std::string_view bytes) {
  std::string out;
  append_text_escaped(out, bytes);
  return out;
}

std::string json_escaped(std::string_view bytes) {
  std::string out;
  append_json_escaped(out, bytes);
  return out;
}

TEST(LogTime, IsUtcWithMilliseconds) {
  std::string out;
  append_time(out, kMoment);
  EXPECT_EQ(out, "2024-05-06T07:08:09.123Z");
  out.clear();
  append_time(out, system_clock::time_point{milliseconds{-1}});
  EXPECT_EQ(out, "1969-12-31T23:59:59.999Z");
}

TEST(LogJson, CarriesFieldsWithTheirTypes) {
  LogRecord record{LogLevel::warning, LogComponent::tls, "handshake \"failed\"", kMoment};
  record.add("peer", "[::1]:7").add("alert", 40).add("big", UINT64_MAX).add("down", -5).add("ok", false).add("s", 0.25);
  record.add("nan", std::nan(""));
  const auto parsed = nlohmann::json::parse(json_of(record));
  EXPECT_EQ(parsed, (nlohmann::json{{"time", "2024-05-06T07:08:09.123Z"},
                                    {"level", "warning"},
                                    {"component", "tls"},
                                    {"message", "handshake \"failed\""},
                                    {"peer", "[::1]:7"},
                                    {"alert", 40},
                                    {"big", UINT64_MAX},
                                    {"down", -5},
                                    {"ok", false},
                                    {"s", 0.25},
                                    {"nan", nullptr}}));
}

TEST(LogJson, IsValidForEveryPairOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
      const std::string line = json_of(LogRecord{LogLevel::info, LogComponent::http, "m", kMoment}.add("k", bytes));
      ASSERT_TRUE(nlohmann::json::accept(line)) << line;
      for (const char c : line) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
    }
  }
}

TEST(LogJson, KeepsWellFormedUtf8AndShowsOtherBytes) {
  EXPECT_EQ(json_escaped("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(json_escaped("\xff"), R"(\\xff)");
  EXPECT_EQ(json_escaped("\xc0\xaf"), R"(\\xc0\\xaf)") << "overlong";
  EXPECT_EQ(json_escaped("\xed\xa0\x80"), R"(\\xed\\xa0\\x80)") << "surrogate";
  EXPECT_EQ(json_escaped("\xf4\x90\x80\x80"), R"(\\xf4\\x90\\x80\\x80)") << "beyond U+10FFFF";
  EXPECT_EQ(json_escaped("\xe2\x82"), R"(\\xe2\\x82)") << "cut";
  EXPECT_EQ(json_escaped(std::string_view{"\0\x1f\x7f\"\\\n", 6}), R"(\u0000\u001f\u007f\"\\\n)");
}

TEST(LogText, EscapesWhateverCouldForgeALineOrReachATerminal) {
  EXPECT_EQ(text_escaped("a\nb\rc\td\"e\\f"), R"(a\nb\rc\td\"e\\f)");
  EXPECT_EQ(text_escaped(std::string_view{"\0\x1b[31m\x7f\x9b", 8}), R"(\x00\x1b[31m\x7f\x9b)");
}

TEST(LogText, QuotesValuesOnlyWhereNeeded) {
  LogRecord record{LogLevel::info, LogComponent::server, "m", kMoment};
  record.add("plain", "a-b/c").add("blank", "a b").add("empty", "").add("forged", "x\" y=\"z").add("n", 3U);
  std::string out;
  append_text_fields(out, record);
  EXPECT_EQ(out, R"( plain=a-b/c blank="a b" empty="" forged="x\" y=\"z" n=3)");
}

TEST(LogRecordBytes, AreCutNotOverrunAndSaidSo) {
  LogRecord record{LogLevel::info, LogComponent::http, std::string(500, 'm'), kMoment};
  record.add("a", std::string(300, 'a')).add("b", std::string(300, 'b')).add("c", 1).add("d", std::string(10, 'd'));
  EXPECT_TRUE(record.is_cut());
  EXPECT_LE(record.used_bytes(), sizeof(LogRecord));
  const auto parsed = nlohmann::json::parse(json_of(record));
  EXPECT_EQ(parsed["cut"], true);
  EXPECT_EQ(parsed["a"], std::string(300, 'a'));
  const auto b = parsed["b"].get<std::string>();
  EXPECT_FALSE(b.empty());
  EXPECT_LT(b.size(), 300U);
  EXPECT_TRUE((LogRecord{LogLevel::info, LogComponent::http, std::string(5000, 'm'), kMoment}.is_cut()));
}

TEST(LogLevelNames, AreReadBack) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error, LogLevel::off}) {
    EXPECT_EQ(parse_log_level(to_string(level)), level);
  }
  EXPECT_EQ(parse_log_level("warn"), LogLevel::warning);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace equinox
