// The observer sleeps while nothing turns and misses no turn that begins.

#include "server/observer_rest.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using server::ObserverRest;

ObserverRest make_rest() { return ObserverRest{std::move(*net::Wakeup::open())}; }

TEST(ObserverRest, SleepsItsTimeWhenNobodyWakesIt) {
  ObserverRest rest{make_rest()};
  rest.turn_began();  // it does not rest: a turn is no news
  const auto before = std::chrono::steady_clock::now();
  rest.sleep(20ms);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 20ms);
}

TEST(ObserverRest, AWakeBeforeTheSleepIsNotLost) {
  ObserverRest rest{make_rest()};
  rest.wake();
  const auto before = std::chrono::steady_clock::now();
  rest.sleep(10s);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
}

TEST(ObserverRest, MissesNoTurnThatBeginsWhileItFallsAsleep) {
  ObserverRest rest{make_rest()};
  if (!rest.begin()) GTEST_SKIP() << "membarrier(2) is not to be had here";
  rest.end();
  constexpr std::uint64_t kTurns = 3000;
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> met{0};
  std::thread reactor{[&] {
    for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
      while (met.load(std::memory_order_relaxed) + 1 != turn) std::this_thread::yield();
      begun.store(turn, std::memory_order_relaxed);
      rest.turn_began();
    }
  }};
  for (std::uint64_t seen = 0; seen < kTurns;) {
    if (begun.load(std::memory_order_relaxed) == seen && rest.begin()) {
      if (begun.load(std::memory_order_relaxed) == seen) {
        const auto before = std::chrono::steady_clock::now();
        rest.sleep(20s);
        EXPECT_LT(std::chrono::steady_clock::now() - before, 20s) << "turn " << seen + 1 << " was missed";
      }
      rest.end();
    }
    seen = begun.load(std::memory_order_relaxed);
    met.store(seen, std::memory_order_relaxed);
  }
  reactor.join();
}

class RestingObserver : public ServerTest {
 protected:
  void serve() {
    make().get("/block", [this](const Request&) {
      while (!may_go_) std::this_thread::sleep_for(1ms);
      return Response::text("gone on");
    });
    start();
    EXPECT_TRUE(eventually([] { return sleeps() != 0; }));
  }
  /// How often the observer's thread has gone to sleep.
  static std::uint64_t sleeps() {
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
      std::string name;
      std::getline(std::ifstream{task.path() / "comm"}, name);
      if (name != "eqx-observer") continue;
      std::ifstream status{task.path() / "status"};
      for (std::string line; std::getline(status, line);) {
        if (line.starts_with("voluntary_ctxt_switches:")) return std::stoull(line.substr(line.find(':') + 1));
      }
    }
    return 0;  // it has not begun
  }
  [[nodiscard]] std::size_t seconds_recorded() const { return view().series(0).size(); }
  [[nodiscard]] const ServerView& view() const { return const_cast<RestingObserver*>(this)->server().view(); }
  void wait_for_seconds(std::size_t more) {
    const std::size_t from = seconds_recorded();
    EXPECT_TRUE(eventually([&] { return seconds_recorded() >= from + more; }, 30s));
  }
  /// Longer asleep than it ever is beside a reactor that turns.
  void wait_until_it_rests() {
    std::uint64_t last = sleeps();
    auto since = std::chrono::steady_clock::now();
    EXPECT_TRUE(eventually([&] {
      const auto now = std::chrono::steady_clock::now();
      if (const std::uint64_t count = sleeps(); count != last) {
        last = count;
        since = now;
      }
      return now - since > 200ms;
    }));
  }
  std::atomic<bool> may_go_{false};
};

TEST_F(RestingObserver, HardlyLooksAtAnIdleServer) {
  serve();
  wait_for_seconds(1);
  const std::uint64_t before = sleeps();
  wait_for_seconds(2);
  // The second itself, which has met the reactor's turn of the second, and one look to see that it was over.
  EXPECT_LE(sleeps() - before, 2 * 4U);
}

TEST_F(RestingObserver, NamesAStallAfterASilenceWithoutWaitingForItsNextSecond) {
  serve();
  std::int64_t soonest = INT64_MAX;  // of several: the next second may always be near
  for (int i = 0; i < 3; ++i) {
    may_go_ = false;
    wait_until_it_rests();
    RawClient client{port()};
    client.send("GET /block HTTP/1.1\r\nHost: a\r\n\r\n");
    StallRecord seen;
    EXPECT_TRUE(eventually([&] {
      view().stalls([&](const StallRecord& stall) {
        seen = stall;
        return false;
      });
      return seen.running;
    }));
    soonest = std::min(soonest, seen.duration_ns);
    may_go_ = true;
    client.read_for("gone on");
  }
  EXPECT_LT(std::chrono::nanoseconds{soonest}, 400ms);
}

}  // namespace
}  // namespace equinox::testing
