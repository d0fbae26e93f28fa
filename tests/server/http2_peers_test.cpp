// What a server bears from HTTP/2 peers, and what it does not: many streams, cuts in odd places, answers not taken.

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/http2_client.hpp"
#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class Http2Peers : public ServerTest {
 protected:
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    server().post("/", [](const Request& request) { return Response::text("took " + std::string{request.body()}); });
    server().get("/big", [text = std::make_shared<const std::string>(8'000'000, 'x')](const Request&) {
      return Response::shared(text, "text/plain");
    });
    start();
  }
  /// Its body is to come.
  static std::string upload_head(std::uint32_t stream) {
    return http::test::frame(
        NGHTTP2_HEADERS, 0x4, stream,
        http::test::header_block({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}));
  }
};

/// Each round costs the peer one frame and the server fifty. It is found while sending, with all requests still open.
TEST_F(Http2Peers, AnswersInTinyPiecesEndTheConnectionAtOnce) {
  serve();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 0}};
  for (int i = 0; i < 50; ++i) protocol.get("/big");
  client.send(protocol.output());
  std::uint32_t window = 0;
  const auto is_over = [&] {
    nghttp2_settings_entry wider{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, ++window};
    nghttp2_submit_settings(protocol.session(), NGHTTP2_FLAG_NONE, &wider, 1);
    client.send(protocol.output());
    return snapshot().closed(CloseReason::flood_data_tiny) == 1;
  };
  EXPECT_TRUE(eventually(is_over));
  EXPECT_EQ(snapshot().requests_in_flight(), 0U);
}

/// Its head never comes, and its answers are never read: the one must not hide the other, nor be counted again and
/// again.
TEST_F(Http2Peers, HalfAFrameIsEvictedOnceAndDoesNotHideAStall) {
  config.timeouts.header = 100ms;
  config.timeouts.write = 500ms;
  serve();
  RawClient client{port(), 4096};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 1 << 24}};
  protocol.get("/big");
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, 0, 1 << 24);
  client.send(protocol.output() + std::string("\0\0\x20\1\4\0\0\0\3", 9));
  ASSERT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  const auto seen = snapshot();
  std::uint64_t evicted = 0;
  for (const auto& phase : seen.totals.evicted[index_of(Protocol::h2c)]) evicted += phase;
  EXPECT_EQ(evicted, 1U);
}

/// What only answers the peer's own frames is no progress of an answer.
TEST_F(Http2Peers, PingsDoNotKeepAClosedWindowAlive) {
  config.timeouts.write = 400ms;
  serve();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 100}};
  protocol.get("/big");
  client.send(protocol.output());
  const auto is_over = [&] {
    nghttp2_submit_ping(protocol.session(), NGHTTP2_FLAG_NONE, nullptr);
    client.send(protocol.output());
    return snapshot().closed() == 1;
  };
  ASSERT_TRUE(eventually(is_over));
  EXPECT_EQ(closed(CloseReason::window_stall), 1U);
}

TEST_F(Http2Peers, AnUploadBesideAPausedDownloadGoesOn) {
  config.timeouts.write = 200ms;
  serve();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 100}};
  protocol.get("/big");
  const std::string head = upload_head(3);
  client.send(protocol.output() + head);
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 2; }));
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 1; })) << "the download is ended";
  EXPECT_EQ(snapshot().closed(), 0U);
  EXPECT_EQ(snapshot().evicted(), 0U) << "no connection is";
  client.send(http::test::frame(NGHTTP2_DATA, 0x1, 3, "it all"));
  EXPECT_THAT(client.read_for("took it all"), HasSubstr("took it all"));
}

/// The ids of both protocols begin at 1.
TEST_F(Http2Peers, StreamsBehindAnUpgradeAreNotTakenForTheRequestsBeforeIt) {
  serve();
  RawClient client{port()};
  std::string all =
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n\r\n" +
      http::test::client_preface();
  std::string bodies;
  for (std::uint32_t id = 3; id < 203; id += 2) {
    all += upload_head(id);
    bodies = http::test::frame(NGHTTP2_DATA, 0x1, id, "stream " + std::to_string(id) + ".") + bodies;
  }
  client.send(all + bodies);
  EXPECT_THAT(client.read_for("stream 3."), HasSubstr("stream 3."));
  EXPECT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 0; }));
}

