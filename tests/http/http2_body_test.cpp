#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include <deque>
#include <stdexcept>
#include <string>

#include "http/http2_fixture.hpp"

namespace equinox::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A body source that follows a script.
class ScriptedSource final : public BodySource {
 public:
  struct Step {
    PullStatus status;
    std::string bytes;
  };
  explicit ScriptedSource(std::deque<Step> steps, std::optional<std::uint64_t> length = std::nullopt)
      : steps_{std::move(steps)}, length_{length} {}
  PullResult pull(std::span<char> into) override {
    if (steps_.empty()) throw std::runtime_error{"nothing left"};
    Step& step = steps_.front();
    const std::size_t count = std::min(into.size(), step.bytes.size());
    std::copy_n(step.bytes.begin(), count, into.begin());
    if (count < step.bytes.size()) {
      step.bytes.erase(0, count);
      return {PullStatus::bytes, count};
    }
    const PullStatus status = step.status;
    steps_.pop_front();
    return {status, count};
  }
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return length_; }

 private:
  std::deque<Step> steps_;
  std::optional<std::uint64_t> length_;
};

class Http2BodyTest : public test::Http2Test {
 protected:
  std::int32_t get_streamed(std::deque<ScriptedSource::Step> steps, std::optional<std::uint64_t> length = std::nullopt,
                            bool with_trailers = false) {
    const auto stream = client->get("/");
    talk();
    Response response = Response::stream(std::make_unique<ScriptedSource>(std::move(steps), length), "text/plain");
    if (with_trailers) response.trailer("X-Sum", "7");
    respond(static_cast<StreamId>(stream), std::move(response));
    talk();
    return stream;
  }
  std::vector<StreamId> stalled(std::uint64_t need) {
    std::vector<StreamId> ids;
    server().stalled_streams(ids, need);
    return ids;
  }
};

