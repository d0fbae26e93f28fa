// What handlers, bodies and sinks can get wrong, and what the client and the program then see.

#include <atomic>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "handlers/temporary_folder.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kLastGet = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

class ApplicationMistakes : public ServerTest {
 protected:
  void answer_with(SyncHandler handler) {
    make().get("/", std::move(handler));
    start();
  }
  [[nodiscard]] std::uint64_t with_error(ErrorType error) const {
    std::uint64_t count = 0;
    for (const RequestSeries& series : snapshot().requests) {
      if (series.error == error)
        for (const std::uint64_t bucket : series.duration.buckets) count += bucket;
    }
    return count;
  }
};

struct ThrowingAttach : BodySource {
  PullResult pull(std::span<char>) override { return {PullStatus::end, 0}; }
  void attach(Resumer) override { throw std::runtime_error{"no"}; }
};

TEST_F(ApplicationMistakes, ASourceThatThrowsWhenAttachedIs500) {
  answer_with([](const Request&) { return Response::stream(std::make_unique<ThrowingAttach>(), "text/plain"); });
  EXPECT_TRUE(exchange(kLastGet).starts_with("HTTP/1.1 500 "));
}

TEST_F(ApplicationMistakes, AnInterimStatusIs500AndTheNextAnswerIsItsOwn) {
  make().get("/", [](const Request&) { return Response{103}; });
  server().get("/next", [](const Request&) { return Response::text("next"); });
  start();
  RawClient client{port()};
  client.send(kGet);
  client.read_until([](const std::string& text) { return text.ends_with("Error\n"); });
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 500 "));
  client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until([](const std::string& text) { return text.ends_with("next"); });
  EXPECT_NE(client.received().find("HTTP/1.1 200 "), std::string::npos);
}

TEST_F(ApplicationMistakes, AContentTypeSplitsNoResponse) {
  answer_with([](const Request&) { return Response::literal("x", "text/plain\r\nX-Evil: 1"); });
  EXPECT_TRUE(exchange(kLastGet).starts_with("HTTP/1.1 500 "));
  RawClient client{port()};
  client.send(
      std::string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0\0\0\6\1\5\0\0\0\1\x82\x84\x86\x41\x01"
                  "a",
                  24 + 9 + 9 + 6});
  client.read_until([](const std::string& text) { return text.find("500 Internal") != std::string::npos; });
  EXPECT_NE(client.received().find("500 Internal"), std::string::npos);
  EXPECT_EQ(client.received().find("X-Evil"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return snapshot().requests_finished() == 2; }));
  EXPECT_EQ(with_error(ErrorType::handler_exception), 2U);
}

TEST_F(ApplicationMistakes, ASourceThatWritesNothingIsCut) {
  answer_with([](const Request&) {
    return Response::generate(
        [](std::span<char>, const Resumer&) -> PullResult {
          return {PullStatus::bytes, 0};
        },
        "text/plain");
  });
  const std::string answer = exchange(kGet);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 "));
  EXPECT_FALSE(answer.ends_with("\r\n0\r\n\r\n")) << "a cut body must not look complete";
  EXPECT_TRUE(closed_once_for(CloseReason::handler_abort));
}

/// What has become of a sink.
struct SinkFate {
  std::atomic<int> aborted{0};
  std::atomic<int> finished{0};
  std::atomic<int> gone{0};
};

class TellingSink : public BodySink {
 public:
  TellingSink(SinkFate& fate, SinkStatus status) : fate_{fate}, status_{status} {}
  TellingSink(const TellingSink&) = delete;
  TellingSink& operator=(const TellingSink&) = delete;
  ~TellingSink() override { ++fate_.gone; }
  SinkStatus receive(std::span<const std::byte>) override { return status_; }
  Response finish() override {
    ++fate_.finished;
    return Response::text("done");
  }
  void abort() noexcept override { ++fate_.aborted; }

 private:
  SinkFate& fate_;
  SinkStatus status_;
};