TEST_F(Http2Peers, AnAnswerThatCameTooLateIsNotGivenToTheRequestThatUpgradedBehindIt) {
  std::promise<Responder> promise;
  make().get("/first", [](Request, Responder responder) {
    responder.send(Response::text("for the first only"));
    throw std::runtime_error{"after it has answered"};
  });
  server().get("/second", [&](Request, Responder responder) { promise.set_value(std::move(responder)); });
  start();
  RawClient client{port()};
  client.send(
      "GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /second HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\n\r\n" +
      http::test::client_preface());
  EXPECT_TRUE(promise.get_future().get().send(Response::text("for the second")));
  const std::string all = client.read_for("for the second");
  EXPECT_THAT(all, HasSubstr("HTTP/1.1 500 "));
  EXPECT_THAT(all, HasSubstr("for the second"));
  EXPECT_THAT(all, Not(HasSubstr("for the first only")));
}

/// What was appended for it before the client followed went into another buffer than its answer does.
TEST_F(Http2Peers, TheFirstByteOfAnAnswerBehindAnUpgradeIsTimed) {
  make().get("/", [](const Request&) { return Response::text("hello"); });
  server().get("/large", [](const Request&) { return Response::text(std::string(20'000'000, 'x')); });
  start();
  for (int i = 0; i < 20; ++i) EXPECT_THAT(exchange(kGet), HasSubstr("hello"));
  RawClient client{port()};
  client.send(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAARAAAAA\r\n\r\n");
  EXPECT_THAT(client.read_for("\r\n\r\n"), HasSubstr("101 Switching"));
  RawClient reader{port()};
  reader.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return snapshot().output_pending_bytes() != 0; }));
  client.send(http::test::client_preface());
  EXPECT_THAT(client.read_for("hello"), HasSubstr("hello"));
  std::optional<RequestRecord> seen;
  ASSERT_TRUE(eventually([&] {
    server().view().recent_requests([&](const RequestRecord& record) {
      if (record.protocol == Protocol::h2c) seen = record;
      return !seen;
    });
    return seen.has_value();
  }));
  EXPECT_GE(seen->first_byte_ns, 0);
}

/// Closed windows cost the peer nothing: what it has asked for behind them is made when it takes the answers.
TEST_F(Http2Peers, AnswersAreNotMadeAheadOfWhatThePeerTakes) {
  std::atomic<int> made{0};
  config.limits.output_buffer = 1024 * 1024;
  make().get("/large", [&](const Request&) {
    ++made;
    return Response::text(std::string(600'000, 'x'));
  });
  server().post("/large", [&](const Request& request) {
    ++made;
    return Response::text(std::string{request.body()} + std::string(600'000, 'x'));
  });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 0}};
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(protocol.get("/large"));
  for (int i = 0; i < 20; ++i) streams.push_back(protocol.post("/large", "sent along " + std::to_string(i)));
  const std::int32_t given_up = protocol.get("/large");
  client.send(protocol.output());
  EXPECT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 41; }));
  EXPECT_EQ(made, 3) << "as many as pass the bound without the largest";
  EXPECT_TRUE(eventually([&] { return snapshot().totals.h2_requests_held == 38; }));
  nghttp2_submit_rst_stream(protocol.session(), NGHTTP2_FLAG_NONE, given_up, NGHTTP2_CANCEL);
  nghttp2_settings_entry wide{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24};
  nghttp2_submit_settings(protocol.session(), NGHTTP2_FLAG_NONE, &wide, 1);
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, 0, 1 << 28);
  client.send(protocol.output());
  std::size_t taken = 0;
  client.read_until([&](const std::string& received) {
    EXPECT_TRUE(protocol.input(std::string_view{received}.substr(taken)));
    taken = received.size();
    client.send(protocol.output());
    return std::ranges::all_of(streams, [&](std::int32_t stream) { return protocol.answer(stream).is_ended; });
  });
  EXPECT_EQ(made, 40);
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const std::string& body = protocol.answer(streams[i]).body;
    const std::string expected = i < 20 ? "" : "sent along " + std::to_string(i - 20);
    EXPECT_EQ(body.size(), expected.size() + 600'000) << i;
    EXPECT_THAT(body, ::testing::StartsWith(expected)) << i;
  }
}

