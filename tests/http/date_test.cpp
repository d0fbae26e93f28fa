#include "http/date.hpp"

#include <gtest/gtest.h>

namespace equinox::http {
namespace {

TEST(HttpDate, IsWrittenAsImfFixdate) {
  EXPECT_EQ(format_http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_http_date(1709164799), "Wed, 28 Feb 2024 23:59:59 GMT");
}

TEST(HttpDate, IsReadInThreeForms) {  // RFC 9110 §5.6.7
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), 784111777);
}

TEST(HttpDate, IsRefusedWhenItIsNone) {
  for (const std::string_view text :
       {"", "0", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xyz 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT", "Sun Nov 31 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), -1) << text;
  }
}

TEST(HttpDate, IsNotReadFromWhatOnlyResemblesOne) {
  for (const std::string_view text :
       {"Sun, 06xNov 1994 08:49:37 GMT", "Sun, 06 Nov-1994 08:49:37 GMT", "Xyz, 06 Nov 1994 08:49:37 GMT",
        "anything, 06-Nov-94 08:49:37 GMT", "\"abc\", 06-Nov-94 08:49:37 GMT", "Sunday, 06/Nov/94 08:49:37 GMT",
        "Sunday,x06-Nov-94 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sun.Nov. 6.08:49:37.1994",
        "Xyz Nov  6 08:49:37 1994", "Sun Nov 6  08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), -1) << text;
  }
}

TEST(DateCache, RendersOncePerSecond) {
  using std::chrono::milliseconds;
  DateCache cache{"Equinox"};
  const std::chrono::system_clock::time_point start{std::chrono::seconds{784111777}};
  cache.update(start);
  EXPECT_EQ(cache.date(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.ok_head(), "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Equinox\r\n");
  const char* const rendered = cache.date().data();
  cache.update(start + milliseconds{999});
  EXPECT_EQ(cache.date().data(), rendered);
  cache.update(start + milliseconds{1000});
  EXPECT_EQ(cache.fields(), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\nServer: Equinox\r\n");
}

TEST(DateCache, LeavesServerOutWhenThereIsNone) { EXPECT_EQ(DateCache{}.fields().find("Server"), std::string::npos); }

}  // namespace
}  // namespace equinox::http
