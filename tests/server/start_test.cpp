// Starts that fail, are repeated or come too late; what a reload keeps; timeouts that mean "never".

#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <initializer_list>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

std::set<std::string> tasks() {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/task"}) out.insert(entry.path());
  return out;
}

bool blocks(const std::string& task, int signal) {
  std::ifstream status{task + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigBlk:", 0) == 0) return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1U) != 0;
  }
  return false;
}

/// A port that is taken as long as this lives.
class TakenPort {
 public:
  TakenPort() : socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size);
    ::listen(socket_, 1);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  ~TakenPort() { release(); }
  void release() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  std::uint16_t port_{0};
};

class Start : public ServerTest {
 protected:
  Server& make_answering() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    return server();
  }
  std::string answer() { return exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); }
};

/// What start() says of a socket that was handed in.
std::string refusal_of(Server& server) {
  try {
    server.start();
  } catch (const std::system_error& failure) {
    return failure.what();
  }
  return {};
}

TEST_F(Start, SaysWhatIsWrongWithASocketThatWasHandedIn) {
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {  // the second does not listen
    const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    config.listeners.front().inherited = {socket};
    EXPECT_EQ(refusal_of(make_answering()),
              "listener \"http\" cannot be opened on inherited socket, which is not a listening TCP socket: Invalid "
              "argument");
    ::close(socket);
  }
}

TEST_F(Start, ThatFailsLeavesNothingAndMayBeTriedAgain) {
  TakenPort taken;
  config.reactors = 2;
  config.listeners = {{.name = "a", .address = "127.0.0.1:0"}, {.name = "b", .address = taken.address()}};
  make_answering();
  EXPECT_THROW(start(), std::system_error);
  EXPECT_TRUE(server().listeners().empty());
  EXPECT_EQ(server().port(), 0);
  EXPECT_TRUE(server().view().live().listeners.empty());
  taken.release();
  start();
  ASSERT_EQ(server().listeners().size(), 2U);
  EXPECT_EQ(server().listeners()[0].name, "a");
  EXPECT_EQ(server().view().live().listeners.size(), 2U);
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 "));
}

TEST_F(Start, IsRefusedForWhatWouldSilentlyBeLeftOut) {
  for (const std::string& field : {"a\r\nSet-Cookie: b"s, "a\0b"s, "\x01"s, " a"s, "a\t"s}) {
    EXPECT_THROW((Server{{.server_field = field}}), std::invalid_argument) << field;
  }
  for (const std::chrono::seconds wait : {-1s, 61s}) {
    EXPECT_THROW((Server{{.listeners = {{.defer_accept = wait}}}}), std::invalid_argument) << wait.count();
  }
  EXPECT_NO_THROW((Server{{.listeners = {{.defer_accept = 60s}}, .server_field = ""}}));
}

TEST_F(Start, IsNotReachedWithoutTheLogFiles) {
  for (const LogConfig& log :
       {LogConfig{.target = "/no/such/folder/log"}, LogConfig{.target = "off", .access = "/no/such/folder/log"}}) {
    EXPECT_THROW((Server{{.log = log}}), std::system_error);
  }
}

TEST_F(Start, RaisesTheLimitOfDescriptorsOnlyWhenItDecides) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit lowered = before;
  lowered.rlim_cur = before.rlim_max / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  const auto limit_with = [&](std::uint32_t connections) {
    config.limits.connections = connections;
    make();
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    return now.rlim_cur;
  };
  EXPECT_EQ(limit_with(10), lowered.rlim_cur);
  EXPECT_EQ(limit_with(static_cast<std::uint32_t>(std::min<rlim_t>(lowered.rlim_cur, 1'000'000))), before.rlim_max)
      << "so many could not be served";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_EQ(limit_with(0), before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(Start, IsRefusedTwiceAndAfterAStop) {
  make_answering();
  start();
  EXPECT_THROW(start(), std::logic_error);
  make_answering();
  server().stop();
  EXPECT_THROW(start(), std::logic_error) << "nothing could end it any more";
}

TEST_F(Start, MayBeWatchedByOtherThreads) {
  config.reactors = 2;
  make_answering();
  std::atomic<bool> is_over{false};
  std::thread watcher{[&] {
    while (!is_over) {
      const LiveFacts facts = server().view().live();
      EXPECT_LE(facts.listeners.size(), 1U);
      EXPECT_FALSE(server().close(ConnectionId{}));
      EXPECT_FALSE(server().view().inside(ConnectionId{}, 0ms));
    }
  }};
  start();
  EXPECT_TRUE(eventually([&] { return server().view().live().listeners.size() == 1; }));
  is_over = true;
  watcher.join();
}

TEST_F(Start, WantsListenersToldApart) {
  config.listeners = {{.address = "127.0.0.1:0"}, {.address = "127.0.0.1:0"}};
  EXPECT_THROW(make(), std::invalid_argument);
  config.listeners[1].name = "other";
  make().get("/", [](const Request&) { return Response::text("x"); }, {.listener = "nobody"});
  EXPECT_THROW(start(), std::invalid_argument);
}

TEST_F(Start, WantsItsWords) {
  config.log.format = "xml";
  EXPECT_THROW(make(), std::invalid_argument);
}

TEST_F(Start, TakesTheLongestTimeForNever) {
  config.timeouts.idle = config.timeouts.handler = config.timeouts.max_age = std::chrono::milliseconds::max();
  config.drain.timeout = std::chrono::milliseconds::max();
  std::promise<Responder> promise;
  make_answering().get("/later", [&](Request, Responder responder) { promise.set_value(std::move(responder)); });
  start();
  RawClient client{port()};
  client.send(kGet);
  client.read_until([](const std::string& text) { return text.ends_with("hello"); });
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 1; }));
  server().drain();
  ASSERT_TRUE(eventually([&] { return server().view().live().drain == DrainState::draining; }));
  EXPECT_FALSE(server().wait_for(50ms)) << "it waits for the request";
  EXPECT_TRUE(promise.get_future().get().send(Response::text("late")));
  client.read_to_end();
  EXPECT_TRUE(client.received().ends_with("late"));
  EXPECT_TRUE(server().wait_for(std::chrono::milliseconds::max()));
}

