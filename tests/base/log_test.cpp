#include "base/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/log_format.hpp"
#include "base/log_output.hpp"

namespace equinox {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::string contents(const std::filesystem::path& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = testing::TempDir() + "equinox-log-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

class Lines {
 public:
  LogTarget target() {
    return {.kind = LogTarget::Kind::function, .path = {}, .sink = [this](LogLevel, std::string_view line) {
              const std::lock_guard lock{mutex_};
              lines_.emplace_back(line);
            }};
  }
  std::vector<std::string> take() {
    const std::lock_guard lock{mutex_};
    return std::move(lines_);
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

LogOptions options(LogTarget target, LogFormat format = LogFormat::custom) {
  return {.name = "server",
          .target = std::move(target),
          .format = format,
          .layout = [](std::string& out, const LogRecord& record) { append_controls_escaped(out, record.message()); },
          .level = LogLevel::info,
          .ring_bytes = 16384};
}

LogRecord line(std::string_view text, LogLevel level = LogLevel::info) {
  return {level, LogComponent::server, text, std::chrono::system_clock::time_point{1'714'979'289'123ms}};
}

TEST(LogLines, ArriveInOrderFromEachProducer) {
  Lines lines;
  LogWriter writer;
  const auto log = writer.open(options(lines.target()));
  ASSERT_TRUE(log);
  LogProducer producer = log->producer();
  producer.write(line("one"));
  producer.write(line("two"));
  log->write(line("from anywhere"));
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_THAT(lines.take(), testing::UnorderedElementsAre("one", "two", "from anywhere"));
}

TEST(LogLines, LookTheSameInTextEverywhere) {
  Lines lines;
  LogWriter writer;
  const auto log = writer.open(options(lines.target(), LogFormat::text));
  ASSERT_TRUE(log);
  log->write(line("say \"hi\"\nforged", LogLevel::warning).add("peer", "127.0.0.1:80").add("errno", 104));
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_THAT(lines.take(), ElementsAre("2024-05-06T07:08:09.123Z warning [server] say \"hi\"\\nforged "
                                        "peer=127.0.0.1:80 errno=104"));
}

TEST(LogLines, AreCountedByLevelAndComponentAndFilteredByLevel) {
  Lines lines;
  LogWriter writer;
  const auto log = writer.open(options(lines.target()));
  ASSERT_TRUE(log);
  log->write(line("hidden", LogLevel::debug));
  EXPECT_FALSE(log->is_enabled(LogLevel::debug));
  log->set_level(LogLevel::debug);
  log->write(line("shown", LogLevel::debug));
  log->write({LogLevel::error, LogComponent::tls, "bad"});
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_THAT(lines.take(), ElementsAre("shown", "bad"));
  EXPECT_EQ(log->count(LogLevel::debug), 1U);
  EXPECT_EQ(log->count(LogLevel::error, LogComponent::tls), 1U);
  EXPECT_EQ(log->count(LogLevel::error, LogComponent::server), 0U);
  EXPECT_EQ(log->dropped(), 0U);
}

TEST(LogLines, AreWokenForWithoutAFlush) {
  std::atomic<bool> has_come{false};
  LogWriter writer;
  const auto log =
      writer.open(options({.kind = LogTarget::Kind::function, .path = {}, .sink = [&](LogLevel, std::string_view) {
                             has_come.store(true);
                             has_come.notify_all();
                           }}));
  ASSERT_TRUE(log);
  ASSERT_TRUE(writer.flush(10s));  // the writer has nothing left and sleeps
  log->write(line("wake up"));
  has_come.wait(false);  // for ever if the bell is lost: the test's time limit tells
  SUCCEED();
}

TEST(LogLines, SurviveManyProducersAtOnce) {
  Lines lines;
  std::size_t received = 0;
  LogWriter writer;
  const auto log = writer.open(options(lines.target(), LogFormat::json));
  ASSERT_TRUE(log);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      LogProducer producer = log->producer();
      for (int i = 0; i < 2000; ++i) producer.write(line("busy").add("i", i));
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(writer.flush(10s));
  for (const std::string& text : lines.take()) {
    ASSERT_TRUE(nlohmann::json::accept(text)) << text;
    ++received;
  }
  EXPECT_EQ(received, log->count(LogLevel::info));
  EXPECT_EQ(received + log->dropped(), 8000U);
}

TEST(LogLines, OfAFailingSinkAreCountedAsDropped) {
  LogWriter writer;
  const auto log =
      writer.open(options({.kind = LogTarget::Kind::function, .path = {}, .sink = [](LogLevel, std::string_view) {
                             throw std::runtime_error{"no"};
                           }}));
  ASSERT_TRUE(log);
  log->write(line("lost"));
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_EQ(log->dropped(), 1U);
}

TEST(LogLines, AboutAConnectionAreKeptIfTheyWereLogged) {
  const ConnectionId one = ConnectionId::make(0, 1, 1);
  LogWriter writer;
  LogOptions options_of = options({.kind = LogTarget::Kind::none, .path = {}, .sink = {}});
  options_of.history_lines = 16;
  const auto log = writer.open(std::move(options_of));
  ASSERT_TRUE(log);
  log->write(line("hidden", LogLevel::debug).about(one));
  log->write(line("about nobody"));
  log->write(line("kept").about(one));
  log->producer().write(line("of a producer").about(one));
  ASSERT_TRUE(writer.flush(10s));
  const auto found = log->about(one, 50);
  std::vector<std::string> kept;
  for (const LogRecord& record : found.records) kept.emplace_back(record.message());
  EXPECT_THAT(kept, testing::UnorderedElementsAre("kept", "of a producer"));
  EXPECT_EQ(log->history_totals().entries, 2U);
  EXPECT_TRUE(Log{}.about(one, 50).records.empty());
}

TEST(LogLines, AreKeptBeforeTheirTargetGetsThem) {
  const ConnectionId one = ConnectionId::make(0, 1, 1);
  std::promise<void> entered;
  std::promise<void> let_go;
  LogWriter writer;
  LogOptions options_of =
      options({.kind = LogTarget::Kind::function, .path = {}, .sink = [&](LogLevel, std::string_view) {
                 entered.set_value();
                 let_go.get_future().wait();
               }});
  options_of.history_lines = 16;
  const auto log = writer.open(std::move(options_of));
  ASSERT_TRUE(log);
  log->write(line("kept").about(one));
  entered.get_future().wait();
  EXPECT_EQ(log->about(one, 50).records.size(), 1U);
  let_go.set_value();
}

TEST(LogFile, IsAppendedToAndReopenedAfterRotation) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.log");
  LogWriter writer;
  const auto log = writer.open(options({.kind = LogTarget::Kind::file, .path = path, .sink = {}}));
  ASSERT_TRUE(log);
  log->write(line("before"));
  ASSERT_TRUE(writer.flush(10s));
  std::filesystem::rename(path, path + ".1");
  log->write(line("between"));
  ASSERT_TRUE(writer.flush(10s));
  ASSERT_TRUE(log->reopen());
  log->write(line("after"));
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_EQ(contents(path + ".1"), "before\nbetween\n");
  EXPECT_EQ(contents(path), "after\n");
}

TEST(LogFile, ThatCannotBeOpenedIsAnErrorAndReopeningKeepsTheOldOne) {
  const TemporaryFolder folder;
  LogWriter writer;
  const auto refused =
      writer.open(options({.kind = LogTarget::Kind::file, .path = folder.file("no/such"), .sink = {}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().os_errno, ENOENT);

  std::filesystem::create_directory(folder.file("d"));
  const auto log = writer.open(options({.kind = LogTarget::Kind::file, .path = folder.file("d/a.log"), .sink = {}}));
  ASSERT_TRUE(log);
  std::filesystem::rename(folder.file("d"), folder.file("e"));
  EXPECT_FALSE(log->reopen());
  log->write(line("still here"));
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_EQ(contents(folder.file("e/a.log")), "still here\n");
}

TEST(LogFile, OnAFullDiskLosesLinesAndCountsThem) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
  LogWriter writer;
  const auto log = writer.open(options({.kind = LogTarget::Kind::file, .path = "/dev/full", .sink = {}}));
  ASSERT_TRUE(log);
  for (int i = 0; i < 10; ++i) log->write(line("lost"));
  ASSERT_TRUE(writer.flush(10s));
  EXPECT_EQ(log->dropped(), 10U);
}

/// Files of this process take so many bytes while it lives, as on a disk that is full.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_action_{::signal(SIGXFSZ, SIG_IGN)} {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    rlimit now = old_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, old_action_);
  }

 private:
  rlimit old_{};
  sighandler_t old_action_;
};

class CutFile : public testing::Test {
 protected:
  CutFile() {
    const FileSizeLimit limit{10};
    cut_lost_ = write("whole\ncut in two\n");
    next_lost_ = write("lost\n");
  }
  std::size_t write(const char* lines) {
    output_.pending() += lines;
    return output_.write_out();
  }
  TemporaryFolder folder_;
  LogOutput output_ = LogOutput::own(*LogOutput::open_file(folder_.file("log")));
  std::size_t cut_lost_{0};
  std::size_t next_lost_{0};
};

TEST_F(CutFile, CountsTheLinesThatAreLostAndGoesOnWithAWholeOne) {
  EXPECT_EQ(cut_lost_, 1U);
  EXPECT_EQ(next_lost_, 1U) << "what ends the half line is no line";
  EXPECT_EQ(write("next\n"), 0U);
  EXPECT_EQ(contents(folder_.file("log")), "whole\ncut \nnext\n");
}

TEST_F(CutFile, IsReplacedAtOnceByOneThatBeginsWithAWholeLine) {
  UniqueFd file = *LogOutput::open_file(folder_.file("new"));
  ASSERT_TRUE(output_.replace(file));
  EXPECT_EQ(write("next\n"), 0U);
  EXPECT_EQ(contents(folder_.file("log")), "whole\ncut ");
  EXPECT_EQ(contents(folder_.file("new")), "next\n");
}

class BlockedPipe : public testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_.file("pipe");
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    reader_.reset(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    ASSERT_TRUE(reader_);
  }
  LogOptions pipe_options() { return options({.kind = LogTarget::Kind::file, .path = path_, .sink = {}}); }

  TemporaryFolder folder_;
  std::string path_;
  UniqueFd reader_;
};

TEST_F(BlockedPipe, StopsNeitherProducersNorOtherLogsNorTheEnd) {
  Lines lines;
  LogWriter writer;
  const auto blocked = writer.open(pipe_options());
  const auto other = writer.open(options(lines.target()));
  ASSERT_TRUE(blocked && other);
  const std::string text(400, 'x');
  LogProducer producer = blocked->producer();
  do {
    producer.write(line(text));
  } while (writer.flush(50ms));  // until the pipe is full
  while (blocked->dropped() == 0) producer.write(line(text));
  other->write(line("alive"));
  std::vector<std::string> seen;
  while (seen.empty()) seen = lines.take();
  EXPECT_THAT(seen, ElementsAre("alive"));

  const auto before = std::chrono::steady_clock::now();
  writer.stop(100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 5s);
}

TEST_F(BlockedPipe, HidesNoLineThatMayWaitForIt) {
  const ConnectionId one = ConnectionId::make(0, 1, 1);
  LogWriter writer;
  LogOptions options_of = pipe_options();
  options_of.history_lines = 16;
  const auto log = writer.open(std::move(options_of));
  ASSERT_TRUE(log);
  LogProducer producer = log->producer();
  const std::string text(400, 'x');
  do {
    producer.write(line(text));
  } while (writer.flush(50ms));  // until the pipe is full
  for (std::size_t n = 1; n <= 5; ++n) {
    producer.write(line("kept").about(one));
    const auto end = std::chrono::steady_clock::now() + 10s;
    while (log->about(one, 50).records.size() < n && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    ASSERT_EQ(log->about(one, 50).records.size(), n);
  }
  writer.stop(100ms);
}

TEST_F(BlockedPipe, GoesOnWithWholeLinesOnceItIsRead) {
  LogWriter writer;
  const auto log = writer.open(pipe_options());
  ASSERT_TRUE(log);
  LogProducer producer = log->producer();
  const std::string text(400, 'x');
  std::uint64_t written = 0;
  while (log->dropped() == 0) {
    producer.write(line(text));
    ++written;
  }
  written -= log->dropped();
  std::string received;
  std::vector<char> chunk(65536);
  while (received.size() < written * (text.size() + 1)) {
    const ssize_t count = ::read(reader_.get(), chunk.data(), chunk.size());
    if (count > 0) received.append(chunk.data(), static_cast<std::size_t>(count));
  }
  for (std::size_t at = 0; at < received.size(); at += text.size() + 1) {
    ASSERT_EQ(received.compare(at, text.size() + 1, text + "\n"), 0);
  }
  EXPECT_TRUE(writer.flush(10s));
}

TEST_F(BlockedPipe, WhoseReaderLeavesLosesLinesWithoutASignal) {
  LogWriter writer;
  const auto log = writer.open(pipe_options());
  ASSERT_TRUE(log);
  reader_.reset();
  log->write(line("nobody reads"));
  EXPECT_TRUE(writer.flush(10s));
  EXPECT_EQ(log->dropped(), 1U);
}

TEST(LogEnd, WritesWhatIsLeftAndDropsWhatComesLater) {
  const TemporaryFolder folder;
  LogProducer late;
  Log log;
  {
    LogWriter writer;
    log = *writer.open(options({.kind = LogTarget::Kind::file, .path = folder.file("a.log"), .sink = {}}));
    late = log.producer();
    late.write(line("last"));
  }
  late.write(line("too late"));
  EXPECT_EQ(contents(folder.file("a.log")), "last\n");
  EXPECT_EQ(log.dropped(), 1U);
}

TEST(LogJournal, IsRecognisedByDeviceAndInode) {
  struct stat facts {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &facts), 0);
  const std::string right = std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
  EXPECT_TRUE(is_journal_stream(STDERR_FILENO, right.c_str()));
  EXPECT_FALSE(is_journal_stream(STDERR_FILENO, (right + "1").c_str()));
  for (const char* wrong : {"", ":", "1", "1:", ":1", "x:y"}) EXPECT_FALSE(is_journal_stream(STDERR_FILENO, wrong));
  EXPECT_FALSE(is_journal_stream(STDERR_FILENO, nullptr));
}

}  // namespace
}  // namespace equinox