TEST_F(Http2BodyTest, PullsUntilTheEnd) {
  const auto stream = get_streamed(
      {{PullStatus::bytes, "one "}, {PullStatus::bytes, std::string(50'000, 'm')}, {PullStatus::end, " end"}});
  EXPECT_EQ(client->answer(stream).body, "one " + std::string(50'000, 'm') + " end");
  EXPECT_TRUE(client->answer(stream).is_ended);
  EXPECT_EQ(client->answer(stream).field("content-length"), "");
  EXPECT_EQ(seen[1].sent, 1);
}

TEST_F(Http2BodyTest, WaitsForAPendingSourceAndGoesOnWhenResumed) {
  const auto stream = get_streamed(
      {{PullStatus::bytes, "a"}, {PullStatus::pending, ""}, {PullStatus::bytes, "b"}, {PullStatus::end, ""}});
  EXPECT_EQ(client->answer(stream).body, "a");
  EXPECT_FALSE(server().state().wants_transmit);
  EXPECT_EQ(server().state().window_blocked, 0U) << "the application is the one that waits";
  server().resume(1);
  EXPECT_TRUE(server().state().wants_transmit);
  talk();
  EXPECT_EQ(client->answer(stream).body, "ab");
  EXPECT_EQ(seen[1].sent, 1);
}

TEST_F(Http2BodyTest, SendsTrailersAfterTheBody) {
  const auto stream = get_streamed({{PullStatus::end, "body"}}, std::nullopt, true);
  EXPECT_EQ(client->answer(stream).body, "body");
  EXPECT_EQ(client->answer(stream).trailers, (test::FieldList{{"x-sum", "7"}}));
  EXPECT_TRUE(client->answer(stream).is_ended);
  EXPECT_EQ(seen[1].sent, 1);
}

TEST_F(Http2BodyTest, AnnouncesALengthAndKeepsToIt) {
  const auto stream = get_streamed({{PullStatus::bytes, "12345678"}, {PullStatus::end, ""}}, 5);
  EXPECT_EQ(client->answer(stream).field("content-length"), "5");
  EXPECT_EQ(client->answer(stream).body, "12345");
  EXPECT_TRUE(client->answer(stream).is_ended);
}

TEST_F(Http2BodyTest, CutsAResponseWhoseSourceFails) {
  struct Case {
    const char* name;
    std::deque<ScriptedSource::Step> steps;
    std::optional<std::uint64_t> length;
  };
  const Case cases[] = {
      {"says failed", {{PullStatus::bytes, "part"}, {PullStatus::failed, ""}}, std::nullopt},
      {"throws", {{PullStatus::bytes, "part"}}, std::nullopt},
      {"ends early", {{PullStatus::end, "part"}}, 10},
      {"claims bytes and gives none", {{PullStatus::bytes, ""}}, std::nullopt},
  };
  StreamId expected = 1;
  for (const Case& wanted : cases) {
    SCOPED_TRACE(wanted.name);
    const auto stream = get_streamed(wanted.steps, wanted.length);
    const auto id = static_cast<StreamId>(stream);
    EXPECT_EQ(id, expected);
    expected += 2;
    EXPECT_EQ(client->answer(stream).error_code, NGHTTP2_INTERNAL_ERROR);
    EXPECT_FALSE(client->answer(stream).is_ended);
    EXPECT_EQ(seen[id].failed, 1);
    EXPECT_EQ(seen[id].sent, 0);
    EXPECT_FALSE(seen[id].reset_code);
    EXPECT_EQ(server().state().open_streams, 0U);
  }
}

TEST_F(Http2BodyTest, AResetOfAPendingResponseIsForgotten) {
  const auto stream = get_streamed({{PullStatus::pending, ""}, {PullStatus::end, "x"}});
  nghttp2_submit_rst_stream(client->session(), 0, stream, NGHTTP2_CANCEL);
  talk();
  EXPECT_EQ(seen[1].reset_code, NGHTTP2_CANCEL);
  server().resume(1);
  talk();
  EXPECT_EQ(client->answer(stream).body, "");
  EXPECT_EQ(server().state().window_blocked, 0U);
}

TEST_F(Http2BodyTest, TheServerMayGiveAStreamUp) {
  const auto stream = get_streamed({{PullStatus::bytes, "a"}, {PullStatus::pending, ""}});
  server().reset(1, NGHTTP2_CANCEL);
  talk();
  EXPECT_EQ(client->answer(stream).error_code, NGHTTP2_CANCEL);
  EXPECT_FALSE(seen[1].reset_code);
  EXPECT_EQ(server().state().open_streams, 0U);
}

std::shared_ptr<const OpenFile> file_of(std::string_view content) {
  auto file = std::make_shared<OpenFile>();
  file->fd = UniqueFd{::memfd_create("body", MFD_CLOEXEC)};
  EXPECT_EQ(::write(file->fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  file->size_bytes = content.size();
  return file;
}

TEST_F(Http2BodyTest, SeveralFramesOfAFileAreOneRunOfBytes) {
  std::string content;
  for (int i = 0; content.size() < 50'000; ++i) content += std::to_string(i) + ' ';
  const auto file = file_of(content);
  const auto stream = client->get("/file");
  talk();
  respond(1, Response::file({file, 3, 45'000}, "text/plain"));
  server().transmit(batch, high_watermark, events, clock.now());
  ASSERT_EQ(batch.segments().size(), 1U) << "one write";
  EXPECT_EQ(batch.segments().front().kind, EgressBatch::Kind::copied);
  EXPECT_GT(batch.pending_bytes(), 45'000U);
  client->input(drain_batch());
  talk();
  EXPECT_EQ(client->answer(stream).body, content.substr(3, 45'000));
  EXPECT_TRUE(client->answer(stream).is_ended);
}

TEST_F(Http2BodyTest, ALargeFileIsReadTurnByTurn) {
  std::string content;
  for (int i = 0; content.size() < 400'000; ++i) content += std::to_string(i) + ' ';
  const auto file = file_of(content);
  high_watermark = 112 * 1024;
  const auto stream = client->get("/file");
  talk();
  respond(1, Response::file({file, 3, 390'000}, "text/plain"));
  for (int turn = 0; turn < 100 && !client->answer(stream).is_ended; ++turn) {
    server().transmit(batch, high_watermark, events, clock.now());
    for (const EgressBatch::Segment& segment : batch.segments()) {
      EXPECT_EQ(segment.kind, EgressBatch::Kind::copied) << "its frames leave in one write";
    }
    EXPECT_LT(batch.pending_bytes(), high_watermark + 16'384 + 9);
    client->input(drain_batch());
    talk();
  }
  EXPECT_EQ(client->answer(stream).body, content.substr(3, 390'000));
  EXPECT_TRUE(client->answer(stream).is_ended);
}

TEST_F(Http2BodyTest, ALargeFileThatIsCutMeanwhileCutsItsStreamOnly) {
  const auto file = file_of(std::string(400'000, 'f'));
  high_watermark = 32 * 1024;
  const auto cut = client->get("/file");
  talk();
  respond(1, Response::file({file, 0, 400'000}, "text/plain"));
  server().transmit(batch, high_watermark, events, clock.now());
  ASSERT_FALSE(batch.empty());
  ASSERT_EQ(::ftruncate(file->fd.get(), 100'000), 0);
  client->input(drain_batch());
  talk();
  EXPECT_EQ(client->answer(cut).error_code, NGHTTP2_INTERNAL_ERROR);
  EXPECT_FALSE(client->answer(cut).is_ended);
  answers_with([] { return Response::text("here"); });
  const auto next = client->get("/next");
  talk();
  EXPECT_EQ(client->answer(next).body, "here");
}

TEST_F(Http2BodyTest, TheKeptBytesOfAFileAreBorrowed) {
  std::string content;
  for (int i = 0; content.size() < 50'000; ++i) content += std::to_string(i) + ' ';
  auto file = std::make_shared<OpenFile>();
  file->fd = UniqueFd{::memfd_create("body", MFD_CLOEXEC)};
  ASSERT_EQ(::write(file->fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  file->size_bytes = content.size();
  file->contents = std::make_unique<FileContents>(std::make_shared<FileContents::Budget>(1'000'000), 0);
  const auto stream = client->get("/file");
  talk();
  respond(1, Response::file({file, 3, 45'000}, "text/plain"));
  server().transmit(batch, high_watermark, events, clock.now());
  std::size_t borrowed = 0;
  for (const EgressBatch::Segment& segment : batch.segments()) {
    if (segment.kind == EgressBatch::Kind::borrowed) borrowed += segment.length;
  }
  EXPECT_EQ(borrowed, 45'000U) << "neither read nor copied";
  const std::weak_ptr<OpenFile> alive = file;
  file.reset();
  client->input(drain_batch());
  talk();
  EXPECT_EQ(client->answer(stream).body, content.substr(3, 45'000));
  EXPECT_TRUE(client->answer(stream).is_ended);
  EXPECT_TRUE(alive.expired()) << "the batch and the stream kept it, and let go";
}

TEST_F(Http2BodyTest, AFileThatEndsEarlyCutsItsStreamOnly) {
  const auto file = file_of(std::string(20'000, 'f'));
  answers_with([&] { return Response::file({file, 0, 20'001}, "text/plain"); });
  const auto cut = client->get("/file");
  talk();
  EXPECT_EQ(client->answer(cut).error_code, NGHTTP2_INTERNAL_ERROR);
  EXPECT_FALSE(client->answer(cut).is_ended);
  EXPECT_EQ(seen[1].failed, 1);
  answers_with([&] { return Response::file({file, 0, 20'000}, "text/plain"); });
  const auto whole = client->get("/file");
  talk();
  EXPECT_TRUE(client->answer(whole).is_ended);
  EXPECT_EQ(client->answer(whole).body.size(), 20'000U);
}

TEST_F(Http2BodyTest, FieldsThatTheLibraryDoesNotSendCutTheirStreamOnly) {
  const std::string large(70'000, 'x');
  answers_with([&] { return Response::text("body").with("X-Large", large); });
  const auto head = client->get("/head");
  talk();
  answers_with([&] {
    Response response = Response::text("body");
    response.trailer("X-Large", large);
    return response;
  });
  const auto trailers = client->get("/trailers");
  talk();
  for (const auto cut : {head, trailers}) {
    EXPECT_EQ(client->answer(cut).error_code, NGHTTP2_INTERNAL_ERROR) << cut;
    EXPECT_FALSE(client->answer(cut).is_ended) << cut;
    EXPECT_EQ(seen[static_cast<StreamId>(cut)].failed, 1) << cut;
    EXPECT_EQ(seen[static_cast<StreamId>(cut)].sent, 0) << cut;
  }
  answers_with([] { return Response::text("fine"); });
  const auto whole = client->get("/whole");
  talk();
  EXPECT_EQ(client->answer(whole).body, "fine");
  EXPECT_EQ(server().state().open_streams, 0U);
}

TEST_F(Http2BodyTest, AnAnswerBeforeTheWholeBodyEndsInAResetWithoutError) {
  limits.h2_stream_window_bytes = 65535;
  const auto stream = client->post("/", std::string(200'000, 'x'));
  peer_sends(client->output());
  consumes_body = false;
  respond(static_cast<StreamId>(stream), Response::error(413));
  const std::string answer = server_sends();
  EXPECT_EQ(reset_code(test::split_frames(answer), static_cast<std::uint32_t>(stream)), -1) << "not before it was read";
  ASSERT_TRUE(client->input(answer));
  EXPECT_EQ(client->answer(stream).status, 413);
  EXPECT_TRUE(client->answer(stream).is_ended);
  EXPECT_EQ(seen[static_cast<StreamId>(stream)].sent, 1);

  const TimePoint due = server().next_due();
  ASSERT_NE(due, kNever);
  server().give_up_due(due - 1ns);
  EXPECT_EQ(server_sends(), "");
  server().give_up_due(due);
  EXPECT_EQ(reset_code(test::split_frames(server_sends()), static_cast<std::uint32_t>(stream)), NGHTTP2_NO_ERROR);
  EXPECT_EQ(server().next_due(), kNever);
  EXPECT_FALSE(seen[static_cast<StreamId>(stream)].reset_code);
}

TEST_F(Http2BodyTest, WhoCompletesTheRequestAfterAllIsNotReset) {
  const auto stream = client->post("/", std::string(200'000, 'x'));
  peer_sends(client->output());
  respond(static_cast<StreamId>(stream), Response::error(413));
  talk();
  EXPECT_EQ(client->answer(stream).status, 413);
  EXPECT_TRUE(client->answer(stream).is_closed);
  EXPECT_EQ(server().next_due(), kNever);
  EXPECT_EQ(client->frames[NGHTTP2_RST_STREAM], 0);
}

TEST_F(Http2BodyTest, NamesTheStreamsThatAWindowKeptClosed) {
  client =
      std::make_unique<test::Http2Client>(test::Http2Client::Options{.consumes_body = false, .window_bytes = 1000});
  answers_with([] { return Response::text(std::string(5000, 'x')); });
  const auto moves = client->get("/");
  const auto stays = client->get("/");
  talk();
  EXPECT_THAT(stalled(1), IsEmpty()) << "no window has begun";
  server().begin_write_window();
  nghttp2_submit_window_update(client->session(), NGHTTP2_FLAG_NONE, moves, 10);
  talk();
  EXPECT_THAT(stalled(10), ElementsAre(static_cast<StreamId>(stays)));
  EXPECT_EQ(stalled(11).size(), 2U) << "less than is needed does not renew";
  EXPECT_EQ(server().moved_bytes(), 10U);
  server().begin_write_window();
  EXPECT_EQ(stalled(1).size(), 2U);
}

TEST_F(Http2BodyTest, AStreamThatWaitsForItsTurnBehindTheConnectionsWindowIsNotStalled) {
  client =
      std::make_unique<test::Http2Client>(test::Http2Client::Options{.consumes_body = false, .window_bytes = 1 << 20});
  answers_with([] { return Response::text(std::string(200'000, 'x')); });
  const auto first = client->get("/");
  client->get("/");
  talk();
  server().begin_write_window();
  nghttp2_submit_window_update(client->session(), NGHTTP2_FLAG_NONE, 0, 2 * 16384);
  talk();
  EXPECT_EQ(server().moved_bytes(), 2U * 16384);
  EXPECT_THAT(client->data_order, ::testing::Each(first)) << "one after the other";
  EXPECT_THAT(stalled(2 * 16384), IsEmpty());
  EXPECT_EQ(stalled(2 * 16384 + 1).size(), 2U) << "the connection as a whole has to move";
}

TEST_F(Http2BodyTest, AnswersToControlFramesMoveNothing) {
  client =
      std::make_unique<test::Http2Client>(test::Http2Client::Options{.consumes_body = false, .window_bytes = 1000});
  answers_with([] { return Response::text(std::string(5000, 'x')); });
  client->get("/");
  talk();
  server().begin_write_window();
  peer_sends(test::frame(NGHTTP2_PING, 0, 0, "12345678") + test::frame(NGHTTP2_SETTINGS, 0, 0));
  EXPECT_NE(server_sends(), "");
  EXPECT_EQ(server().moved_bytes(), 0U);
}

}  // namespace
}  // namespace equinox::http