/// In more than the share of one turn.
TEST_F(Http2Peers, WhoOpensItsWindowsAndSendsNoMoreGetsAll) {
  constexpr std::size_t kBytes = 12'000'000;
  make().get("/large", [](const Request&) { return Response::text(std::string(kBytes, 'x')); });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false}};
  const std::int32_t stream = protocol.get("/large");
  client.send(protocol.output());
  std::size_t taken = 0;
  const auto take_until = [&](const std::function<bool()>& is_enough) {
    client.read_until([&](const std::string& received) {
      EXPECT_TRUE(protocol.input(std::string_view{received}.substr(taken)));
      taken = received.size();
      return is_enough();
    });
  };
  take_until([&] { return protocol.answer(stream).body.size() == 65'535; });
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, 0, 1 << 30);
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, stream, 1 << 30);
  client.send(protocol.output());
  client.finish();
  take_until([&] { return protocol.answer(stream).is_ended; });
  EXPECT_EQ(protocol.answer(stream).body.size(), kBytes);
}

/// What takes their room goes with its shut windows; theirs are open.
TEST_F(Http2Peers, WhoSendsNoMoreGetsWhatWasHeldBackBehindShutWindows) {
  config.limits.output_buffer = 64 * 1024;
  make().get("/large", [](const Request&) { return Response::text(std::string(150'000, 'x')); });
  server().get("/", [](const Request&) { return Response::text("hello"); });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false}};
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, 0, 1 << 20);
  static_cast<void>(protocol.get("/large"));
  static_cast<void>(protocol.get("/large"));
  const std::int32_t small = protocol.get("/");
  client.send(protocol.output());
  client.finish();
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_TRUE(protocol.input(client.received()));
  EXPECT_EQ(protocol.answer(small).body, "hello");
  EXPECT_TRUE(closed_once_for(CloseReason::client_fin_mid_request));
}

TEST_F(Http2Peers, WhoSendsNoMoreIsNotEndedByAPing) {
  std::optional<Responder> kept;
  std::atomic<bool> is_asked{false};
  config.timeouts.ping_after = 200ms;
  config.timeouts.ping = 200ms;
  make().get("/later", [&](Request, Responder responder) {
    kept.emplace(std::move(responder));
    is_asked = true;
  });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol;
  const std::int32_t stream = protocol.get("/later");
  client.send(protocol.output());
  client.finish();
  ASSERT_TRUE(eventually([&] { return is_asked.load(); }));
  EXPECT_FALSE(client.read_to_end(1s)) << "it could not answer";
  kept->send(Response::text("late"));
  EXPECT_TRUE(client.read_to_end(5s));
  EXPECT_TRUE(protocol.input(client.received()));
  EXPECT_EQ(protocol.answer(stream).body, "late");
}

struct LateBody final : BodySource {
  struct Shared {
    std::atomic<bool> is_ready{false};
    std::atomic<bool> is_asked{false};
    Resumer resumer;
  };
  explicit LateBody(std::shared_ptr<Shared> with) : shared{std::move(with)} {}
  void attach(Resumer resumer) override { shared->resumer = std::move(resumer); }
  PullResult pull(std::span<char> into) override {
    shared->is_asked = true;
    if (!shared->is_ready) return {PullStatus::pending, 0};
    into[0] = 'x';
    return {PullStatus::end, 1};
  }
  std::shared_ptr<Shared> shared;
};

TEST_F(Http2Peers, APingFindsWhoHasLeftBehindASilentAnswer) {
  config.timeouts.ping_after = 200ms;
  const auto shared = std::make_shared<LateBody::Shared>();
  make().get("/late",
             [&](const Request&) { return Response::stream(std::make_unique<LateBody>(shared), "text/plain"); });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol;
  static_cast<void>(protocol.get("/late"));
  client.send(protocol.output());
  ASSERT_TRUE(eventually([&] { return shared->is_asked.load(); }));
  client.read_until([](const std::string& all) { return all.find("text/plain") != std::string::npos; }, 200ms);
  client.close();  // of which the server sees what it sees of a half-close
  EXPECT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
}

/// The refused one's page is behind its own window, and is no exchange: it stands in for nobody.
TEST_F(Http2Peers, WhoSendsNoMoreGetsWhatIsLateBesideARefusedStream) {
  const auto shared = std::make_shared<LateBody::Shared>();
  make().get("/late",
             [&](const Request&) { return Response::stream(std::make_unique<LateBody>(shared), "text/plain"); });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 0}};
  const std::int32_t late = protocol.get("/late");
  static_cast<void>(protocol.request({{":method", "BREW"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}));
  client.send(protocol.output());
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, late, 1000);
  client.send(protocol.output());
  client.finish();
  ASSERT_TRUE(eventually([&] { return shared->is_asked.load(); }));
  EXPECT_FALSE(client.read_to_end(200ms)) << "it was ended";
  shared->is_ready = true;
  shared->resumer.resume();
  client.read_until([&](const std::string& received) {
    EXPECT_TRUE(protocol.input(received));
    client.forget();
    return protocol.answer(late).is_ended;
  });
  EXPECT_EQ(protocol.answer(late).body, "x");
}

