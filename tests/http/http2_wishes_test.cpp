// PRIORITY_UPDATE (RFC 9218 §7.1), for streams that are open and for those that are not yet.

#include <optional>
#include <string>

#include "http/http2_fixture.hpp"

namespace equinox::http {
namespace {

using test::be32;
using test::client_preface;
using test::frame;
using test::get_frame;

class Http2WishesTest : public test::Http2Test {};

TEST_F(Http2WishesTest, WishesForStreamsNotOpenedYetAreBoundedLikeStreams) {
  limits.h2_concurrent_streams = 10;
  const auto wish = [](std::uint32_t stream) { return frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(stream) + "u=1"); };
  std::string wishes;
  for (std::uint32_t i = 0; i < 10; ++i) wishes += wish(1 + 2 * i);
  peer_sends(client_preface() + wishes + wishes);
  EXPECT_FALSE(error);
  peer_sends(get_frame(9) + wish(1) + wish(9));
  EXPECT_EQ(seen[9].urgency, 1);
  std::string more;
  for (std::uint32_t i = 10; i < 15; ++i) more += wish(1 + 2 * i);
  peer_sends(more);
  EXPECT_FALSE(error) << "five below 9 are forgotten with it";
  const auto frames = peer_sends_raw(wish(101));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_flood_priority);
  EXPECT_EQ(goaway_code(frames), NGHTTP2_PROTOCOL_ERROR);
}

// nghttp2 1.52 lists a stream as idle that was wished for before it opened, and later frees it as one.
TEST_F(Http2WishesTest, StreamsWishedForBeforeTheyOpenEndAsOthersDo) {
  limits.h2_control_burst = 10'000;
  answers_with([] { return Response::text("x"); });
  peer_sends(client_preface());
  for (std::uint32_t id = 1; id < 1200; id += 2) {
    peer_sends(frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(id) + "u=5, i") + get_frame(id));
    EXPECT_EQ(seen[id].urgency, 5);
    EXPECT_TRUE(seen[id].incremental);
    server_sends();
    ASSERT_EQ(seen[id].sent, 1);
  }
  EXPECT_FALSE(error);
}

TEST_F(Http2WishesTest, AWishForAStreamNotOpenYetWinsOverTheRequestsOwnField) {
  const auto wishes = frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(1) + "u=7");
  peer_sends(client->output() + wishes);
  const auto first = client->get("/first", {{"priority", "u=0"}});
  const auto second = client->get("/second");
  talk();
  respond(static_cast<StreamId>(first), Response::text("x"));
  respond(static_cast<StreamId>(second), Response::text("x"));
  talk();
  EXPECT_EQ(client->data_order, (std::vector<std::int32_t>{second, first}));
}

TEST_F(Http2WishesTest, PriorityUpdatesHaveAForm) {
  struct Case {
    const char* name;
    std::string bytes;
    std::optional<Errc> expected;
    std::int64_t code;
  };
  const Case cases[] = {
      {"on a stream", frame(NGHTTP2_PRIORITY_UPDATE, 0, 1, be32(1) + "u=1"), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"for stream 0", frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(0) + "u=1"), Errc::h2_protocol,
       NGHTTP2_PROTOCOL_ERROR},
      {"for a push", frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(2) + "u=1"), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"too short", frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, "abc"), Errc::h2_frame_size, NGHTTP2_FRAME_SIZE_ERROR},
      {"without a wish", frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(1)), std::nullopt, -1},
      {"very long", frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(1) + "u=1" + std::string(10'000, ' ')), std::nullopt, -1},
      {"for what is over", get_frame(3) + frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, be32(1) + "u=1"), std::nullopt, -1},
  };
  for (const Case& wanted : cases) {
    for (const std::size_t cut : {0U, 1U, 3U}) {
      SCOPED_TRACE(wanted.name);
      piece_bytes = cut;
      codec.reset();
      error.reset();
      peer_sends(client_preface());
      const auto frames = peer_sends_raw(wanted.bytes);
      EXPECT_EQ(error.has_value(), wanted.expected.has_value());
      if (error && wanted.expected) {
        EXPECT_EQ(error->code, *wanted.expected);
      }
      EXPECT_EQ(goaway_code(frames), wanted.code);
    }
  }
}

}  // namespace
}  // namespace equinox::http
