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

TEST(Http1Guard, TakesARequestLineApart) {
  const auto line = split_request_line("PUT /a?b HTTP/1.0", Limits{});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->method, "PUT");
  EXPECT_EQ(line->target, "/a?b");
  EXPECT_EQ(line->version, "HTTP/1.0");
}

}  // namespace
}  // namespace equinox::http
