#include <atomic>
#include <future>
#include <optional>

#include "server/broken_body.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HandlerShapes : public ServerTest {};

TEST_F(HandlerShapes, AnswersFromAFunction) {
  make().get("/", [](const Request& request) { return Response::text("hello " + std::string{request.path()}); });
  start();
  EXPECT_THAT(exchange(kGet), HasSubstr("hello /"));
}

TEST_F(HandlerShapes, ABodyThatAStatusForbidsIsNeitherSentNorCounted) {
  make().get("/", [](const Request&) { return Response::text("nobody sees this", 204); });
  start();
  EXPECT_THAT(exchange(kGet), AllOf(StartsWith("HTTP/1.1 204 "), Not(HasSubstr("nobody"))));
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 0 && snapshot().closed() == 1; }));
  std::optional<RequestRecord> seen;
  server().view().recent_requests([&](const RequestRecord& record) {
    seen = record;
    return false;
  });
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->sent_bytes, 0U);
}

TEST_F(HandlerShapes, AnExceptionBecomes500AndTheConnectionLivesOn) {
  make().get("/", [](const Request&) -> Response { throw std::runtime_error{"no"}; });
  server().get("/ok", [](const Request&) { return Response::text("fine"); });
  start();
  RawClient client{port()};
  client.send(kGet);
  EXPECT_THAT(client.read_for("500 Internal Server Error\n"), StartsWith("HTTP/1.1 500 "));
  client.send("GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_for("fine"), HasSubstr("fine"));
}

TEST_F(HandlerShapes, AResponderAnswersFromAnotherThread) {
  std::thread worker;
  make().get("/", [&](Request request, Responder responder) {
    worker = std::thread{[request = std::move(request), responder = std::move(responder)]() mutable {
      EXPECT_TRUE(responder.send(Response::text(std::string{request.target()} + " from afar")));
    }};
  });
  start();
  EXPECT_THAT(exchange(kGet), HasSubstr("/ from afar"));
  worker.join();
}

TEST_F(HandlerShapes, ASecondAnswerIsRefused) {
  std::atomic<int> accepted{0};
  make().get("/", [&](Request, Responder responder) {
    accepted += responder.send(Response::text("one")) ? 1 : 0;
    accepted += responder.send(Response::text("two")) ? 1 : 0;
  });
  start();
  const std::string answer = exchange(kGet);
  EXPECT_THAT(answer, HasSubstr("one"));
  EXPECT_EQ(answer.find("two"), std::string::npos);
  EXPECT_EQ(accepted, 1);
}

TEST_F(HandlerShapes, ADroppedResponderAnswers500) {
  make().get("/", [](Request, Responder) {});
  start();
  EXPECT_THAT(exchange(kGet), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HandlerShapes, AHandlerThatNeverAnswersGets503AndItsReason) {
  config.timeouts.handler = 150ms;
  std::optional<Responder> kept;
  make().get("/", [&](Request, Responder responder) { kept.emplace(std::move(responder)); });
  start();
  RawClient client{port()};
  client.send(kGet);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(closed_once_for(CloseReason::handler_timeout));
  EXPECT_FALSE(kept->send(Response::text("late")));
}

TEST_F(HandlerShapes, ABodyThatGivesUpCutsTheConnection) {
  make().get("/", [](const Request&) { return Response::stream(std::make_unique<BrokenBody>(false), "text/plain"); });
  start();
  EXPECT_THAT(exchange(kGet), Not(HasSubstr("\r\n0\r\n\r\n")));
  EXPECT_TRUE(closed_once_for(CloseReason::handler_abort));
}

TEST_F(HandlerShapes, ABodyThatThrowsCutsTheConnectionAndSaysSo) {
  make().get("/", [](const Request&) { return Response::stream(std::make_unique<BrokenBody>(true), "text/plain"); });
  start();
  EXPECT_THAT(exchange(kGet), Not(HasSubstr("\r\n0\r\n\r\n")));
  EXPECT_TRUE(closed_once_for(CloseReason::handler_exception_after_start));
}

TEST_F(HandlerShapes, AnAnswerAfterThePeerLeftIsKnownToBeGone) {
  std::promise<Responder> promise;
  make().get("/", [&](Request, Responder responder) { promise.set_value(std::move(responder)); });
  start();
  RawClient client{port()};
  client.send(kGet);
  Responder responder = promise.get_future().get();
  client.reset();
  EXPECT_TRUE(closed_once_for(CloseReason::client_reset_mid_request));
  EXPECT_TRUE(eventually([&] { return responder.is_gone(); }));
  EXPECT_FALSE(responder.send(Response::text("too late")));
}

TEST_F(HandlerShapes, AResponderMayOutliveItsServer) {
  std::optional<Responder> kept;
  std::promise<void> taken;
  {
    make().get("/", [&](Request, Responder responder) {
      kept.emplace(std::move(responder));
      taken.set_value();
    });
    start();
    RawClient client{port()};
    client.send(kGet);
    taken.get_future().wait();
    server().stop();
  }
  EXPECT_FALSE(kept->send(Response::text("nobody listens")));
}

TEST_F(HandlerShapes, OffloadsToTheWorkerPool) {
  Server& made = make();
  made.get("/", [&made](Request, Responder responder) {
    auto shared = std::make_shared<Responder>(std::move(responder));
    EXPECT_TRUE(made.offload([shared] { shared->send(Response::text("worked")); }));
  });
  start();
  EXPECT_THAT(exchange(kGet), HasSubstr("worked"));
}

TEST_F(HandlerShapes, WhatOffloadedWorkThrowsIsLogged) {
  std::promise<std::string> logged;
  config.log.sink = [&logged](LogLevel level, std::string_view text) {
    if (level == LogLevel::error) logged.set_value(std::string{text});
  };
  EXPECT_TRUE(make().offload([] { throw std::runtime_error{"no row for /items?key=secret"}; }));
  auto line = logged.get_future();
  ASSERT_EQ(line.wait_for(10s), std::future_status::ready);
  EXPECT_THAT(line.get(), AllOf(HasSubstr("offloaded work threw"), HasSubstr("no row for /items?key=***")));
}

TEST_F(HandlerShapes, OffloadRefusesWhatIsNoWork) {
  make();
  EXPECT_THROW(offload(server(), nullptr), std::invalid_argument);
}

TEST_F(HandlerShapes, OffloadRefusesWhenItsQueueIsFull) {
  config.workers = {.threads = 1, .queue = 1};
  make();
  std::promise<void> begun, gate;
  EXPECT_TRUE(offload(server(), [&begun, open = gate.get_future().share()] {
    begun.set_value();
    open.wait();
  }));
  begun.get_future().wait();
  std::promise<void> second;
  EXPECT_TRUE(offload(server(), [&second] { second.set_value(); }));
  EXPECT_FALSE(offload(server(), [] { ADD_FAILURE() << "was refused"; }));
  gate.set_value();
  second.get_future().wait();
}

struct CountingSink : BodySink {
  explicit CountingSink(std::size_t wait_after) : limit{wait_after} {}
  void attach(Resumer given) override { resumer = std::move(given); }
  SinkStatus receive(std::span<const std::byte> bytes) override {
    total += bytes.size();
    if (total < limit || has_waited) return SinkStatus::more;
    has_waited = true;
    std::thread{[resumer = resumer] {
      std::this_thread::sleep_for(20ms);
      resumer.resume();
    }}.detach();
    return SinkStatus::wait;
  }
  Response finish() override { return Response::text(std::to_string(total) + (has_waited ? " after a pause" : "")); }
  Resumer resumer;
  std::size_t total{0};
  std::size_t limit;
  bool has_waited{false};
};

TEST_F(HandlerShapes, StreamsABodyThatMayWait) {
  make().post("/", [](const Request&) -> std::unique_ptr<BodySink> { return std::make_unique<CountingSink>(10'000); });
  start();
  const std::string body(300'000, 'x');
  const std::string answer =
      exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  EXPECT_THAT(answer, HasSubstr("300000 after a pause"));
}

TEST_F(HandlerShapes, AStreamedRouteWithoutABodySeesAnEmptyOne) {
  make().post("/", [](const Request&) -> std::unique_ptr<BodySink> { return std::make_unique<CountingSink>(1); });
  start();
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), HasSubstr("\r\n\r\n0"));
}

TEST_F(HandlerShapes, GeneratesABodyInPieces) {
  make().get("/", [](const Request&) {
    auto left = std::make_shared<int>(3);
    return Response::generate(
        [left](std::span<char> into, const Resumer&) -> PullResult {
          if (*left == 0) return {PullStatus::end, 0};
          into[0] = static_cast<char>('0' + (*left)--);
          return {PullStatus::bytes, 1};
        },
        "text/plain");
  });
  start();
  const std::string answer = exchange(kGet);
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked"));
  EXPECT_NE(answer.find('3'), std::string::npos);
  EXPECT_THAT(answer, ::testing::EndsWith("0\r\n\r\n"));
}

TEST_F(HandlerShapes, SendsServerSentEventsUntilClosed) {
  make().get("/", [](const Request&) {
    return Response::events([](EventStream stream) {
      std::thread{[stream]() mutable {
        stream.send({.data = "first"});
        std::this_thread::sleep_for(10ms);
        stream.send({.data = "second"});
        stream.close();
      }}.detach();
    });
  });
  start();
  const std::string answer = exchange(kGet);
  EXPECT_THAT(answer, HasSubstr("text/event-stream"));
  EXPECT_THAT(answer, HasSubstr("data: first\n"));
  EXPECT_THAT(answer, HasSubstr("data: second\n"));
}

TEST_F(HandlerShapes, MiddlewareRunsAroundEveryShape) {
  Server& made = make();
  made.before([](const Request& request) -> std::optional<Response> {
    if (request.field("x-stop")) return Response::text("stopped", 403);
    return std::nullopt;
  });
  made.after([](const Request&, Response& response) { response.with("X-After", "yes"); });
  made.get("/", [](const Request&) { return Response::text("sync"); });
  made.get("/async", [](Request, Responder responder) { responder.send(Response::text("async")); });
  start();
  EXPECT_THAT(exchange(kGet), HasSubstr("X-After: yes"));
  EXPECT_THAT(exchange("GET /async HTTP/1.1\r\nHost: a\r\n\r\n"), HasSubstr("X-After: yes"));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: a\r\nX-Stop: 1\r\n\r\n"), StartsWith("HTTP/1.1 403 "));
}

TEST_F(HandlerShapes, NobodyIsAskedForABodyThatNobodyReads) {
  make().get("/", [](const Request&) { return Response::text("hello"); });
  start();
  for (const auto& [target, status] : {std::pair{"/", "405"}, std::pair{"/nothing", "404"}}) {
    RawClient client{port()};
    client.send("POST " + std::string{target} +
                " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n");
    client.read_to_end();
    EXPECT_TRUE(client.received().starts_with("HTTP/1.1 " + std::string{status})) << client.received();
    EXPECT_NE(client.received().find("Connection: close"), std::string::npos);
  }
}

TEST_F(HandlerShapes, MiddlewareBehindALaterAnswerSeesWhatCameAfterTheHead) {
  Server& made = make();
  made.after([](const Request& request, Response& response) {
    response.with("X-Body", std::string{request.body()});
    for (const Field& field : request.trailers()) response.with("X-Trailer", std::string{field.value});
  });
  made.post("/", [&made](Request, Responder responder) {
    auto shared = std::make_shared<Responder>(std::move(responder));
    EXPECT_TRUE(made.offload([shared] { shared->send(Response::text("done")); }));
  });
  start();
  RawClient client{port()};
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  client.read_for("100 Continue\r\n\r\n");  // the head has had a turn of its own
  client.send("3\r\none\r\n3\r\ntwo\r\n0\r\nX-Sum: 7\r\n\r\n");
  client.read_for("done");
  EXPECT_THAT(client.received(), HasSubstr("X-Body: onetwo\r\n"));
  EXPECT_THAT(client.received(), HasSubstr("X-Trailer: 7\r\n"));
}

}  // namespace
}  // namespace equinox::testing