TEST_F(ApplicationMistakes, ALimitAbortsASink) {
  SinkFate fate;
  make().post("/", [&](const Request&) { return std::make_unique<TellingSink>(fate, SinkStatus::more); },
              {.request_body_max_bytes = 10});
  start();
  RawClient client{port()};
  client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n14\r\n01234567890123456789\r\n");
  client.read_to_end();
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(eventually([&] { return fate.gone == 1; }));
  EXPECT_EQ(fate.aborted, 1);
  EXPECT_EQ(fate.finished, 0);
}

TEST_F(ApplicationMistakes, ASinkThatWaitsForEverIsEndedByTheHandlersTimeout) {
  config.timeouts.handler = 200ms;
  SinkFate fate;
  make().post("/", [&](const Request&) { return std::make_unique<TellingSink>(fate, SinkStatus::wait); });
  start();
  RawClient client{port()};
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.deadline == DeadlineKind::handler; }));
  client.read_to_end();
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(fate.aborted, 1);
  EXPECT_TRUE(closed_once_for(CloseReason::handler_timeout));
}

TEST_F(ApplicationMistakes, AnEventStreamWhoseSenderIsGoneEnds) {
  answer_with([](const Request&) {
    return Response::events([](EventStream stream) { EXPECT_TRUE(stream.send({.data = "only"})); });
  });
  const std::string answer = exchange(kGet);
  EXPECT_NE(answer.find("data: only\n\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("0\r\n\r\n"));
}

TEST_F(ApplicationMistakes, AreRefusedAtSetUpWhereTheyCanBe) {
  make();
  const auto handler = [](const Request&) { return Response::text("x"); };
  EXPECT_THROW(server().get("/a", handler, {.response_fields = {{"Bad Name", "v"}}}), std::invalid_argument);
  EXPECT_THROW(server().get("/a", handler, {.response_fields = {{"X-Good", "a\r\nb"}}}), std::invalid_argument);
  for (const std::string name :
       {"Connection", "keep-alive", "Proxy-Connection", "transfer-encoding", "UPGRADE", "Content-Length", "Date"}) {
    EXPECT_THROW(server().get("/a", handler, {.response_fields = {{name, "v"}}}), std::invalid_argument) << name;
  }
  EXPECT_THROW(server().get("/a", SyncHandler{}), std::invalid_argument);
  EXPECT_THROW(server().before(Before{}), std::invalid_argument);
  EXPECT_THROW(server().after(After{}), std::invalid_argument);
  EXPECT_TRUE(server().entries().empty());
}

TEST_F(ApplicationMistakes, AFileIsOpenedOrSaidToBeNone) {
  TemporaryFolder folder;
  const std::string path = folder.write("file", "0123456789").string();
  FileBody file = open_file(path);
  file.offset = 2;
  file.length = 5;
  answer_with([file](const Request&) { return Response::file(file, "text/plain"); });
  EXPECT_TRUE(exchange(kLastGet).ends_with("\r\n\r\n23456"));
  EXPECT_THROW(open_file(path + ".not"), std::system_error);
  EXPECT_THROW(open_file("/"), std::system_error);
  EXPECT_THROW(open_file("/dev/null"), std::system_error);
}

// The greatest length looked like one that nobody knows: chunks were announced, and none came.
TEST_F(ApplicationMistakes, APartThatNoFileHasIs500) {
  TemporaryFolder folder;
  FileBody file = open_file(folder.write("file", "0123456789").string());
  answer_with([&file](const Request&) { return Response::file(file, "text/plain"); });
  for (const auto& [offset, length] : {std::pair{std::uint64_t{0}, UINT64_MAX},
                                       {UINT64_MAX, std::uint64_t{5}},
                                       {std::uint64_t{5}, UINT64_MAX >> 1U}}) {
    file.offset = offset;
    file.length = length;
    EXPECT_TRUE(exchange(kLastGet).starts_with("HTTP/1.1 500 ")) << offset << " " << length;
  }
}

TEST_F(ApplicationMistakes, AFileThatIsNoneHasNoBytes) {
  answer_with([](const Request&) { return Response::file(FileBody{nullptr, 0, 5}, "text/plain"); });
  EXPECT_NE(exchange(kLastGet).find("Content-Length: 0\r\n"), std::string::npos);
}

}  // namespace
}  // namespace equinox::testing
