#include <functional>
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

class Http2AbuseTest : public test::Http2Test {};

TEST_F(Http2AbuseTest, AnAnswerInPiecesThatThePeersWindowsMakeTinyEndsTheConnection) {
  limits.h2_control_burst = 50;
  limits.h2_control_per_second = 10;
  application = [](StreamId, const test::SeenRequest&) { return Response::text(std::string(5000, 'x')); };
  // CVE-2019-9511: each round costs the peer one frame and us twenty.
  const auto window_of = [](std::uint32_t bytes) {
    return frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4", 2) + be32(bytes));
  };
  std::string requests = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + window_of(0);
  for (std::uint32_t i = 0; i < 20; ++i) requests += get_frame(1 + 2 * i);
  peer_sends_raw(requests);
  std::uint32_t rounds = 0;
  std::vector<test::RawFrame> frames;
  while (rounds < 20 && !error) {
    clock.advance(100ms);
    frames = peer_sends_raw(window_of(++rounds));
    if (server().state().is_finished) break;
  }
  EXPECT_EQ(rounds, 3U) << "twenty frames each, a token for each tenth of a second";
  peer_sends(frame(NGHTTP2_PING, 0, 0, "12345678"));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_flood_data_tiny);
  EXPECT_EQ(goaway_code(frames), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(Http2AbuseTest, TinyPiecesOfOurOwnMakingCostThePeerNothing) {
  limits.h2_control_burst = 5;
  limits.h2_control_per_second = 0;
  application = [](StreamId, const test::SeenRequest&) { return Response::text("small"); };
  for (int i = 0; i < 50; ++i) {
    client->get("/");
    talk();
  }
  EXPECT_FALSE(error);
}

// The library's table of streams moves when it grows; its page is another session's by then.
TEST_F(Http2AbuseTest, ManyStreamsLeaveOtherSessionsTheirTables) {
  limits.h2_concurrent_streams = 1000;
  std::string requests = client_preface();
  for (std::uint32_t i = 0; i < 500; ++i) requests += get_frame(1 + 2 * i);
  peer_sends(requests);
  ASSERT_EQ(server().state().open_streams, 500U);
  const auto another = [&] {
    return std::make_unique<Http2Codec>(
        limits, Http2Options{.scheme = Scheme::http, .date = &date, .memory = memory, .now = clock.now()});
  };
  const auto second = another();
  for (std::uint32_t i = 0; i < 500; ++i) respond(1 + 2 * i, Response::text("x"));
  server_sends();
  EXPECT_EQ(server().state().open_streams, 0U);
  const auto third = another();
  const auto fourth = another();
  peer_sends(get_frame(1001));
  for (const auto* other : {&second, &third, &fourth}) {
    const std::string bytes = client_preface() + get_frame(1);
    std::vector<CodecEvent> told;
    ASSERT_TRUE((*other)->receive(std::as_bytes(std::span{bytes}), told, clock.now()));
    EXPECT_EQ(told.size(), 1U);
    EXPECT_EQ((*other)->state().open_streams, 1U);
  }
  EXPECT_EQ(memory.pages().used_bytes(), 3 * Http2Pages::kPageBytes) << "the first one has outgrown its own";
}

TEST_F(Http2AbuseTest, RapidResetEndsTheConnection) {
  limits.h2_reset_burst = 20;
  std::string flood = client_preface();
  for (std::uint32_t i = 0; i < 40; ++i) {
    flood += get_frame(1 + 2 * i) + frame(NGHTTP2_RST_STREAM, 0, 1 + 2 * i, be32(NGHTTP2_CANCEL));
  }
  const auto frames = peer_sends_raw(flood);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_rapid_reset);
  EXPECT_EQ(goaway_code(frames), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(server().state().open_streams, 0U + (seen.size() - 20)) << "the reset ones are gone";
}

TEST_F(Http2AbuseTest, ResetsThePeerProvokesEndTheConnection) {
  struct Case {
    const char* name;
    std::function<std::string(std::uint32_t)> provocation;
  };
  const Case cases[] = {
      {"window overflow",
       [](std::uint32_t stream) {
         return get_frame(stream) + frame(NGHTTP2_WINDOW_UPDATE, 0, stream, be32(0x7fffffff));
       }},
      {"malformed request",
       [](std::uint32_t stream) {
         return frame(NGHTTP2_HEADERS, 0x5, stream, header_block({{":method", "GET"}, {"Upper", "case"}}));
       }},
  };
  limits.h2_own_reset_burst = 10;
  limits.h2_own_reset_per_second = 1;
  for (const Case& wanted : cases) {
    SCOPED_TRACE(wanted.name);
    codec.reset();
    error.reset();
    peer_sends(client_preface());
    for (std::uint32_t i = 0; i < 60 && !error; ++i) {
      peer_sends(wanted.provocation(1 + 2 * i));
      if (i < 9) {
        EXPECT_FALSE(error);
      }
    }
    ASSERT_TRUE(error);
    const auto frames = test::split_frames(server_sends());
    const std::int64_t code = goaway_code(frames);
    EXPECT_EQ(error->code, Errc::h2_own_resets);
    EXPECT_EQ(code, NGHTTP2_ENHANCE_YOUR_CALM);
    EXPECT_TRUE(server().state().is_finished);
  }
}

TEST_F(Http2AbuseTest, StreamsAboveTheLimitAreRefused) {
  limits.h2_concurrent_streams = 3;
  std::string requests = client_preface();
  for (std::uint32_t i = 0; i < 5; ++i) requests += get_frame(1 + 2 * i);
  const auto frames = peer_sends_raw(requests);  // before it has seen the limit: refused one by one
  EXPECT_FALSE(error);
  EXPECT_EQ(completed.size(), 3U);
  EXPECT_EQ(reset_code(frames, 7), NGHTTP2_REFUSED_STREAM);
  EXPECT_EQ(reset_code(frames, 9), NGHTTP2_REFUSED_STREAM);
  EXPECT_EQ(counters().resets_sent[NGHTTP2_REFUSED_STREAM], 2U);
  const auto last = peer_sends_raw(frame(NGHTTP2_SETTINGS, 1, 0) + get_frame(11));  // it has acknowledged the limit
  ASSERT_TRUE(error);
  EXPECT_EQ(goaway_code(last), NGHTTP2_PROTOCOL_ERROR);
}

TEST_F(Http2AbuseTest, ContinuationsWithoutEndEndTheConnection) {
  std::string flood = client_preface() + frame(NGHTTP2_HEADERS, 0, 1, header_block({{":method", "GET"}}));
  flood += repeated(frame(NGHTTP2_CONTINUATION, 0, 1, header_block({{"x", "y"}})), 20);
  const auto frames = peer_sends_raw(flood);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_flood_continuation);
  EXPECT_EQ(goaway_code(frames), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(Http2AbuseTest, HugeSettingsEndTheConnection) {
  const auto frames =
      peer_sends_raw(client_preface() + frame(NGHTTP2_SETTINGS, 0, 0, repeated(std::string("\0\3\0\0\0\1", 6), 40)));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_flood_settings);
  EXPECT_EQ(goaway_code(frames), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(Http2AbuseTest, AHeadAboveALimitIsRefusedAndTheConnectionGoesOn) {
  struct Case {
    const char* name;
    test::FieldList fields;
    Errc expected;
  };
  limits.head_max_bytes = 16 * 1024;
  test::FieldList many, crumbs;
  for (int i = 0; i < 101; ++i) {
    many.emplace_back("x" + std::to_string(i), "y");
    crumbs.emplace_back("cookie", "c" + std::to_string(i));
  }
  const Case cases[] = {
      {"fields", many, Errc::head_too_large},
      {"cookie crumbs", crumbs, Errc::head_too_large},
      {"bytes", {{"x", std::string(12'000, 'b')}, {"y", std::string(12'000, 'b')}}, Errc::head_too_large},
      {"two hosts", {{"host", "a.example"}, {"host", "b.example"}}, Errc::bad_host},
      {"another host", {{"host", "b.example"}}, Errc::bad_host},
      {"expectation", {{"expect", "miracles"}}, Errc::expectation_failed},
  };
  application = [](StreamId, const test::SeenRequest& request) { return Response::error(request.refused ? 431 : 200); };
  StreamId stream = 1;
  for (const Case& wanted : cases) {
    SCOPED_TRACE(wanted.name);
    EXPECT_EQ(client->get("/", wanted.fields), static_cast<std::int32_t>(stream));
    talk();
    EXPECT_FALSE(error);
    if (std::string_view{wanted.name} != "two hosts") {  // which the library resets
      EXPECT_EQ(seen[stream].refused, wanted.expected);
      EXPECT_EQ(client->answer(static_cast<std::int32_t>(stream)).status, 431);
    } else {
      EXPECT_FALSE(seen[stream].is_complete);
    }
    stream += 2;
  }
  const auto fine = client->get("/fine");
  talk();
  EXPECT_EQ(client->answer(fine).status, 200);
}

TEST_F(Http2AbuseTest, TargetsAndMethodsThatCannotBeServedAreRefusedByName) {
  struct Case {
    const char* method;
    std::string path;
    Errc expected;
  };
  const Case cases[] = {
      {"GET", "/" + std::string(9'000, 'p'), Errc::target_too_long},
      {"GET", "/a/../../b", Errc::bad_target},
      {"GET", "/%zz", Errc::bad_target},
      {"GET", "/%00", Errc::bad_target},
      {"BREW", "/", Errc::method_unknown},
      {"get", "/", Errc::method_unknown},
  };
  StreamId stream = 1;
  for (const Case& wanted : cases) {
    SCOPED_TRACE(wanted.path.substr(0, 20) + wanted.method);
    client->request(
        {{":method", wanted.method}, {":scheme", "http"}, {":path", wanted.path}, {":authority", "a.example"}});
    talk();
    EXPECT_EQ(seen[stream].refused, wanted.expected);
    stream += 2;
  }
}

TEST_F(Http2AbuseTest, TrailersCountToo) {
  limits.trailers_max_bytes = 200;
  application = [](StreamId, const test::SeenRequest& request) { return Response::error(request.refused ? 431 : 200); };
  const std::string body = "b";
  const auto stream =
      client->request({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.example"}}, &body,
                      {{"a", std::string(100, 'x')}, {"b", std::string(100, 'x')}});
  talk();
  EXPECT_EQ(seen[static_cast<StreamId>(stream)].refused, Errc::trailers_too_large);
  EXPECT_EQ(client->answer(stream).status, 431);
}

// Its exchange would otherwise wait for the peer, who waits for nothing any more.
TEST_F(Http2AbuseTest, TrailersBeyondTheLimitEndAnAnswerThatHasBegun) {
  limits.trailers_max_bytes = 200;
  peer_sends(client_preface() + frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4", 2) + be32(0)) +
             frame(NGHTTP2_HEADERS, 0x4, 1,
                   header_block({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}})));
  respond(1, Response::text("behind a closed window"));
  server_sends();
  peer_sends(frame(NGHTTP2_HEADERS, 0x5, 1, header_block({{"a", std::string(300, 'x')}})));
  EXPECT_EQ(seen[1].reset_code, NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(server().state().open_streams, 0U);
}

// What knows of a stream must hear of its end before it is freed, also while nothing can be sent.
TEST_F(Http2AbuseTest, AStreamThatTheServerEndsIsToldWithTheInputThatEndedIt) {
  peer_sends(client_preface() +
             frame(NGHTTP2_HEADERS, 0x4, 1,
                   header_block({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}})));
  ASSERT_FALSE(seen[1].reset_code);
  peer_sends(frame(NGHTTP2_WINDOW_UPDATE, 0, 1, be32(0x7fffffff)));
  EXPECT_EQ(seen[1].reset_code, NGHTTP2_FLOW_CONTROL_ERROR);
}

TEST_F(Http2AbuseTest, ABombInTrailersEndsTheConnectionAsOneInAHeadDoes) {
  limits.trailers_max_bytes = 1000;
  peer_sends(client_preface() +
             frame(NGHTTP2_HEADERS, 0x4, 1,
                   header_block({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}})));
  std::string trailers = std::string("\x40\1x\x64", 4) + std::string(100, 'v') + std::string(40, '\xbe');
  peer_sends(frame(NGHTTP2_HEADERS, 0x5, 1, trailers));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_header_bomb);
}

// One literal field of 4,000 octets enters the table, then one octet stands for it, a thousand times (CVE-2026-49975).
std::string bomb(std::uint32_t stream, bool first, std::size_t references) {
  std::string block = header_block({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  if (first) {
    block += '\x40';
    block += '\1';
    block += 'x';
    block += std::string("\x7f\x81\x1e", 3);  // 127 + 1 + 30 * 128 = 3968
    block += std::string(3968, 'v');
  }
  block += std::string(references, '\xbe');  // 62: the newest entry
  return frame(NGHTTP2_HEADERS, 0x5, stream, block);
}

TEST_F(Http2AbuseTest, AHeaderBombEndsTheConnection) {
  const auto frames = peer_sends_raw(client_preface() + bomb(1, true, 1000));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_header_bomb);
  EXPECT_EQ(goaway_code(frames), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(Http2AbuseTest, ABombThatStaysBelowTheLimitHoldsLittleMemory) {
  Http2Memory shared;
  std::vector<std::unique_ptr<Http2Codec>> connections;
  for (int connection = 0; connection < 10; ++connection) {
    connections.push_back(std::make_unique<Http2Codec>(
        limits, Http2Options{.scheme = Scheme::http, .date = nullptr, .memory = shared, .now = clock.now()}));
    codec = std::move(connections.back());
    peer_sends(client_preface());
    for (std::uint32_t i = 0; i < 99; ++i) {
      // Served heads just below the limit, and refused ones just above it.
      peer_sends(bomb(1 + 2 * i, i == 0, i % 2 == 0 ? 15 : 40));
    }
    ASSERT_FALSE(error);
    EXPECT_EQ(server().state().open_streams, 99U);
    connections.back() = std::move(codec);
  }
  EXPECT_LT(shared.used_bytes(), 8U * 1024 * 1024);
  connections.clear();
  EXPECT_EQ(shared.used_bytes(), 0U);
}

TEST_F(Http2AbuseTest, LargeHeadsAreNotHeldWhileTheirAnswersWait) {
  limits.h2_stream_window_bytes = 64 * 1024;
  answers_with([] { return Response::text(std::string(1000, 'b')); });
  peer_sends(client_preface() + frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\4\0\0\0\0", 6)));  // every window is shut
  const std::string large = header_block({{":method", "GET"},
                                          {":scheme", "http"},
                                          {":path", "/" + std::string(100, 'p')},
                                          {":authority", "a"},
                                          {"x", std::string(12'000, 'x')}});
  for (std::uint32_t i = 0; i < 100; ++i) peer_sends(frame(NGHTTP2_HEADERS, 0x5, 1 + 2 * i, large));
  ASSERT_FALSE(error);
  EXPECT_EQ(server().state().open_streams, 100U);
  EXPECT_LT(memory.used_bytes(), 100U * 12'000 / 3);  // a stream itself takes about 3,500
  std::vector<StreamDescription> shown;
  server().describe(shown, clock.now());
  ASSERT_EQ(shown.size(), 100U);
  EXPECT_EQ(shown[0].method, Method::get);
  EXPECT_EQ(shown[0].target, "/" + std::string(95, 'p')) << "observers still see what it is";
}

TEST_F(Http2AbuseTest, TrailersAreHeldWithinTheirLimitAndNotWhileTheirAnswersWait) {
  const auto held_by = [this](std::size_t value_bytes) {
    const std::size_t before = memory.used_bytes();
    const std::string body = "b";
    for (int i = 0; i < 50; ++i) {
      test::FieldList trailers;
      for (int j = 0; j < 60; ++j) trailers.emplace_back("x" + std::to_string(j), std::string(value_bytes, 'v'));
      client->request({{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, &body, trailers);
    }
    talk();
    return memory.used_bytes() - before;
  };
  const std::size_t within = held_by(90);
  EXPECT_EQ(seen[1].trailers.size(), 60U);
  EXPECT_GT(within, 50U * 60 * 90);
  EXPECT_LT(within, 50U * (2 * limits.trailers_max_bytes + 5'000)) << "and a field as it is kept";
  for (StreamId stream = 1; stream < 100; stream += 2) respond(stream, Response::text("waits"));
  talk();
  EXPECT_LT(memory.used_bytes(), 50U * 5'000) << "a stream itself takes about 3,500";
  held_by(200);
  EXPECT_EQ(seen[101].refused, Errc::trailers_too_large);
  for (StreamId stream = 101; stream < 200; stream += 2) respond(stream, Response::error(431));
  talk();
  EXPECT_LT(memory.used_bytes(), 100U * 5'000);
}

TEST_F(Http2AbuseTest, HeadersForAStreamWeHaveResetAreNotDecodedForEver) {
  limits.h2_control_burst = 50;
  limits.h2_control_per_second = 10;
  peer_sends(client_preface() + get_frame(1, "/", 0x4));
  server().reset(1, NGHTTP2_CANCEL);
  server_sends();
  peer_sends(repeated(get_frame(1), 50));
  EXPECT_FALSE(error) << "they may have been on their way";
  const auto frames = peer_sends_raw(get_frame(1));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Errc::h2_flood_empty);
  EXPECT_EQ(goaway_code(frames), NGHTTP2_ENHANCE_YOUR_CALM);
}

TEST_F(Http2AbuseTest, StreamIdsOnlyGrow) {
  std::string jumps;
  for (std::uint32_t i = 0; i < 20; ++i) jumps += get_frame(1 + 4 * i);
  struct Case {
    const char* name;
    std::string frames;
    Errc expected;
    std::uint32_t code;
  };
  const Case cases[] = {
      {"a lower id that was jumped over", get_frame(5) + get_frame(3), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"the first of many that were", jumps + get_frame(3), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"one of a far jump", get_frame(1) + get_frame(2001) + get_frame(1999), Errc::h2_protocol,
       NGHTTP2_PROTOCOL_ERROR},
      {"an even id", get_frame(2), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"stream 0", get_frame(0), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"DATA on an idle stream", frame(NGHTTP2_DATA, 0, 1, "x"), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"DATA after the end", get_frame(1) + frame(NGHTTP2_DATA, 0, 1, "x"), Errc::h2_protocol, NGHTTP2_STREAM_CLOSED},
      {"CONTINUATION alone", frame(NGHTTP2_CONTINUATION, 4, 1, ""), Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"a frame within a header block", get_frame(1, "/", 0x1) + frame(NGHTTP2_PING, 0, 0, "12345678"),
       Errc::h2_protocol, NGHTTP2_PROTOCOL_ERROR},
      {"too large a frame", frame(NGHTTP2_DATA, 0, 1, std::string(17'000, 'x')), Errc::h2_frame_size,
       NGHTTP2_FRAME_SIZE_ERROR},
      {"PING of four octets", frame(NGHTTP2_PING, 0, 0, "1234"), Errc::h2_frame_size, NGHTTP2_FRAME_SIZE_ERROR},
      {"a broken header block", frame(NGHTTP2_HEADERS, 0x5, 1, "\xff\xff\xff\xff\xff\xff"), Errc::h2_compression,
       NGHTTP2_COMPRESSION_ERROR},
      {"connection window overflow", frame(NGHTTP2_WINDOW_UPDATE, 0, 0, be32(0x7fffffff)), Errc::h2_flow_control,
       NGHTTP2_FLOW_CONTROL_ERROR},
  };
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}}) {
    for (const Case& wanted : cases) {
      SCOPED_TRACE(wanted.name);
      codec.reset();
      error.reset();
      piece_bytes = size;
      const auto frames = peer_sends_raw(client_preface() + wanted.frames);
      ASSERT_TRUE(error);
      EXPECT_EQ(error->code, wanted.expected);
      EXPECT_EQ(goaway_code(frames), wanted.code);
      EXPECT_TRUE(server().state().is_finished);
    }
  }
}

TEST_F(Http2AbuseTest, FramesForACompletedStreamAreAnErrorButNotForOneWeHaveReset) {
  for (const bool reset_by_us : {false, true}) {
    codec.reset();
    error.reset();
    application = nullptr;
    peer_sends(client_preface() + get_frame(1, "/", reset_by_us ? 0x4 : 0x5));
    if (reset_by_us) {
      server().reset(1, NGHTTP2_CANCEL);
    } else {
      respond(1, Response::text("x"));
    }
    server_sends();
    peer_sends(get_frame(1) + frame(NGHTTP2_DATA, 0, 1, "late"));
    if (reset_by_us) {
      EXPECT_FALSE(error);
    } else {
      ASSERT_TRUE(error);
      EXPECT_EQ(error->detail, NGHTTP2_STREAM_CLOSED);
    }
  }
}

TEST_F(Http2AbuseTest, AWrongPrefaceIsToldSo) {
  const std::string good{NGHTTP2_CLIENT_MAGIC};
  for (std::size_t cut = 0; cut < good.size(); cut += 5) {
    codec.reset();
    error.reset();
    std::string wrong = good;
    wrong[cut] = '?';
    const auto frames = peer_sends_raw(wrong);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, Errc::h2_preface);
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames.front().type, NGHTTP2_SETTINGS);
    EXPECT_EQ(goaway_code(frames), NGHTTP2_PROTOCOL_ERROR);
  }
}

TEST_F(Http2AbuseTest, GoodRequestsAheadOfABadFrameAreSeen) {
  peer_sends(client_preface() + get_frame(1) + get_frame(7) + get_frame(5));
  ASSERT_TRUE(error);
  EXPECT_TRUE(seen[1].is_complete);
  EXPECT_TRUE(seen[7].is_complete);
  EXPECT_FALSE(seen.contains(5));
}

TEST_F(Http2AbuseTest, StopsReadingWhileItsOutputIsNotTaken) {
  limits.h2_output_backlog_max_bytes = 2'000;
  const std::string ping = frame(NGHTTP2_PING, 0, 0, "12345678");
  peer_sends(client_preface());
  EXPECT_TRUE(server().state().can_receive);
  for (int i = 0; i < 300 && server().state().can_receive; ++i) peer_sends(ping);
  EXPECT_FALSE(server().state().can_receive);
  EXPECT_LT(from_server.size(), 10U);
  server_sends();
  EXPECT_TRUE(server().state().can_receive);
}

TEST_F(Http2AbuseTest, ContentThatContradictsItsLengthIsReset) {
  const auto stream = client->post("/", "four", {{"content-length", "5"}});
  talk();
  EXPECT_EQ(client->answer(stream).error_code, NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(seen[1].reset_code, NGHTTP2_PROTOCOL_ERROR);
  EXPECT_FALSE(seen[1].is_complete);
}

TEST_F(Http2AbuseTest, RequestsThatSmuggleAreReset) {
  const test::FieldList smuggled[] = {
      {{"transfer-encoding", "chunked"}},
      {{"connection", "close"}},
      {{"x", "a\r\nb"}},
      {{"content-length", "1"}, {"content-length", "2"}},
  };
  std::uint32_t stream = 1;
  for (const auto& fields : smuggled) {
    test::FieldList all{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}};
    all.insert(all.end(), fields.begin(), fields.end());
    const auto frames = peer_sends_raw((stream == 1 ? client_preface() : std::string{}) +
                                       frame(NGHTTP2_HEADERS, 0x5, stream, header_block(all)));
    EXPECT_EQ(reset_code(frames, stream), NGHTTP2_PROTOCOL_ERROR) << fields[0].first;
    EXPECT_TRUE(seen[stream].is_malformed);
    EXPECT_EQ(seen[stream].target, "") << "a handler would have seen it";
    stream += 2;
  }
}

}  // namespace
}  // namespace equinox::http
