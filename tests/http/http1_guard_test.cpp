#include "http/http1_guard.hpp"

#include <gtest/gtest.h>

namespace equinox::http {
namespace {

constexpr std::string_view kHead = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Http1Guard, FindsTheEndOfTheHead) {
  GuardState state;
  const std::string wire = std::string{kHead} + "GET /next";
  const auto size = scan_head(wire, state, Limits{});
  ASSERT_TRUE(size);
  EXPECT_EQ(*size, kHead.size());
  EXPECT_EQ(state.fields, 1);
}

TEST(Http1Guard, LooksAtNoByteTwice) {
  GuardState state;
  const Limits limits;
  for (std::size_t size = 1; size < kHead.size(); ++size) {
    const auto found = scan_head(kHead.substr(0, size), state, limits);
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, 0U);
    EXPECT_EQ(state.scanned, size);
  }
  EXPECT_EQ(*scan_head(kHead, state, limits), kHead.size());
}

TEST(Http1Guard, RefusesAnIncompleteHeadAsSoonAsABoundIsPassed) {
  Limits limits;
  limits.target_max_bytes = 10;
  limits.head_max_bytes = 40;
  GuardState line;
  EXPECT_EQ(*scan_head("GET /123456789", line, limits), 0U);
  EXPECT_EQ(scan_head("GET /1234567890", line, limits).error().code, Errc::target_too_long);
  GuardState head;
  const std::string wire = "GET / HTTP/1.1\r\nX: 0123456789012345678901";
  EXPECT_EQ(*scan_head(wire.substr(0, 40), head, limits), 0U);
  EXPECT_EQ(scan_head(wire, head, limits).error().code, Errc::head_too_large);
}

TEST(Http1Guard, CountsFieldsBeforeTheHeadIsComplete) {
  Limits limits;
  limits.fields_max_count = 2;
  GuardState state;
  EXPECT_EQ(scan_head("GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n", state, limits).error().code, Errc::head_too_large);
}

/// What scan_head() says of a line, and what taking it apart says: a usual line is seen at once, and must be no other.
void expect_one_judgement(const std::string& line, const Limits& limits) {
  GuardState state;
  const auto scanned = scan_head(line + "\r\n\r\n", state, limits);
  const auto parts = split_request_line(line, limits);
  ASSERT_EQ(scanned.has_value(), parts.has_value()) << line;
  if (!parts) {
    EXPECT_EQ(scanned.error().code, parts.error().code) << line;
  }
}

TEST(Http1Guard, TheQuickWayTakesNoLineThatTheOtherRefuses) {
  Limits limits;
  limits.target_max_bytes = 24;
  for (const std::string line :
       {"GET / HTTP/1.1", "GET /a?b=c HTTP/1.1", "OPTIONS * HTTP/1.1", "GET  HTTP/1.1", "GET /"}) {
    expect_one_judgement(line, limits);
    for (std::size_t at = 0; at <= line.size(); ++at) {
      if (at < line.size()) expect_one_judgement(line.substr(0, at) + line.substr(at + 1), limits);
      for (int octet = 0; octet < 256; ++octet) {
        const auto c = static_cast<char>(octet);
        if (c == '\n') continue;  // ends the line
        expect_one_judgement(line.substr(0, at) + c + line.substr(at), limits);
        if (at == line.size()) continue;
        std::string changed = line;
        changed[at] = c;
        expect_one_judgement(changed, limits);
      }
    }
  }
  for (std::size_t size = 1; size < 40; ++size) {
    expect_one_judgement("GET /" + std::string(size, 'a') + " HTTP/1.1", limits);
    expect_one_judgement(std::string(size, 'M') + " / HTTP/1.1", limits);
  }
}

TEST(Http1Guard, TakesARequestLineApart) {
  const auto line = split_request_line("PUT /a?b HTTP/1.0", Limits{});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->method, "PUT");
  EXPECT_EQ(line->target, "/a?b");
  EXPECT_EQ(line->version, "HTTP/1.0");
}

}  // namespace
}  // namespace equinox::http