// The least of each that was accepted and could not work: memory for 100 GB of history, an HTTP/2 connection that
// answers one request.
TEST_F(Start, RefusesWhatIsOutOfBounds) {
  const ServerConfig fine = config;
  const std::vector<std::function<void(ServerConfig&)>> mistakes{
      [](ServerConfig& wrong) { wrong.limits.output_buffer = 0; },
      [](ServerConfig& wrong) { wrong.limits.output_buffer = 64 * 1024 - 1; },
      [](ServerConfig& wrong) { wrong.limits.connections = 1U << 24U; },
      [](ServerConfig& wrong) { wrong.history.closed = 10'000'001; },
      [](ServerConfig& wrong) { wrong.history.log = 8'000'001; },
      [](ServerConfig& wrong) { wrong.workers.threads = 257; },
      [](ServerConfig& wrong) { wrong.limits.fields = 0; },
      [](ServerConfig& wrong) { wrong.limits.fields = 65'536; },
  };
  for (const auto& make_wrong : mistakes) {
    config = fine;
    make_wrong(config);
    EXPECT_THROW(make(), std::invalid_argument);
  }
}

/// Whoever waits for a signal is the one that gets it, also where it is blocked in that thread alone, and later.
TEST_F(Start, MakesNoThreadThatTakesSignals) {
  config.observe = true;
  make().get("/", [](const Request&) { return Response::text("hello"); });
  const std::set<std::string> before = tasks();
  start();
  int made = 0;
  for (const std::string& task : tasks()) {
    if (before.count(task) != 0) continue;
    ++made;
    // Before it begins a thread blocks all of them, for pthread_create.
    EXPECT_TRUE(eventually([&] { return !blocks(task, SIGSEGV); })) << task << ": a crash handler must run";
    EXPECT_TRUE(blocks(task, SIGTERM)) << task;
  }
  EXPECT_GE(made, 2) << "a reactor and its observer";
}

TEST_F(Start, RefusesNegativeTimes) {
  config.timeouts.linger = -1ms;
  EXPECT_THROW(make(), std::invalid_argument);
  config.timeouts.linger = 1s;
  config.drain.delay = -1ms;
  EXPECT_THROW(make(), std::invalid_argument);
}

class Reloading : public Start {
 protected:
  bool has_id() { return answer().find("X-Request-Id: ") != std::string::npos; }
};

TEST_F(Reloading, OfCertificatesKeepsWhatAnotherHasSet) {
  make_answering();
  start();
  EXPECT_TRUE(has_id());
  config.request_ids = false;
  Routes routes = server();
  server().reload(config, routes);
  EXPECT_TRUE(eventually([&] { return !has_id(); }));
  server().reload_certificates();
  EXPECT_FALSE(has_id());
  EXPECT_FALSE(has_id());
}

TEST_F(Reloading, RefusesByNameWhatNeedsARestart) {
  make_answering();
  start();
  const Routes routes = server();
  const auto refusal_of = [&](const std::function<void(ServerConfig&)>& change) -> std::string {
    ServerConfig next = config;
    next.request_ids = false;
    change(next);
    try {
      server().reload(next, routes);
    } catch (const std::invalid_argument& mistake) {
      return mistake.what();
    }
    return "taken";
  };
  using Change = std::pair<std::string, std::function<void(ServerConfig&)>>;
  for (const auto& [key, change] : std::initializer_list<Change>{
           {"reactors", [](ServerConfig& next) { next.reactors = 2; }},
           {"history.closed", [](ServerConfig& next) { next.history.closed = 17; }},
           {"history.body_sizes", [](ServerConfig& next) { next.history.body_sizes = true; }},
           {"workers.threads", [](ServerConfig& next) { next.workers.threads = 9; }},
           {"log.target", [](ServerConfig& next) { next.log.target = "stdout"; }},
           {"log.access", [](ServerConfig& next) { next.log.access = "-"; }},
           {"log.sink", [](ServerConfig& next) { next.log.sink = [](LogLevel, std::string_view) {}; }},
           {"observe", [](ServerConfig& next) { next.observe = false; }},
           {"server_field", [](ServerConfig& next) { next.server_field = "other"; }},
           {"instance", [](ServerConfig& next) { next.instance = "other"; }},
           {"name", [](ServerConfig& next) { next.name = "other"; }}}) {
    EXPECT_EQ(refusal_of(change), key + ": a change needs a restart");
  }
  EXPECT_EQ(refusal_of([](ServerConfig& next) { next.listeners[0].defer_accept = 1s; }),
            "listener \"http\": name, address, TLS and defer_accept need a restart");
  EXPECT_NE(answer().find("X-Request-Id"), std::string::npos) << "nothing has changed";
  EXPECT_EQ(refusal_of([](ServerConfig& next) { next.listeners[0].h2c = H2c::off; }), "taken");
}

TEST_F(Reloading, OfCertificatesKeepsTheLogLevel) {
  std::atomic<int> lines{0};
  config.log.sink = [&](LogLevel level, std::string_view) { lines += level == LogLevel::debug ? 1 : 0; };
  make_answering();
  start();
  server().set_log_level(LogLevel::debug);
  server().reload_certificates();
  EXPECT_TRUE(answer().starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(eventually([&] { return lines > 0; })) << "the close of a connection is told at this level";
}

// The connection dies in the turn in which the new settings come; its account is settled at the end of that turn.
TEST_F(Reloading, WhileADeadConnectionWaitsForTheEndOfItsTurn) {
  config.observe = false;
  std::promise<void> entered;
  std::promise<void> may_go;
  make_answering().get("/hold", [&, is_free = may_go.get_future().share()](const Request&) {
    entered.set_value();
    is_free.wait();
    return Response::text("held");
  });
  start();
  RawClient leaving{port()};
  leaving.send(kGet);
  leaving.read_until([](const std::string& text) { return text.ends_with("hello"); });
  RawClient holding{port()};
  holding.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  entered.get_future().wait();
  leaving.send(kGet);
  leaving.reset();
  {
    Routes routes = server();
    server().reload(config, routes);
  }
  may_go.set_value();
  holding.read_until([](const std::string& text) { return text.ends_with("held"); });
  EXPECT_TRUE(holding.received().ends_with("held"));
  EXPECT_TRUE(eventually([&] { return snapshot().closed() == 1; }));
}

TEST_F(Start, OffloadedWorkMayAskForTheEndWhileItIsStopped) {
  make();
  start();
  std::promise<void> begun;
  std::atomic<bool> has_seen{false};
  server().offload([&] {
    begun.set_value();
    has_seen = eventually([&] { return server().wait_for(0ms); });
  });
  begun.get_future().wait();
  server().stop();
  EXPECT_TRUE(has_seen);
}

TEST_F(Start, RunEndsOffloadedWorkBeforeItReturns) {
  make();
  std::atomic<bool> is_done{false};
  std::promise<void> begun;
  std::thread stopper{[&] {
    EXPECT_TRUE(eventually([&] { return server().view().live().ready; }));
    server().offload([&] {
      begun.set_value();
      std::this_thread::sleep_for(100ms);
      is_done = true;
    });
    begun.get_future().wait();
    server().drain();
  }};
  EXPECT_EQ(server().run(), 0);
  EXPECT_TRUE(is_done);
  stopper.join();
}

TEST_F(Start, AgeEndsABusyConnectionWithAWord) {
  config.timeouts.max_age = 300ms;
  make_answering();
  start();
  RawClient client{port()};
  std::size_t asked = 0;
  // One request after the other: none may be lost to a connection that is closed without a word.
  while (client.received().find("Connection: close") == std::string::npos) {
    const std::size_t before = client.received().size();
    client.send(kGet);
    ++asked;
    client.read_until([&](const std::string& text) { return text.size() > before && text.ends_with("hello"); });
    ASSERT_GT(client.received().size(), before) << "closed after " << asked << " requests";
  }
  EXPECT_TRUE(closed_once_for(CloseReason::max_age));
}

}  // namespace
}  // namespace equinox::testing
