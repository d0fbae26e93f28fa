#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "http/http2_fixture.hpp"

namespace equinox::http {
namespace {

using namespace std::chrono_literals;
using test::FieldList;
using test::frame;
using test::Http2Client;
using test::SeenRequest;

class Http2CodecTest : public test::Http2Test {};

TEST_F(Http2CodecTest, SendsItsSettingsFirstAndOpensTheConnectionWindow) {
  talk();
  EXPECT_TRUE(client->settings_came_first);
  EXPECT_EQ(client->settings[NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS], limits.h2_concurrent_streams);
  EXPECT_EQ(client->settings[NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE], limits.h2_stream_window_bytes);
  EXPECT_EQ(client->settings[NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE], limits.head_max_bytes);
  EXPECT_EQ(client->settings[NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES], 1U);
  EXPECT_EQ(nghttp2_session_get_remote_window_size(client->session()),
            static_cast<std::int32_t>(limits.h2_connection_window_bytes));
}

TEST_F(Http2CodecTest, DeliversTheHeadOfARequest) {
  const auto stream =
      client->get("/a%20b/../c?x=1",
                  {{"user-agent", "t"}, {"cookie", "a=1"}, {"priority", "u=1, i"}, {"cookie", "b=2"}, {"x-last", "z"}});
  talk();
  const SeenRequest& request = seen[static_cast<StreamId>(stream)];
  EXPECT_EQ(request.method, Method::get);
  EXPECT_EQ(request.method_name, "GET");
  EXPECT_EQ(request.target, "/a%20b/../c?x=1");
  EXPECT_EQ(request.path, "/c");
  EXPECT_EQ(request.query, "x=1");
  EXPECT_EQ(request.authority, "a.example");
  EXPECT_EQ(request.urgency, 1);
  EXPECT_TRUE(request.incremental);
  EXPECT_TRUE(request.is_complete);
  EXPECT_FALSE(request.has_body);
  const FieldList expected{{"user-agent", "t"}, {"cookie", "a=1; b=2"}, {"priority", "u=1, i"}, {"x-last", "z"}};
  EXPECT_EQ(request.fields, expected);
}

const FieldList kPost{{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.example"}};

TEST_F(Http2CodecTest, HandsTrailersOverApartFromTheFields) {
  const std::string body = "some";
  const std::string large(300, 'v');  // shared with the decoder's table instead of copied
  for (const std::size_t piece : {std::size_t{0}, std::size_t{1}, std::size_t{7}}) {
    SCOPED_TRACE(piece);
    piece_bytes = piece;
    const auto stream =
        client->request(kPost, &body, {{"x-sum", "7"}, {"authorization", "no"}, {"x-large", large}, {"x-empty", ""}});
    talk();
    const SeenRequest& request = seen[static_cast<StreamId>(stream)];
    EXPECT_TRUE(request.is_complete);
    EXPECT_EQ(request.body, body);
    EXPECT_EQ(request.fields, FieldList{});
    EXPECT_EQ(request.trailers, (FieldList{{"x-sum", "7"}, {"x-large", large}, {"x-empty", ""}}));
  }
  EXPECT_EQ(completed, (std::vector<StreamId>{1, 3, 5}));
}

TEST_F(Http2CodecTest, TrailersMayFollowAHeadWithoutData) {
  peer_sends(test::client_preface() + frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, test::header_block(kPost)) +
             frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, test::header_block({{"x-sum", "7"}})) +
             frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, test::header_block({{"x-more", "8"}})));
  EXPECT_TRUE(seen[1].is_complete);
  EXPECT_EQ(seen[1].body, "");
  EXPECT_EQ(seen[1].trailers, (FieldList{{"x-sum", "7"}, {"x-more", "8"}}));
  EXPECT_EQ(completed, std::vector<StreamId>{1});
}

// RFC 9113 §8.1: they would be a second head.
TEST_F(Http2CodecTest, PseudoFieldsInTrailersAreMalformed) {
  const auto sent = peer_sends_raw(
      test::client_preface() + frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, test::header_block(kPost)) +
      frame(NGHTTP2_HEADERS, 0x5, 1, test::header_block({{"x-sum", "7"}, {":path", "/other"}})));
  EXPECT_EQ(reset_code(sent, 1), NGHTTP2_PROTOCOL_ERROR);
  EXPECT_FALSE(seen[1].is_complete);
  EXPECT_EQ(seen[1].trailers, FieldList{});
}