TEST_F(Http2Peers, ALargeAnswerDoesNotHoldUpTheOthers) {
  config.limits.output_buffer = 64 * 1024;
  make().get("/large", [](const Request&) { return Response::text(std::string(3'000'000, 'x')); });
  server().get("/", [](const Request&) { return Response::text("hello"); });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 1000}};
  const std::int32_t large = protocol.get("/large");
  std::int32_t small = protocol.get("/");
  std::size_t taken = 0;
  const auto answered = [&](std::int32_t stream) {
    client.send(protocol.output());
    client.read_until([&](const std::string& received) {
      EXPECT_TRUE(protocol.input(std::string_view{received}.substr(taken)));
      taken = received.size();
      return protocol.answer(stream).is_ended;
    });
    return protocol.answer(stream).body == "hello";
  };
  EXPECT_TRUE(answered(small));
  EXPECT_FALSE(protocol.answer(large).is_ended);
  // A second large one fills the room: who asks as urgently waits, who is more urgent does not.
  protocol.get("/large");
  const std::int32_t held = protocol.get("/");
  small = protocol.get("/", {{"priority", "u=1"}});
  EXPECT_TRUE(answered(small));
  EXPECT_FALSE(protocol.answer(held).is_ended);
}

/// An answer has the urgency it was asked for with: demoted behind a closed window it still takes the room.
TEST_F(Http2Peers, DemotedAnswersMakeNoRoomForMore) {
  std::atomic<int> made{0};
  config.limits.output_buffer = 64 * 1024;
  make().get("/large", [&](const Request&) {
    ++made;
    return Response::text(std::string(50'000, 'x'));
  });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 0}};
  for (int i = 0; i < 50; ++i) {
    const auto stream = static_cast<std::uint32_t>(protocol.get("/large", {{"priority", "u=0"}}));
    client.send(protocol.output() + http::test::frame(0x10, 0, 0, http::test::be32(stream) + "u=7"));
  }
  EXPECT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 50; }));
  EXPECT_EQ(made, 3) << "as many as pass the bound without the largest";
}

