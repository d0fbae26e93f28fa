#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <stdexcept>

#include "http/http1_peer.hpp"

namespace equinox::http::test {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHead = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOld = "GET / HTTP/1.0\r\n\r\n";
constexpr std::string_view kOldKept = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

/// Answers pull() with what it was given, in order.
class Script final : public BodySource {
 public:
  struct Step {
    PullStatus status;
    std::string bytes;
  };
  explicit Script(std::deque<Step> steps, std::optional<std::uint64_t> length = {})
      : steps_{std::move(steps)}, length_{length} {}
  PullResult pull(std::span<char> into) override {
    if (steps_.empty()) throw std::runtime_error{"nothing left"};
    Step& step = steps_.front();
    const std::size_t count = step.bytes.copy(into.data(), into.size());
    if (count < step.bytes.size()) {
      step.bytes.erase(0, count);
      return {PullStatus::bytes, count};
    }
    const PullResult result{step.status, count};
    steps_.pop_front();
    return result;
  }
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return length_; }

 private:
  std::deque<Step> steps_;
  std::optional<std::uint64_t> length_;
};

Response scripted(std::deque<Script::Step> steps, std::optional<std::uint64_t> length = {}) {
  return Response::stream(std::make_unique<Script>(std::move(steps), length), "text/plain");
}

/// Sends `wire`, answers and pulls until nothing moves.
struct Exchange {
  explicit Exchange(std::string_view wire) { peer.send(wire); }
  std::string answer(Response response) {
    peer.respond(std::move(response));
    pull();
    return peer.take_output();
  }
  void pull() {
    while (peer.codec.state().wants_transmit) peer.codec.transmit(peer.batch, 1 << 20, peer.sent_events, TimePoint{});
  }
  [[nodiscard]] EventKind last() const { return peer.sent_events.back().kind; }
  Http1Peer peer;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
std::string content_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

TEST(Http1Answer, KeepsOrClosesTheConnection) {
  struct Case {
    std::string_view wire;
    bool application_closes;
    std::string_view field;
    bool is_finished;
  };
  for (const Case& c :
       {Case{kGet, false, "", false}, Case{kGet, true, "Connection: close\r\n", true},
        Case{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false, "Connection: close\r\n", true},
        Case{kOld, false, "Connection: close\r\n", true}, Case{kOldKept, false, "Connection: keep-alive\r\n", false}}) {
    Exchange exchange{c.wire};
    Response response = Response::literal("x", "text/plain");
    if (c.application_closes) response.close_connection();
    const std::string answer = exchange.answer(std::move(response));
    EXPECT_EQ(has(answer, "Connection:"), !c.field.empty()) << c.wire;
    EXPECT_TRUE(has(answer, c.field)) << answer;
    EXPECT_EQ(exchange.peer.codec.state().is_finished, c.is_finished) << c.wire;
    EXPECT_EQ(exchange.last(), EventKind::sent);
  }
}

TEST(Http1Answer, NeverCarriesContentToHeadOrWithAStatusThatForbidsIt) {
  Exchange head{kHead};
  const std::string of_head = head.answer(Response::text("hello"));
  EXPECT_TRUE(has(of_head, "Content-Length: 5\r\n"));
  EXPECT_EQ(content_of(of_head), "");
  for (const int status : {204, 304, 205}) {
    Exchange exchange{kGet};
    const std::string answer = exchange.answer(Response::text("hello", status));
    EXPECT_EQ(content_of(answer), "") << status;
    EXPECT_EQ(has(answer, "Content-Length: 0\r\n"), status == 205) << status;
    EXPECT_FALSE(exchange.peer.codec.state().is_finished);
  }
}

TEST(Http1Answer, ARefusalAfterAHeadRequestHasTheContentItAnnounces) {
  Exchange exchange{kHead};
  exchange.answer(Response::text("hello"));
  exchange.peer.send("GET /sl");
  exchange.peer.codec.respond(0, refusal_response(Status{408}), exchange.peer.batch, exchange.peer.sent_events);
  const std::string answer = exchange.peer.take_output();
  EXPECT_TRUE(has(answer, "Content-Length: " + std::to_string(content_of(answer).size()) + "\r\n")) << answer;
}

TEST(Http1Answer, CopiesSmallBodiesAndBorrowsLargeOnes) {
  static const std::string kLarge(5000, 'x');
  struct Case {
    const char* name;
    std::function<Response(std::size_t)> make;
  };
  for (const Case& c :
       {Case{"literal", [](std::size_t n) { return Response::literal(std::string_view{kLarge}.substr(0, n), "t/p"); }},
        Case{"string", [](std::size_t n) { return Response::text(kLarge.substr(0, n)); }},
        Case{"shared", [](std::size_t n) {
               return Response::shared(std::make_shared<const std::string>(kLarge.substr(0, n)), "t/p");
             }}}) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{4095}, std::size_t{4096}, std::size_t{5000}}) {
      Exchange exchange{kGet};
      exchange.peer.respond(c.make(size));
      EXPECT_EQ(exchange.peer.batch.segments().size(), size < Http1Codec::kCopyMaxBytes ? 1U : 2U) << c.name << size;
      const std::string answer = exchange.peer.take_output();
      EXPECT_EQ(content_of(answer), kLarge.substr(0, size)) << c.name << size;
      EXPECT_TRUE(has(answer, "Content-Length: " + std::to_string(size) + "\r\n"));
    }
  }
}