TEST_F(Http2CodecTest, AnswersWithFieldsInLowerCase) {
  answers_with(
      [] { return Response::literal("hello", "text/plain").with("X-Thing", "1").with("connection", "close"); });
  const auto stream = client->get("/");
  talk();
  const test::Answer& answer = client->answer(stream);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_TRUE(answer.is_ended);
  const FieldList expected{{"content-type", "text/plain"},
                           {"content-length", "5"},
                           {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
                           {"x-thing", "1"},
                           {"server", "equinox"}};
  EXPECT_EQ(answer.fields, expected);
  EXPECT_EQ(seen[1].sent, 1);
  EXPECT_EQ(server().state().open_streams, 0U);
}

TEST_F(Http2CodecTest, LeavesTheBodyOutWhereThereIsNone) {
  struct Case {
    const char* method;
    int status;
    std::string length;
  };
  for (const Case& wanted : {Case{"HEAD", 200, "5"}, Case{"GET", 204, ""}, Case{"GET", 304, ""}}) {
    SCOPED_TRACE(wanted.method + std::to_string(wanted.status));
    answers_with([&] { return Response::literal("hello", "text/plain", wanted.status); });
    const auto stream =
        client->request({{":method", wanted.method}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.example"}});
    talk();
    const test::Answer& answer = client->answer(stream);
    EXPECT_EQ(answer.status, wanted.status);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.field("content-length"), wanted.length);
    EXPECT_TRUE(answer.is_ended);
  }
}

TEST_F(Http2CodecTest, AnAuthorityFoundValidVouchesForNoOther) {
  answers_with([] { return Response::empty(204); });
  StreamId id = 1;
  for (const std::string authority : {"a.example", "a.example", "user@a.example", "a.example", "b.example:80",
                                      "user@a.example", "user@a.example", "b.example:80"}) {
    SCOPED_TRACE(authority);
    client->request({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", authority}});
    talk();
    const bool is_valid = authority.find('@') == std::string::npos;
    EXPECT_EQ(seen[id].refused, is_valid ? std::nullopt : std::optional{Errc::bad_host});
    EXPECT_EQ(seen[id].authority, is_valid ? authority : "");
    id += 2;
  }
}

TEST_F(Http2CodecTest, RequestIdsDifferAndOnlyTheirNameIsRemembered) {
  int number = 0;
  answers_with([&] { return Response::empty(200).with("x-request-id", "0123456789-" + std::to_string(number++)); });
  std::vector<std::size_t> sizes;
  clock.advance(60s);
  for (int i = 0; i < 8; ++i) {
    const std::size_t before = from_server.size();
    const auto stream = client->get("/");
    talk();
    sizes.push_back(from_server.size() - before);
    EXPECT_EQ(client->answer(stream).field("x-request-id"), "0123456789-" + std::to_string(i));
  }
  EXPECT_LT(sizes[2] + 6, sizes[1]) << "the name is a number now";
  for (std::size_t i = 3; i < sizes.size(); ++i) EXPECT_EQ(sizes[i], sizes[2]);
}

TEST_F(Http2CodecTest, AnswersTheSameHoweverTheBytesAreCut) {
  std::string whole;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{23}}) {
    SCOPED_TRACE(size);
    codec.reset();
    seen.clear();
    completed.clear();
    client = std::make_unique<Http2Client>();
    piece_bytes = size;
    application = [](StreamId, const SeenRequest& request) {
      return Response::text(request.path + ":" + request.body);
    };
    client->get("/one");
    client->post("/two", std::string(100, 'b'));
    client->get("/three", {{"cookie", "a"}, {"cookie", "b"}});
    talk();
    std::string all;
    for (const auto& [stream, answer] : client->answers) all += answer.body + "|" + std::to_string(answer.status) + ";";
    if (size == 0) whole = all;
    EXPECT_EQ(all, whole);
    EXPECT_EQ(client->answers.size(), 3U);
    EXPECT_FALSE(error);
  }
}

TEST_F(Http2CodecTest, SendsLargeBodiesInWholeWithoutCopyingThem) {
  const auto text = std::make_shared<const std::string>(std::string(300'000, 's'));
  answers_with([&] { return Response::shared(text, "text/plain"); });
  const auto stream = client->get("/");
  talk();
  EXPECT_EQ(client->answer(stream).body, *text);
  EXPECT_EQ(client->answer(stream).field("content-length"), "300000");
}

TEST_F(Http2CodecTest, BorrowedBytesOutliveTheirStream) {
  Http2Client::Options options;
  options.window_bytes = 1 << 20;
  client = std::make_unique<Http2Client>(options);
  nghttp2_submit_window_update(client->session(), 0, 0, 1 << 20);
  answers_with([] { return Response::text(std::string(100'000, 'o')); });
  const auto stream = client->get("/");
  peer_sends(client->output());
  server().transmit(batch, high_watermark, events, clock.now());
  apply();
  EXPECT_EQ(seen[1].sent, 1);
  server().transmit(batch, high_watermark, events, clock.now());  // frees what was closed
  codec.reset();
  ASSERT_TRUE(client->input(drain_batch()));
  EXPECT_EQ(client->answer(stream).body, std::string(100'000, 'o'));
}

TEST_F(Http2CodecTest, SendsRangesOfFiles) {
  char name[] = "equinox-http2-XXXXXX";
  const std::string folder = ::testing::TempDir();
  const std::string path = folder + "/" + name;
  std::vector<char> writable{path.begin(), path.end()};
  writable.push_back('\0');
  auto file = std::make_shared<OpenFile>();
  file->fd = UniqueFd{::mkstemp(writable.data())};
  ASSERT_TRUE(file->fd);
  ::unlink(writable.data());
  std::string content;
  for (int i = 0; i < 10'000; ++i) content += std::to_string(i) + ",";
  ASSERT_EQ(::write(file->fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  file->size_bytes = content.size();
  answers_with([&] { return Response::file({file, 100, 40'000}, "text/plain"); });
  const auto stream = client->get("/");
  talk();
  EXPECT_EQ(client->answer(stream).body, content.substr(100, 40'000));
}

TEST_F(Http2CodecTest, StopsAtTheHighWatermarkAndGoesOn) {
  Http2Client::Options options;
  options.window_bytes = 1 << 20;
  client = std::make_unique<Http2Client>(options);
  nghttp2_submit_window_update(client->session(), 0, 0, 1 << 20);
  answers_with([] { return Response::text(std::string(400'000, 'w')); });
  const auto stream = client->get("/");
  peer_sends(client->output());
  server().transmit(batch, 64 * 1024, events, clock.now());
  EXPECT_GE(batch.pending_bytes(), 64U * 1024);
  EXPECT_LT(batch.pending_bytes(), 64U * 1024 + 17'000);
  EXPECT_EQ(seen[1].sent, 0);
  EXPECT_TRUE(server().state().wants_transmit);
  ASSERT_TRUE(client->input(drain_batch()));
  high_watermark = 64 * 1024;
  talk();
  EXPECT_EQ(client->answer(stream).body.size(), 400'000U);
  EXPECT_EQ(seen[1].sent, 1);
}

TEST_F(Http2CodecTest, ReportsStreamsThatWaitForTheWindow) {
  Http2Client::Options options;
  options.consumes_body = false;
  client = std::make_unique<Http2Client>(options);
  answers_with([] { return Response::text(std::string(100'000, 'w')); });
  const auto stream = client->get("/");
  talk();
  EXPECT_EQ(client->answer(stream).body.size(), 65535U);
  EXPECT_EQ(server().state().window_blocked, 1U);
  EXPECT_EQ(server().state().open_streams, 1U);
  EXPECT_EQ(server().state().half_closed_streams, 1U);
  EXPECT_EQ(server().state().connection_window, 0);
  EXPECT_EQ(server().state().window_waiting_bytes, 100'000U - 65535U);
  clock.advance(3s);
  server().transmit(batch, high_watermark, events, clock.now());
  EXPECT_EQ(counters().connection_blocked_ns, 3'000'000'000U);
  std::vector<StreamDescription> streams;
  server().describe(streams, clock.now());
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].target, "/");
  EXPECT_EQ(streams[0].send_window_bytes, 0);
  EXPECT_EQ(streams[0].pending_bytes, 100'000U - 65535U);
  EXPECT_EQ(streams[0].blocked_ns, 3'000'000'000U);
  clock.advance(5s);  // and nothing is received or sent
  streams.clear();
  server().describe(streams, clock.now());
  EXPECT_EQ(streams[0].blocked_ns, 8'000'000'000U);
  EXPECT_EQ(counters().connection_blocked_ns, 5'000'000'000U);
  streams.clear();
  server().describe(streams, clock.now());
  EXPECT_EQ(streams[0].blocked_ns, 8'000'000'000U) << "not twice";
  EXPECT_TRUE(streams[0].is_remote_closed);
  nghttp2_session_consume(client->session(), stream, 65535);
  talk();
  EXPECT_EQ(client->answer(stream).body.size(), 100'000U);
  EXPECT_EQ(server().state().window_blocked, 0U);
  EXPECT_EQ(server().state().window_waiting_bytes, 0U);
  EXPECT_EQ(server().state().half_closed_streams, 0U);
}

TEST_F(Http2CodecTest, SaysWhatMemoryItHoldsAndGivesItBack) {
  Http2Client::Options options;
  options.consumes_body = false;
  client = std::make_unique<Http2Client>(options);
  answers_with([] { return Response::text(std::string(100'000, 'w')); });
  talk();
  static_cast<void>(counters());
  const std::size_t idle = server().memory_bytes();
  EXPECT_GT(idle, sizeof(Http2Codec));
  EXPECT_LT(idle, 16'000U);
  const auto stream = client->get("/");
  talk();
  EXPECT_EQ(server().state().window_blocked, 1U);
  EXPECT_GE(server().memory_bytes(), idle + 100'000) << "the text waits here, however much of it was sent";
  nghttp2_session_consume(client->session(), stream, 65535);
  peer_sends(client->output());
  server().transmit(batch, high_watermark, events, clock.now());
  apply();
  EXPECT_LT(server().memory_bytes(), 100'000U);
  EXPECT_GE(batch.memory_bytes(), 100'000U) << "its last piece has taken the text along";
  ASSERT_TRUE(client->input(drain_batch()));
  EXPECT_LT(batch.memory_bytes(), 100'000U);
  talk();
  static_cast<void>(counters());
  EXPECT_EQ(client->answer(stream).body.size(), 100'000U);
  EXPECT_LE(server().memory_bytes(), idle + 4'000) << "room for the peer's fields may stay";
}

TEST_F(Http2CodecTest, HonoursUrgencyAndSharesTurnsOnlyAmongIncrementalStreams) {
  Http2Client::Options options;
  options.window_bytes = 1 << 20;
  client = std::make_unique<Http2Client>(options);
  nghttp2_submit_window_update(client->session(), 0, 0, 1 << 20);
  answers_with([] { return Response::text(std::string(40'000, 'p')); });
  const auto later = client->get("/later", {{"priority", "u=6"}});
  const auto first = client->get("/first", {{"priority", "u=0"}});
  const auto shared_a = client->get("/a", {{"priority", "u=3, i"}});
  const auto shared_b = client->get("/b", {{"priority", "u=3, i"}});
  talk();
  const std::vector<std::int32_t> expected{first,    first,    first,    shared_a, shared_b, shared_a,
                                           shared_b, shared_a, shared_b, later,    later,    later};
  EXPECT_EQ(client->data_order, expected);
}

TEST_F(Http2CodecTest, LetsAPriorityUpdateOvertake) {
  Http2Client::Options options;
  options.window_bytes = 1 << 20;
  client = std::make_unique<Http2Client>(options);
  nghttp2_submit_window_update(client->session(), 0, 0, 1 << 20);
  const auto first = client->get("/first");
  const auto second = client->get("/second");
  talk();
  const std::string wish = "u=1";
  peer_sends(client->output() +
             frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, test::be32(static_cast<std::uint32_t>(second)) + wish));
  std::vector<StreamDescription> streams;
  server().describe(streams, clock.now());
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[0].urgency, 1);
  respond(static_cast<StreamId>(first), Response::text(std::string(100, 'x')));
  respond(static_cast<StreamId>(second), Response::text(std::string(100, 'x')));
  talk();
  EXPECT_EQ(client->data_order, (std::vector<std::int32_t>{second, first}));
}

TEST_F(Http2CodecTest, TheApplicationMayOverrideAPriority) {
  const auto first = client->get("/first");
  const auto second = client->get("/second");
  talk();
  respond(static_cast<StreamId>(first), Response::text("x"));
  respond(static_cast<StreamId>(second), Response::text("x").with("priority", "u=0"));
  talk();
  EXPECT_EQ(client->data_order, (std::vector<std::int32_t>{second, first}));
}

TEST_F(Http2CodecTest, AsksForTheBodyOfAnExpectingClientOnce) {
  const std::string body = "later";
  const auto stream = client->request({{":method", "POST"},
                                       {":scheme", "http"},
                                       {":path", "/"},
                                       {":authority", "a.example"},
                                       {"expect", "100-continue"}},
                                      &body);
  const auto id = static_cast<StreamId>(stream);
  const std::string bytes = client->output();
  const std::size_t head_end = bytes.find("later") - 9;
  peer_sends(bytes.substr(0, head_end));
  ASSERT_TRUE(seen[id].expects_continue);
  server().send_continue(id, batch);
  server().send_continue(id, batch);
  ASSERT_TRUE(client->input(server_sends()));
  EXPECT_EQ(client->answer(stream).informational, 100);
  EXPECT_EQ(client->frames[NGHTTP2_HEADERS], 1);
  peer_sends(bytes.substr(head_end));
  EXPECT_EQ(seen[id].body, "later");
}

TEST_F(Http2CodecTest, TellsOfResetsAndDropsLateAnswers) {
  const auto stream = client->get("/");
  talk();
  nghttp2_submit_rst_stream(client->session(), 0, stream, NGHTTP2_CANCEL);
  talk();
  EXPECT_EQ(seen[1].reset_code, NGHTTP2_CANCEL);
  respond(1, Response::text("late"));
  server().resume(1);
  server().consume(1, 10);
  server().reset(1, NGHTTP2_CANCEL);
  talk();
  EXPECT_EQ(client->answer(stream).status, 0);
  EXPECT_EQ(counters().resets_received[NGHTTP2_CANCEL], 1U);
}

TEST_F(Http2CodecTest, AHeadAndItsResetInOneReadLeaveTheHeadReadable) {
  const auto stream = client->get("/kept");
  const std::string request = client->output();
  nghttp2_submit_rst_stream(client->session(), 0, stream, NGHTTP2_CANCEL);
  peer_sends(request + client->output());
  EXPECT_EQ(seen[1].path, "/kept");
  EXPECT_EQ(seen[1].reset_code, NGHTTP2_CANCEL);
  EXPECT_EQ(server().state().open_streams, 0U);
}

TEST_F(Http2CodecTest, MeasuresARoundTrip) {
  talk();
  server().ping(clock.now());
  const std::string question = server_sends();
  ASSERT_TRUE(client->input(question));
  clock.advance(25ms);
  talk();
  EXPECT_EQ(counters().ping_rtt_ns, 25'000'000U);
}

TEST_F(Http2CodecTest, DrainsInTwoSteps) {
  const auto before = client->get("/before");
  talk();
  server().begin_drain(DrainStep::announce);
  talk();
  ASSERT_EQ(client->goaways.size(), 1U);
  EXPECT_EQ(client->goaways[0], std::make_pair(0x7fffffff, std::uint32_t{NGHTTP2_NO_ERROR}));
  EXPECT_FALSE(server().state().is_finished);
  // A request that was on its way when the first GOAWAY left is still served.
  peer_sends(test::get_frame(3, "/racing"));
  EXPECT_EQ(seen[3].path, "/racing");
  server().begin_drain(DrainStep::final);
  static_cast<void>(client);
  const auto frames = test::split_frames(server_sends());
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].number(0), 3U);
  EXPECT_FALSE(server().state().is_finished);
  respond(static_cast<StreamId>(before), Response::text("x"));
  respond(3, Response::text("x"));
  server_sends();
  EXPECT_TRUE(server().state().is_finished);
  EXPECT_EQ(seen[3].sent, 1);
}

TEST_F(Http2CodecTest, FinishesWhenThePeerHasEndedAndEverythingIsAnswered) {
  client->get("/");
  talk();
  EXPECT_FALSE(server().end_of_input());
  EXPECT_FALSE(server().state().is_finished);
  respond(1, Response::text("x"));
  talk();
  EXPECT_EQ(client->answer(1).body, "x");
  EXPECT_TRUE(server().state().is_finished);
}

TEST_F(Http2CodecTest, NoticesAnInputThatEndsWithinARequest) {
  const std::string bytes = test::client_preface() + test::get_frame(1);
  peer_sends(bytes.substr(0, bytes.size() - 3));
  EXPECT_TRUE(server().state().head_started);
  EXPECT_TRUE(server().end_of_input());
}

TEST_F(Http2CodecTest, CountsFramesAndStreams) {
  answers_with([] { return Response::text("x"); });
  client->get("/");
  client->get("/");
  talk();
  const ProtocolCounters counted = counters();
  EXPECT_EQ(counted.streams_opened, 2U);
  EXPECT_EQ(counted.frames_received[NGHTTP2_HEADERS], 2U);
  EXPECT_EQ(counted.frames_received[NGHTTP2_SETTINGS], 2U);  // theirs and the acknowledgement of ours
  EXPECT_EQ(counted.frames_sent[NGHTTP2_HEADERS], 2U);
  EXPECT_EQ(counted.frames_sent[NGHTTP2_DATA], 2U);
  EXPECT_EQ(server().state().peak_streams, 2U);
  EXPECT_EQ(server().receive_window(), static_cast<std::int64_t>(limits.h2_connection_window_bytes));
  ProtocolCounters again;
  EXPECT_FALSE(server().take_counters(again, clock.now()));
}

TEST_F(Http2CodecTest, AnIdleConnectionHoldsNoStreamAndNoFrameBuffer) {
  answers_with([] { return Response::text("x"); });
  const std::size_t before = memory.used_bytes();
  client->get("/");
  talk();
  static_cast<void>(counters());
  EXPECT_LT(memory.used_bytes() - before, 10'000U) << "9,136 of them are the library's own";
  codec.reset();
  EXPECT_EQ(memory.used_bytes(), before);
}

TEST_F(Http2CodecTest, GoesOnWhereHttp1Asked) {
  const std::vector<Field> fields{{"host", "a.example"}, {"connection", "upgrade"}, {"upgrade", "h2c"}, {"x", "1"}};
  RequestHead head;
  head.method_name = "GET";
  head.target = head.path = "/up";
  head.authority = "a.example";
  head.fields = fields;
  const std::string settings{"\0\4\0\0\0\1", 6};  // INITIAL_WINDOW_SIZE 1
  auto made =
      Http2Codec::upgraded(settings, head, limits,
                           Http2Options{.scheme = Scheme::http, .date = nullptr, .memory = memory, .now = clock.now()});
  ASSERT_TRUE(made);
  codec = std::move(*made);
  answers_with([] { return Response::text("abc"); });
  receive("");
  EXPECT_EQ(seen[1].path, "/up");
  EXPECT_TRUE(seen[1].is_complete);
  EXPECT_EQ(seen[1].fields, (FieldList{{"host", "a.example"}, {"x", "1"}}));
  std::string body;
  for (const auto& sent : test::split_frames(server_sends())) {
    if (sent.type == NGHTTP2_DATA && sent.stream == 1) body += sent.payload;
  }
  EXPECT_EQ(body, "a");  // the settings of the upgrade are in force
  peer_sends(test::client_preface() + test::get_frame(3));
  EXPECT_FALSE(error);
  EXPECT_TRUE(seen[3].is_complete);
}

TEST_F(Http2CodecTest, RefusesAnUpgradeWithSettingsThatAreNone) {
  const RequestHead head;
  const Http2Options options{.scheme = Scheme::http, .date = nullptr, .memory = memory, .now = clock.now()};
  for (const std::string& settings : {std::string("\0\4\0", 3), std::string("\0\2\0\0\0\2", 6)}) {
    EXPECT_FALSE(Http2Codec::upgraded(settings, head, limits, options));
  }
}

}  // namespace
}  // namespace equinox::http
