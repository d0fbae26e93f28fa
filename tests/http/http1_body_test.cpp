#include <gtest/gtest.h>

#include "http/http1_peer.hpp"

namespace equinox::http::test {
namespace {

constexpr std::string_view kChunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string with_length(std::size_t length) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

TEST(Http1Body, ArrivesWithItsHeadWhenItIsThere) {
  Http1Peer peer;
  const std::string wire = with_length(5) + "hello";
  EXPECT_EQ(peer.send(wire), wire.size());
  EXPECT_EQ(peer.head()->content_length, 5U);
  EXPECT_EQ(peer.body(), "hello");
  EXPECT_TRUE(peer.events.back().end_of_message);
}

TEST(Http1Body, StopsBehindItsLastByte) {
  Http1Peer peer;
  EXPECT_EQ(peer.send(with_length(3) + "abcGET"), with_length(3).size() + 3);
  EXPECT_EQ(peer.unused, "GET");
}

TEST(Http1Body, ComesInChunks) {
  Http1Peer peer;
  peer.send(kChunked);
  EXPECT_FALSE(peer.events.back().end_of_message);
  peer.send("3\r\nabc\r\n2\r\nde\r\n");
  EXPECT_EQ(peer.body(), "abcde");
  peer.send("0\r\n\r\nrest");
  EXPECT_TRUE(peer.events.back().end_of_message);
  EXPECT_EQ(peer.unused, "rest");
}

TEST(Http1Body, HandsTrailersOverApartFromTheFields) {
  Http1Peer peer;
  peer.send(std::string{kChunked} + "1\r\na\r\n0\r\nX-Sum:  7 \r\nContent-Length: 9\r\nHost: evil\r\nY: z\r\n\r\n");
  ASSERT_FALSE(peer.has_failed);
  ASSERT_TRUE(peer.events.back().end_of_message);
  const auto trailers = peer.events.back().trailers();
  ASSERT_EQ(trailers.size(), 2U);
  EXPECT_EQ(trailers[0].name, "X-Sum");
  EXPECT_EQ(trailers[0].value, "7");
  EXPECT_EQ(trailers[1].name, "Y");
  EXPECT_EQ(peer.head()->authority, "a");
  EXPECT_FALSE(peer.head()->field("x-sum"));
}

TEST(Http1Body, CountsFieldsAndTrailersTogether) {
  const auto failure_of = [](int trailers) {
    Limits limits;
    limits.fields_max_count = 4;
    Http1Peer peer{{}, limits};
    peer.send(kChunked);  // two fields
    std::string end = "0\r\n";
    for (int i = 0; i < trailers; ++i) end += "X: y\r\n";
    peer.send(end + "\r\n");
    return peer.has_failed ? std::optional{peer.error} : std::nullopt;
  };
  EXPECT_EQ(failure_of(2), std::nullopt);
  EXPECT_EQ(failure_of(3), Errc::trailers_too_large);
}

TEST(Http1Body, TellsTheHugestLengthWithoutAdding) {
  Http1Peer peer;
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n");
  ASSERT_FALSE(peer.has_failed);
  EXPECT_EQ(peer.head()->content_length, UINT64_MAX);
}

TEST(Http1Body, AllowsSmallChunksInProportion) {
  Http1Peer peer;
  std::string wire{kChunked};
  for (int i = 0; i < 3000; ++i) wire += "40\r\n" + std::string(64, 'x') + "\r\n";
  peer.send(wire + "0\r\n\r\n");
  EXPECT_FALSE(peer.has_failed) << to_string(peer.error);
}

TEST(Http1Body, IsDiscardedBehindAnEarlyAnswerAndTheNextRequestServed) {
  Http1Peer peer;
  peer.send(with_length(10) + "abc");
  peer.respond(Response::error(413));
  EXPECT_EQ(peer.take_output().find("Connection: close"), std::string::npos);
  EXPECT_TRUE(peer.codec.state().can_receive);
  EXPECT_TRUE(peer.codec.state().head_started);
  EXPECT_EQ(peer.codec.state().open_streams, 0U);
  peer.send("defghijGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(peer.events.empty());
  peer.receive();
  ASSERT_NE(peer.head(), nullptr);
  EXPECT_EQ(peer.head()->path, "/2");
  EXPECT_EQ(peer.events.front().stream, 2U);
}

TEST(Http1Body, IsNeverParsedAsARequestWhenTheConnectionCloses) {
  Http1Peer peer;
  peer.send(with_length(1 << 20));
  peer.respond(Response::error(413));
  EXPECT_NE(peer.take_output().find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(peer.codec.state().is_finished);
  peer.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(peer.events.empty());
}

TEST(Http1Body, OfUnknownLengthIsDiscardedUpToABound) {
  Http1Peer peer;
  peer.send(kChunked);
  peer.respond(Response::error(404));
  EXPECT_FALSE(peer.codec.state().is_finished);
  peer.send("20000\r\n" + std::string(0x20000, 'x'));
  EXPECT_TRUE(peer.codec.state().is_finished);
}

TEST(Http1Continue, IsSentOnceAndOnlyBeforeTheBody) {
  Http1Peer peer;
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(peer.head()->expects_continue);
  peer.codec.send_continue(1, peer.batch);
  peer.codec.send_continue(1, peer.batch);
  EXPECT_EQ(peer.take_output(), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("hi");
  peer.codec.send_continue(1, peer.batch);
  EXPECT_TRUE(peer.batch.empty());
}

TEST(Http1Continue, IsNotSentWithoutAskingNorToHttp10) {
  for (const std::string_view wire : {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n",
                                      "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"}) {
    Http1Peer peer;
    peer.send(wire);
    EXPECT_FALSE(peer.head()->expects_continue);
    peer.codec.send_continue(1, peer.batch);
    EXPECT_TRUE(peer.batch.empty());
  }
}

TEST(Http1Continue, RefusedMeansClose) {
  Http1Peer peer;
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  peer.respond(Response::error(413));
  EXPECT_NE(peer.take_output().find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(peer.codec.state().is_finished);
}

}  // namespace
}  // namespace equinox::http::test