TEST(Http1Answer, HandsFilesToTheTransport) {
  Exchange exchange{kGet};
  const auto file = std::make_shared<const OpenFile>();
  const std::string answer = exchange.answer(Response::file({.file = file, .offset = 10, .length = 90}, "image/png"));
  EXPECT_EQ(content_of(answer), "<file 10+90>");
  EXPECT_TRUE(has(answer, "Content-Length: 90\r\n"));
}

TEST(Http1Answer, StreamsInChunks) {
  Exchange exchange{kGet};
  Response response = scripted({{PullStatus::bytes, "hello"}, {PullStatus::bytes, "world!"}, {PullStatus::end, "."}});
  response.trailer("X-Sum", "7").trailer("Content-Length", "1");
  const std::string answer = exchange.answer(std::move(response));
  EXPECT_TRUE(has(answer, "Transfer-Encoding: chunked\r\n"));
  EXPECT_FALSE(has(answer, "Content-Length"));
  EXPECT_EQ(content_of(answer), "0005\r\nhello\r\n0006\r\nworld!\r\n0001\r\n.\r\n0\r\nX-Sum: 7\r\n\r\n");
  EXPECT_EQ(exchange.last(), EventKind::sent);
  EXPECT_TRUE(exchange.peer.codec.state().can_receive);
  EXPECT_EQ(exchange.peer.pool.lent(), 0U);
}

TEST(Http1Answer, StreamsToHttp10UntilClose) {
  Exchange exchange{kOldKept};
  const std::string answer = exchange.answer(scripted({{PullStatus::bytes, "hello"}, {PullStatus::end, ""}}));
  EXPECT_EQ(content_of(answer), "hello");
  EXPECT_TRUE(has(answer, "Connection: close\r\n"));
  EXPECT_FALSE(has(answer, "Transfer-Encoding"));
  EXPECT_TRUE(exchange.peer.codec.state().is_finished);
}

TEST(Http1Answer, AnnouncesAKnownLengthAndPullsNoMore) {
  Exchange exchange{kGet};
  const std::string answer = exchange.answer(scripted({{PullStatus::bytes, "hello, too long"}}, 5));
  EXPECT_TRUE(has(answer, "Content-Length: 5\r\n"));
  EXPECT_EQ(content_of(answer), "hello");
  EXPECT_EQ(exchange.last(), EventKind::sent);
}

TEST(Http1Answer, DoesNotPullForHead) {
  Exchange exchange{kHead};
  const std::string answer = exchange.answer(scripted({}));
  EXPECT_EQ(content_of(answer), "");
  EXPECT_FALSE(exchange.peer.codec.state().is_finished);
}

