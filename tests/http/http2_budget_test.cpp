// What a peer may do only so often, and what gives it more of that.

#include "http/http2_budget.hpp"

#include <string>

#include "http/http2_fixture.hpp"

namespace equinox::http {
namespace {

using namespace std::chrono_literals;
using test::be32;
using test::client_preface;
using test::frame;
using test::get_frame;
using test::header_block;
using test::repeated;

class Http2BudgetTest : public test::Http2Test {};

TEST(Http2BudgetAloneTest, IsSpentRefilledByTimeAndEarned) {
  Limits limits;
  limits.h2_control_burst = 3;
  limits.h2_control_per_second = 2;
  TimePoint now{1h};
  Http2Budget budget{limits, now};
  const auto take_all = [&](BudgetKind kind) {
    int taken = 0;
    while (taken < 100 && budget.take(kind, now)) ++taken;
    return taken;
  };
  EXPECT_EQ(take_all(BudgetKind::ping), 3);
  EXPECT_EQ(take_all(BudgetKind::settings), 3) << "each kind has its own";
  now += 1s;
  EXPECT_EQ(take_all(BudgetKind::ping), 2);
  now += 400ms;
  EXPECT_EQ(take_all(BudgetKind::ping), 0);
  now += 100ms;
  EXPECT_EQ(take_all(BudgetKind::ping), 1) << "the fraction was not lost";
  now += 1h;
  EXPECT_EQ(take_all(BudgetKind::ping), 3) << "never above the burst";
  budget.earn(BudgetKind::ping, 100);
  EXPECT_EQ(take_all(BudgetKind::ping), 3);
  EXPECT_EQ(take_all(BudgetKind::reset), 100) << "resets have another size";
}

TEST(Http2BudgetAloneTest, WhatWasSentEarnsUpdatesBeyondTheBurstAndNothingElse) {
  Limits limits;
  limits.h2_control_burst = 3;
  limits.h2_control_per_second = 2;
  TimePoint now{1h};
  Http2Budget budget{limits, now};
  const auto take_all = [&](BudgetKind kind) {
    int taken = 0;
    while (taken < 10'000'000 && budget.take(kind, now)) ++taken;
    return taken;
  };
  for (int i = 0; i < 100; ++i) budget.earn_sent(16 * 1024);
  EXPECT_EQ(take_all(BudgetKind::window_update), 3 + 100 * 18);
  EXPECT_EQ(take_all(BudgetKind::ping), 3);
  EXPECT_EQ(take_all(BudgetKind::tiny_answer), 3);
  now += 1h;
  EXPECT_EQ(take_all(BudgetKind::window_update), 3) << "time fills no more than the burst";
  for (int i = 0; i < 1'000'000; ++i) budget.earn_sent(16 * 1024);
  EXPECT_EQ(take_all(BudgetKind::window_update), 1 << 22) << "and nobody hoards without end";
}

TEST_F(Http2BudgetTest, EachBudgetEndsTheConnectionWithItsOwnReason) {
  const std::string open_post =
      frame(NGHTTP2_HEADERS, 0x4, 1,
            header_block({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.example"}}));
  struct Case {
    Errc expected;
    std::string flood;
  };
  const Case cases[] = {
      {Errc::h2_flood_ping, frame(NGHTTP2_PING, 0, 0, "12345678")},
      {Errc::h2_flood_ping, frame(NGHTTP2_PING, 1, 0, "12345678")},
      {Errc::h2_flood_settings, frame(NGHTTP2_SETTINGS, 0, 0)},
      {Errc::h2_flood_priority, frame(NGHTTP2_PRIORITY, 0, 1, be32(0) + "\1")},
      {Errc::h2_flood_priority, frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(1) + "u=1")},
      {Errc::h2_flood_window_update, frame(NGHTTP2_WINDOW_UPDATE, 0, 0, be32(1))},
      {Errc::h2_flood_empty, frame(NGHTTP2_DATA, 0, 1)},
      {Errc::h2_flood_empty, frame(NGHTTP2_DATA, 0x8, 1, std::string("\4\0\0\0\0", 5))},
      {Errc::h2_flood_empty, frame(0x77, 0, 0, "what")},
      {Errc::h2_flood_data_tiny, frame(NGHTTP2_DATA, 0, 1, "x")},
  };
  limits.h2_control_burst = 50;
  limits.h2_control_per_second = 10;
  for (const Case& wanted : cases) {
    SCOPED_TRACE(static_cast<int>(wanted.flood[3]));
    codec.reset();
    error.reset();
    peer_sends(client_preface() + open_post);
    peer_sends(repeated(wanted.flood, 49));
    EXPECT_FALSE(error);
    const auto frames = peer_sends_raw(repeated(wanted.flood, 20));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, wanted.expected);
    EXPECT_EQ(error->detail, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_EQ(goaway_code(frames), NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_TRUE(server().state().is_finished);
  }
}

TEST_F(Http2BudgetTest, TimeFillsABudgetAgain) {
  limits.h2_control_burst = 50;
  limits.h2_control_per_second = 10;
  const std::string ping = frame(NGHTTP2_PING, 0, 0, "12345678");
  peer_sends(client_preface() + repeated(ping, 50));
  for (int second = 0; second < 20; ++second) {
    clock.advance(1s);
    peer_sends(repeated(ping, 10));
    EXPECT_FALSE(error);
  }
  peer_sends(ping);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_flood_ping);
}

TEST_F(Http2BudgetTest, ADownloadEarnsItsWindowUpdates) {
  limits.h2_control_burst = 50;
  limits.h2_control_per_second = 0;
  answers_with([] { return Response::text(std::string(20'000'000, 'd')); });
  const auto stream = client->get("/");
  talk();  // an update of stream and connection for every half window: some 1200
  EXPECT_FALSE(error);
  EXPECT_EQ(client->answer(stream).body.size(), 20'000'000U);
}

// Go's client has windows of 4 MiB and gives them back in steps of 4 KiB, when its program reads what came long before.
TEST_F(Http2BudgetTest, AClientWithLargeWindowsMayGiveThemBackAtOnce) {
  limits.h2_control_burst = 50;
  limits.h2_control_per_second = 0;
  constexpr std::uint32_t kWindowBytes = 4 << 20;
  constexpr std::uint32_t kStepBytes = 4096;
  application = [](StreamId, const test::SeenRequest&) { return Response::text(std::string(kWindowBytes, 'd')); };
  peer_sends_raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                 frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4", 2) + be32(kWindowBytes)) +
                 frame(NGHTTP2_WINDOW_UPDATE, 0, 0, be32(1U << 30U)) + get_frame(1));
  std::string updates;
  for (std::uint32_t bytes = 0; bytes < kWindowBytes; bytes += kStepBytes) {
    updates +=
        frame(NGHTTP2_WINDOW_UPDATE, 0, 0, be32(kStepBytes)) + frame(NGHTTP2_WINDOW_UPDATE, 0, 1, be32(kStepBytes));
  }
  peer_sends(updates);
  EXPECT_FALSE(error);
  // It got two for each KiB and for each frame; these are none of them.
  peer_sends_raw(repeated(frame(NGHTTP2_WINDOW_UPDATE, 0, 0, be32(1)), 10'000));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_flood_window_update);
}

// To find a size for its windows, a client asks with the data how long they took (a PING at a time).
TEST_F(Http2BudgetTest, ADownloadEarnsItsPings) {
  limits.h2_control_burst = 5;
  limits.h2_control_per_second = 0;
  answers_with([] { return Response::text(std::string(16'000, 'd')); });
  for (int i = 0; i < 50; ++i) {
    client->get("/");
    talk();
    peer_sends(frame(NGHTTP2_PING, 0, 0, "12345678"));
    EXPECT_FALSE(error);
  }
}

}  // namespace
}  // namespace equinox::http
