#include "http/http1_writer.hpp"

#include <gtest/gtest.h>

#include "http/http1_peer.hpp"
#include "http/response_access.hpp"

namespace equinox::http::test {
namespace {

class Http1Writer : public testing::Test {
 protected:
  Http1Writer() { date.update(std::chrono::system_clock::time_point{std::chrono::seconds{784111777}}); }
  std::string written(const Response& response, Framing framing, ConnectionField connection = ConnectionField::none,
                      std::string_view body = {}) {
    EgressBatch batch;
    write_head(batch, response, framing, connection, date, body);
    EXPECT_EQ(batch.segments().size(), 1U);
    return text_of(batch);
  }
  DateCache date{"Equinox"};
};

TEST_F(Http1Writer, WritesAWholeAnswerInOnePiece) {
  Response response{200};
  response.content_type("text/plain").with("X-A", "1").with("X-B", std::string{"2"});
  EXPECT_EQ(written(response, {Framing::Kind::length, 2}, ConnectionField::none, "hi"),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Equinox\r\n"
            "Content-Type: text/plain\r\nContent-Length: 2\r\nX-A: 1\r\nX-B: 2\r\n\r\nhi");
}

TEST_F(Http1Writer, WritesOtherStatusesAndNoContentTypeUnasked) {
  EXPECT_EQ(written(Response{404}, {Framing::Kind::chunked, 0}, ConnectionField::close),
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Equinox\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(written(Response{599}, {}, ConnectionField::keep_alive),
            "HTTP/1.1 599 \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Equinox\r\n"
            "Connection: keep-alive\r\n\r\n");
}

TEST_F(Http1Writer, AResponseThatNamesItsServerHasNoOther) {
  Response response{200};
  response.with("server", "mine");
  EXPECT_EQ(written(response, {}), "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nserver: mine\r\n\r\n");
  Response later{404};
  for (int i = 0; i < 12; ++i) later.with("X-S", std::string{"v"});
  later.with_dynamic("Server", "mine");
  const std::string text = written(later, {});
  EXPECT_EQ(text.find("Server: "), text.rfind("Server: ")) << text;
  EXPECT_NE(text.find("Server: mine\r\n"), std::string::npos) << text;
}

TEST_F(Http1Writer, WritesMoreFieldsThanFitInline) {
  Response response{200};
  for (int i = 0; i < 20; ++i) response.with_dynamic("X-" + std::to_string(i), std::string(200, 'v'));
  for (int i = 0; i < 12; ++i) response.with("X-S", std::string{"v"});
  const std::string text = written(response, {});
  EXPECT_NE(text.find("X-19: vvv"), std::string::npos);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("X-S: v\r\n", at)) != std::string::npos; ++at) ++count;
  EXPECT_EQ(count, 12U);
}

TEST(SoundResponse, HasNoBlanksAroundItsContentType) {
  Response response = Response::literal("x", " text/plain\t");
  trim_content_type(response);
  EXPECT_EQ(response.content_type(), "text/plain");
  trim_content_type(response.content_type("a b"));
  EXPECT_EQ(response.content_type(), "a b");
}

TEST(SoundResponse, SplitsNothingAndIsFinal) {
  Response fine{200};
  EXPECT_TRUE(is_sound(fine.content_type("text/plain")));
  Response split{200};
  EXPECT_FALSE(is_sound(split.content_type(std::string{"text/plain\r\nX-Evil: 1"})));
  EXPECT_FALSE(is_sound(Response{103}));
  EXPECT_FALSE(is_sound(Response{101}));
  EXPECT_EQ(Status{70'000}.code(), 500);
  EXPECT_EQ(Status{99}.code(), 500);
}

TEST(Http1Chunk, HasFourDigits) {
  char block[64] = "......hello..";
  EXPECT_EQ(frame_chunk(block, 5), 13U);
  EXPECT_EQ(std::string_view(block, 13), "0005\r\nhello\r\n");
  std::vector<char> large(kChunkMaxBytes + kChunkHeadBytes + kChunkTailBytes);
  frame_chunk(large.data(), kChunkMaxBytes);
  EXPECT_EQ(std::string_view(large.data(), 6), "4000\r\n");
}

}  // namespace
}  // namespace equinox::http::test
