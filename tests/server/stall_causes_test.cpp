// What a reactor was at when it stalled, through the system-call seam and through what applications can do.

#include <atomic>
#include <chrono>

#include "net/syscalls.hpp"
#include "server/server_fixture.hpp"
#include "server/server_internal.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto kLong = 400ms;
std::atomic<bool> receiving_blocks{false};
std::atomic<bool> sending_blocks{false};

ssize_t slow_receive(int fd, void* into, std::size_t size, int flags) {
  if (receiving_blocks.exchange(false)) std::this_thread::sleep_for(kLong);
  return net::real_syscalls().recv(fd, into, size, flags);
}
ssize_t slow_send(int fd, const void* from, std::size_t size, int flags) {
  if (sending_blocks.exchange(false)) std::this_thread::sleep_for(kLong);
  return net::real_syscalls().send(fd, from, size, flags);
}

/// A body nobody takes, given up slowly.
class SlowAbort final : public BodySink {
 public:
  SinkStatus receive(std::span<const std::byte>) override { return SinkStatus::more; }
  Response finish() override { return Response::empty(); }
  void abort() noexcept override { std::this_thread::sleep_for(kLong); }
};

class StallCauses : public ServerTest {
 protected:
  StallCauses() {
    receiving_blocks = sending_blocks = false;
    net::syscalls().recv = slow_receive;
    net::syscalls().send = slow_send;
    config.history.stall_threshold = 100ms;
  }
  ~StallCauses() override {
    server().stop();  // its threads use the seam
    net::syscalls() = net::real_syscalls();
  }
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    server().post("/sink", StreamHandler{[](const Request&) { return std::make_unique<SlowAbort>(); }});
    start();
  }
  /// The stall is named while it lasts, and again in the ring once it is over.
  StallRecord stalled_by(StallCause cause, bool has_connection = true) {
    std::uint64_t connection = 0;
    EXPECT_TRUE(eventually(
        [&] {
          const StallRecord running = newest();
          connection = running.connection;
          return running.running && running.cause == cause;
        },
        2s))
        << "not named while it ran";
    EXPECT_EQ(connection != 0, has_connection);
    EXPECT_TRUE(eventually([&] {
      poke();
      return newest().duration_ns != 0 && !newest().running;
    }));
    const StallRecord ended = newest();
    EXPECT_EQ(to_string(ended.cause), to_string(cause));
    EXPECT_EQ(ended.connection, connection);
    EXPECT_EQ(snapshot().reactors.front().stalls[index_of(cause)], 1U);
    EXPECT_GE(ended.duration_ns, std::chrono::nanoseconds{kLong}.count());
    return ended;
  }
  [[nodiscard]] StallRecord newest() {
    StallRecord found;
    server().view().stalls([&](const StallRecord& stall) {
      found = stall;
      return false;
    });
    return found;
  }
  /// A stall enters its ring with the next turn.
  void poke() { RawClient{port()}.finish(); }
};

TEST_F(StallCauses, ReadingAndParsing) {
  serve();
  receiving_blocks = true;
  RawClient client{port()};
  client.send(kGet);
  const StallRecord stall = stalled_by(StallCause::parse);
  EXPECT_FALSE(stall.has_route);
}

TEST_F(StallCauses, Http2) {
  serve();
  RawClient client{port()};
  constexpr std::string_view kEmptySettings{"\0\0\0\4\0\0\0\0\0", 9};
  client.send(std::string{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}.append(kEmptySettings));
  client.read_for(kEmptySettings.substr(3, 1));
  receiving_blocks = true;
  client.send(kEmptySettings);
  stalled_by(StallCause::h2);
}

TEST_F(StallCauses, Writing) {
  serve();
  sending_blocks = true;
  RawClient client{port()};
  client.send(kGet);
  stalled_by(StallCause::write);
}

TEST_F(StallCauses, TheHandshake) {
  config.listeners.front().tls = TlsConfig{.self_signed = true};
  serve();
  receiving_blocks = true;
  RawClient client{port()};
  client.send("\x16\x03\x01");
  stalled_by(StallCause::tls);
}

TEST_F(StallCauses, ATimer) {
  config.timeouts.body = 200ms;
  serve();
  RawClient client{port()};
  client.send("POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
  stalled_by(StallCause::timer);
}

TEST_F(StallCauses, TheMailbox) {
  serve();
  server().internal().reactors.front()->post(
      server::TaskMail{[](server::Reactor&) { std::this_thread::sleep_for(kLong); }});
  stalled_by(StallCause::mailbox, false);
}

TEST_F(StallCauses, WhoWaitsUsesNoCpuAndWhoComputesDoes) {
  serve();
  server::Reactor& reactor = *server().internal().reactors.front();
  reactor.post(server::TaskMail{[](server::Reactor&) { std::this_thread::sleep_for(kLong); }});
  const StallRecord waiting = stalled_by(StallCause::mailbox, false);
  ASSERT_GE(waiting.cpu_ns, 0);
  EXPECT_LT(waiting.cpu_ns, waiting.duration_ns / 4);
  reactor.post(server::TaskMail{[](server::Reactor&) {
    // By its own CPU clock: a loaded machine must not make a computing thread look like a waiting one.
    const auto began = telemetry::thread_cpu_ns(CLOCK_THREAD_CPUTIME_ID);
    while (telemetry::thread_cpu_ns(CLOCK_THREAD_CPUTIME_ID) - began < std::chrono::nanoseconds{kLong}.count()) {
    }
  }});
  EXPECT_TRUE(eventually(
      [&] {
        poke();
        return newest().started_ns != waiting.started_ns && !newest().running;
      },
      60s));
  EXPECT_GE(newest().cpu_ns, std::chrono::nanoseconds{kLong}.count() / 2);
}

}  // namespace
}  // namespace equinox::testing
