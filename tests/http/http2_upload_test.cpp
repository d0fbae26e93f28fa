// What a client may send before the application has taken what came before.

#include <algorithm>
#include <string>
#include <vector>

#include "http/http2_fixture.hpp"

namespace equinox::http {
namespace {

class Http2UploadTest : public test::Http2Test {};

TEST_F(Http2UploadTest, KeepsTheClientFromSendingMoreThanIsConsumed) {
  limits.h2_stream_window_bytes = 65535;
  consumes_body = false;
  const auto stream = static_cast<StreamId>(client->post("/up", std::string(200'000, 'x')));
  talk();
  EXPECT_EQ(seen[stream].body.size(), 65535U);
  EXPECT_FALSE(seen[stream].is_complete);
  server().consume(stream, 65535);
  consumes_body = true;
  talk();
  EXPECT_EQ(seen[stream].body.size(), 200'000U);
  EXPECT_TRUE(seen[stream].is_complete);
}

TEST_F(Http2UploadTest, OneStreamThatIsNotConsumedDoesNotStopTheOthers) {
  limits.h2_stream_window_bytes = 65535;
  consumes_body = false;
  client->post("/stuck", std::string(200'000, 'x'));
  talk();
  consumes_body = true;
  const auto other = static_cast<StreamId>(client->post("/fine", std::string(2'000'000, 'y')));
  talk();
  EXPECT_TRUE(seen[other].is_complete);
  EXPECT_EQ(seen[1].body.size(), 65535U);
}

TEST_F(Http2UploadTest, WidensTheWindowOfAnUploadThatIsTakenAsItComes) {
  const auto stream = client->post("/up", std::string(6'000'000, 'x'));
  std::int64_t widest = 0;
  const auto talk_until = [&](std::size_t body_bytes) {
    while (seen[static_cast<StreamId>(stream)].body.size() < body_bytes) {
      peer_sends(client->output());
      ASSERT_TRUE(client->input(server_sends()));
      std::vector<StreamDescription> shown;
      server().describe(shown, clock.now());
      widest = std::max(widest, shown.at(0).receive_window_bytes);
    }
  };
  talk_until(3'000'000);
  const auto half = static_cast<std::int64_t>(limits.h2_connection_window_bytes / 2);
  EXPECT_GT(widest, half / 2);
  EXPECT_LE(widest, half);
  // It stops: the rest of the connection's window is for others.
  consumes_body = false;
  const std::size_t before = seen[static_cast<StreamId>(stream)].body.size();
  talk();
  EXPECT_LE(seen[static_cast<StreamId>(stream)].body.size() - before, static_cast<std::size_t>(half));
  consumes_body = true;
  const auto other = static_cast<StreamId>(client->post("/fine", std::string(2'000'000, 'y')));
  talk();
  EXPECT_TRUE(seen[other].is_complete);
}

TEST_F(Http2UploadTest, UploadsThatStopLeaveTheOthersTheirWindows) {
  const auto take = [&](std::int32_t stream, std::size_t body_bytes) {
    while (seen[static_cast<StreamId>(stream)].body.size() < body_bytes) {
      const std::string sent = client->output();
      ASSERT_FALSE(sent.empty());
      peer_sends(sent);
      ASSERT_TRUE(client->input(server_sends()));
    }
  };
  const auto first = client->post("/first", std::string(6'000'000, 'x'));
  take(first, 2'000'000);
  consumes_body = false;  // one that was taken as it came stops, and another one after it
  talk();
  const auto second = client->post("/second", std::string(200'000, 'x'));
  talk();
  EXPECT_NE(seen[static_cast<StreamId>(second)].body.size(), 0U);
  consumes_body = true;
  const auto other = static_cast<StreamId>(client->post("/fine", std::string(2'000'000, 'y')));
  talk();
  EXPECT_TRUE(seen[other].is_complete) << seen[other].body.size();
}

TEST_F(Http2UploadTest, GivesTheConnectionWindowBackWhenAStreamGoes) {
  limits.h2_connection_window_bytes = 65535;
  consumes_body = false;
  const auto stuck = client->post("/stuck", std::string(200'000, 'x'));
  talk();
  nghttp2_submit_rst_stream(client->session(), 0, stuck, NGHTTP2_CANCEL);
  talk();
  EXPECT_EQ(seen[static_cast<StreamId>(stuck)].reset_code, NGHTTP2_CANCEL);
  consumes_body = true;
  const auto next = static_cast<StreamId>(client->post("/next", std::string(100'000, 'y')));
  talk();
  EXPECT_TRUE(seen[next].is_complete);
}

}  // namespace
}  // namespace equinox::http