/// What is held back waits for the peer as well: it is no work that the connection is kept for.
TEST_F(Http2Peers, HeldBackRequestsDoNotKeepAClosedWindowAlive) {
  config.limits.output_buffer = 64 * 1024;
  config.timeouts.write = 400ms;
  make().get("/large", [](const Request&) { return Response::text(std::string(50'000, 'x')); });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 0}};
  for (int i = 0; i < 50; ++i) protocol.get("/large");
  client.send(protocol.output());
  EXPECT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  EXPECT_EQ(closed(CloseReason::window_stall), 1U);
  EXPECT_EQ(snapshot().evicted(), 1U) << "all at once, not one after the other";
}

/// Who has sent the last byte opens no window any more.
TEST_F(Http2Peers, NorBehindAHalfCloseInTheMiddleOfARequest) {
  config.limits.output_buffer = 64 * 1024;
  config.timeouts.write = 400ms;
  make().get("/large", [](const Request&) { return Response::text(std::string(50'000, 'x')); });
  server().post("/", [](const Request&) { return Response::text("never"); });
  start();
  RawClient client{port()};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 0}};
  std::int32_t last = 0;
  for (int i = 0; i < 50; ++i) last = protocol.get("/large");
  client.send(protocol.output() + upload_head(static_cast<std::uint32_t>(last) + 2));
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 51; }));
  client.finish();
  EXPECT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
  EXPECT_EQ(closed(CloseReason::client_fin_mid_request), 1U);
}

TEST_F(Http2Peers, WhatIsHeldBackIsAnsweredBehindAHalfClose) {
  config.limits.output_buffer = 64 * 1024;
  make().post("/large", [](const Request&) { return Response::text(std::string(200'000, 'x')); });
  server().post("/", [](const Request&) { return Response::text("never"); });
  start();
  RawClient client{port(), 64 * 1024};
  http::test::Http2Client protocol{{.consumes_body = false, .window_bytes = 1 << 20}};
  nghttp2_submit_window_update(protocol.session(), NGHTTP2_FLAG_NONE, 0, 1 << 28);
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 100; ++i) streams.push_back(protocol.post("/large", "sent"));
  client.send(protocol.output() + upload_head(static_cast<std::uint32_t>(streams.back()) + 2));
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() > 10; }));
  client.finish();
  std::size_t taken = 0;
  client.read_until([&](const std::string& received) {
    EXPECT_TRUE(protocol.input(std::string_view{received}.substr(taken)));
    taken = received.size();
    return false;
  });
  for (const std::int32_t stream : streams) EXPECT_TRUE(protocol.answer(stream).is_ended) << stream;
}

TEST_F(Http2Peers, APrefaceCutAnywhereIsNoIdleness) {
  serve();
  const std::string all = http::test::client_preface() + http::test::get_frame(1);
  for (std::size_t first = 1; first < 24; ++first) {
    RawClient client{port()};
    for (const auto& [from, to] : {std::pair{std::size_t{0}, first}, {first, 29}, {29, all.size()}}) {
      client.send(std::string_view{all}.substr(from, to - from));
      const std::uint64_t seen = to;
      ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.received_bytes >= seen; })) << first;
    }
    EXPECT_THAT(client.read_for("hello"), HasSubstr("hello")) << first;
    client.close();
    ASSERT_TRUE(eventually([&] { return snapshot().closed() == first; }));
  }
  EXPECT_EQ(closed(CloseReason::h2_idle_timeout), 0U);
}

/// Its streams are found by their ids then, and end in any order.
TEST_F(Http2Peers, ThousandsOfOpenStreamsAreAllAnswered) {
  config.limits.http2_concurrent_streams = 2000;
  make().post("/", [](const Request& request) { return Response::text(std::string{request.body()}); });
  start();
  RawClient client{port()};
  std::string heads = http::test::client_preface();
  std::string bodies;
  constexpr std::uint32_t kStreams = 1000;
  for (std::uint32_t i = 0; i < kStreams; ++i) {
    heads += upload_head(1 + 2 * i);
    // The first half in order, then the others from the end.
    const std::uint32_t next = i < kStreams / 2 ? i : kStreams + kStreams / 2 - 1 - i;
    bodies += http::test::frame(NGHTTP2_DATA, 0x1, 1 + 2 * next, "stream " + std::to_string(1 + 2 * next) + ".");
  }
  client.send(heads + bodies);
  for (std::uint32_t i = 0; i < kStreams; ++i) {
    const std::string text = "stream " + std::to_string(1 + 2 * i) + ".";
    ASSERT_THAT(client.read_for(text), HasSubstr(text));
  }
  EXPECT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 0; }));
}

}  // namespace
}  // namespace equinox::testing
