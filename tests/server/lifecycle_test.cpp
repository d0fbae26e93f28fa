#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

bool blocks_sigterm() {
  sigset_t mask;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return ::sigismember(&mask, SIGTERM) == 1;
}

class Run : public ServerTest {
 protected:
  /// run() on a thread of its own, as a program's main thread would.
  void run() {
    runner_ = std::thread{[this] {
      status = server().run();
      left_blocked = blocks_sigterm();
      has_returned = true;
    }};
    ASSERT_TRUE(eventually([&] { return server().view().live().ready; }));
  }
  ::testing::AssertionResult returns() {
    if (!eventually([&] { return has_returned.load(); })) {
      ::pthread_kill(runner_.native_handle(), SIGTERM);  // so that the test ends
      runner_.join();
      return ::testing::AssertionFailure() << "run() goes on";
    }
    runner_.join();
    return ::testing::AssertionSuccess();
  }
  std::thread& runner() { return runner_; }

  std::atomic<int> status{-1};
  std::atomic<bool> left_blocked{true};
  std::atomic<bool> has_returned{false};

 private:
  std::thread runner_;
};

TEST_F(Run, ReturnsAfterASignalWithTheMaskAsItWas) {
  make().get("/", [](const Request&) { return Response::text("hello"); });
  run();
  EXPECT_FALSE(has_returned);
  ::pthread_kill(runner().native_handle(), SIGTERM);
  EXPECT_TRUE(returns());
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(left_blocked);
}

TEST_F(Run, ReturnsAfterAStopByAnotherThread) {
  make();
  run();
  std::thread stopper{[this] { server().stop(); }};
  EXPECT_TRUE(returns());
  stopper.join();
  EXPECT_EQ(status, 0);
}

TEST_F(Run, ReturnsAfterADrainByAnotherThread) {
  make();
  run();
  server().drain();
  EXPECT_TRUE(returns());
  EXPECT_EQ(status, 0);
}

TEST_F(Run, GoesOnWhileADrainKeepsItsListeners) {
  make().get("/", [](const Request&) { return Response::text("hello"); });
  run();
  server().drain(true);
  EXPECT_TRUE(server().undrain());
  EXPECT_THAT(exchange(kGet), ::testing::HasSubstr("hello"));
  EXPECT_FALSE(has_returned);
  server().stop();
  EXPECT_TRUE(returns());
}

TEST_F(Run, ReturnsAfterADrainByAHandler) {
  make().get("/", [this](const Request&) {
    server().drain();
    return Response::text("last");
  });
  run();
  EXPECT_THAT(exchange(kGet), ::testing::HasSubstr("last"));
  EXPECT_TRUE(returns());
  EXPECT_EQ(status, 0);
}

TEST_F(Run, ReturnsAfterAStopByAHandler) {
  std::atomic<bool> has_stopped{false};
  make().get("/", [&](const Request&) {
    server().stop();
    has_stopped = true;
    return Response::text("last");
  });
  run();
  exchange(kGet);
  EXPECT_TRUE(returns());
  EXPECT_TRUE(has_stopped) << "stop() has thrown";
  EXPECT_EQ(status, 0);
}

TEST_F(Run, ReturnsAfterAStopByOffloadedWork) {
  std::atomic<bool> has_stopped{false};
  make().get("/", [&](const Request&) {
    offload(server(), [&] {
      server().stop();
      has_stopped = true;
    });
    return Response::text("soon");
  });
  run();
  exchange(kGet);
  EXPECT_TRUE(returns());
  EXPECT_TRUE(eventually([&] { return has_stopped.load(); }));
}

TEST_F(Run, LeavesTheMaskAloneWhenItThrows) {
  const bool before = blocks_sigterm();
  Server& made = make();
  made.get("/a", [](const Request&) { return Response::text("a"); });
  made.get("/a", [](const Request&) { return Response::text("b"); });
  EXPECT_THROW(made.run(), std::invalid_argument);
  EXPECT_EQ(blocks_sigterm(), before);
}

/// Serves a request whose work never ends, and is sent signals until one of them ends the process.
[[noreturn]] void run_with_endless_work(ServerConfig config) {
  ::alarm(20);  // a process that hears no signal must not outlive the test
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Server server{std::move(config)};
  std::atomic<bool> has_begun{false};
  server.get("/", [&](Request, Responder responder) {
    const auto held = std::make_shared<Responder>(std::move(responder));
    server.offload([&has_begun, held] {
      has_begun = true;
      for (;;) ::pause();
    });
  });
  std::thread outside{[&] {
    eventually([&] { return server.view().live().ready; });
    RawClient client{server.port()};
    client.send(kGet);
    eventually([&] { return has_begun.load(); });
    ::kill(::getpid(), SIGTERM);
    eventually([&] { return server.drain_progress().is_draining; });
    ::kill(::getpid(), SIGTERM);
    eventually([&] { return server.view().snapshot().closed(CloseReason::shutdown) == 1; });
    std::fputs("stopped\n", stderr);
    for (;;) {
      ::kill(::getpid(), SIGTERM);
      std::this_thread::yield();
    }
  }};
  static_cast<void>(server.run());
  ::_exit(1);
}

TEST_F(Run, IsEndedByASignalWhileItWaitsForWork) {
  EXPECT_EXIT(run_with_endless_work(config), ::testing::KilledBySignal(SIGTERM), "stopped");
}

class AfterTheStart : public ServerTest {};

// It waits for itself, and whoever ends the server for it.
TEST_F(AfterTheStart, AHandlerCannotWaitForTheEnd) {
  make().get("/", [this](const Request&) {
    server().wait();
    return Response::text("over");
  });
  start();
  EXPECT_TRUE(exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 500 "));
}

TEST_F(AfterTheStart, RoutesAndHooksAreRefused) {
  const SyncHandler page = [](const Request&) { return Response::text("hello"); };
  Server& made = make();
  made.get("/", page);
  made.start();
  EXPECT_THROW(made.get("/late", page), std::logic_error);
  EXPECT_THROW(made.mount("/late", Routes{}), std::logic_error);
  EXPECT_THROW(made.before([](const Request&) { return std::optional<Response>{}; }), std::logic_error);
  EXPECT_THROW(made.after([](const Request&, Response&) {}), std::logic_error);
  EXPECT_THROW(made.not_found(page), std::logic_error);
  EXPECT_THROW(made.method_not_allowed(page), std::logic_error);
  EXPECT_THROW(made.internal_error(page), std::logic_error);
  EXPECT_THROW(made.set_hooks({}), std::logic_error);
}

TEST_F(AfterTheStart, ACopyOfTheRoutesMayGrowAndBeReloaded) {
  const SyncHandler page = [](const Request&) { return Response::text("hello"); };
  Server& made = make();
  made.get("/", page);
  made.start();
  Routes next = made;
  next.get("/late", page);
  made.reload(config, next);
  EXPECT_THAT(exchange("GET /late HTTP/1.1\r\nHost: a\r\n\r\n"), ::testing::HasSubstr("hello"));
  EXPECT_THROW(made.get("/later", page), std::logic_error) << "the server stays closed";
}

}  // namespace
}  // namespace equinox::testing