TEST(Http1Answer, WaitsForAPendingSourceUntilItIsResumed) {
  Exchange exchange{kGet};
  exchange.answer(scripted({{PullStatus::bytes, "a"}, {PullStatus::pending, ""}, {PullStatus::end, "b"}}));
  EXPECT_FALSE(exchange.peer.codec.state().wants_transmit);
  EXPECT_EQ(exchange.peer.codec.state().open_streams, 1U);
  exchange.peer.codec.resume(99);
  EXPECT_FALSE(exchange.peer.codec.state().wants_transmit);
  exchange.peer.codec.resume(1);
  EXPECT_TRUE(exchange.peer.codec.state().wants_transmit);
  exchange.pull();
  EXPECT_EQ(exchange.peer.take_output(), "0001\r\nb\r\n0\r\n\r\n");
}

TEST(Http1Answer, SendsWhatAPendingSourceHasWritten) {
  Exchange exchange{kGet};
  const std::string answer = exchange.answer(scripted({{PullStatus::pending, "a"}, {PullStatus::end, "b"}}));
  EXPECT_EQ(content_of(answer), "0001\r\na\r\n");
  EXPECT_FALSE(exchange.peer.codec.state().wants_transmit);
  exchange.peer.codec.resume(1);
  exchange.pull();
  EXPECT_EQ(exchange.peer.take_output(), "0001\r\nb\r\n0\r\n\r\n");

  Exchange sized{kGet};
  EXPECT_EQ(content_of(sized.answer(scripted({{PullStatus::pending, "whole"}}, 5))), "whole");
  EXPECT_EQ(sized.last(), EventKind::sent);
}

TEST(Http1Answer, IsCutWhenItsSourceFails) {
  struct Case {
    const char* name;
    std::deque<Script::Step> steps;
    std::optional<std::uint64_t> length;
  };
  for (const Case& c :
       {Case{"says so", {{PullStatus::bytes, "a"}, {PullStatus::failed, ""}}, {}},
        Case{"throws", {{PullStatus::bytes, "a"}}, {}}, Case{"ends early", {{PullStatus::end, "abc"}}, 5}}) {
    Exchange exchange{kGet};
    const std::string answer = exchange.answer(scripted(c.steps, c.length));
    EXPECT_EQ(exchange.last(), EventKind::failed) << c.name;
    EXPECT_FALSE(has(answer, "\r\n0\r\n\r\n")) << c.name;
    EXPECT_TRUE(exchange.peer.codec.state().is_finished) << c.name;
  }
}

TEST(Http1Answer, StopsPullingAtTheHighWatermark) {
  Exchange exchange{kGet};
  exchange.peer.respond(scripted({{PullStatus::bytes, std::string(200'000, 'x')}, {PullStatus::end, ""}}));
  exchange.peer.codec.transmit(exchange.peer.batch, 32 * 1024, exchange.peer.sent_events, TimePoint{});
  EXPECT_GE(exchange.peer.batch.pending_bytes(), 32U * 1024);
  EXPECT_LT(exchange.peer.batch.pending_bytes(), 34U * 1024);
  EXPECT_TRUE(exchange.peer.codec.state().wants_transmit);
}

TEST(Http1Answer, IsDroppedForAStreamThatIsNotThere) {
  Exchange exchange{kGet};
  exchange.peer.codec.respond(7, Response::text("x"), exchange.peer.batch, exchange.peer.sent_events);
  EXPECT_TRUE(exchange.peer.batch.empty());
  exchange.answer(Response::text("x"));
  exchange.peer.codec.respond(1, Response::text("twice"), exchange.peer.batch, exchange.peer.sent_events);
  EXPECT_TRUE(exchange.peer.batch.empty());
}

TEST(Http1Answer, DropsItsSourceWhenReset) {
  Exchange exchange{kGet};
  exchange.answer(scripted({{PullStatus::pending, ""}}));
  exchange.peer.codec.reset(1, 0);
  EXPECT_TRUE(exchange.peer.codec.state().is_finished);
  EXPECT_EQ(exchange.peer.pool.lent(), 0U);
}

}  // namespace
}  // namespace equinox::http::test
