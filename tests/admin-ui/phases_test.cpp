// Where the time of a request goes: each injected delay shows up in its own phase and in no other, over HTTP/1.1 and
// HTTP/2, in the slow log and in the histogram; and the phases of every row add up to its total.

#include <array>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "admin-ui/watched_server.hpp"
#include "http/http2_client.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;
using http::test::Http2Client;
using nlohmann::json;

constexpr auto kDelay = 400ms;
constexpr double kDelaySeconds = 0.4;
/// What may appear in the other phases. A machine that does other things stops a thread now and then: a case is played
/// up to three times, and must be right once; a delay in the wrong place is wrong each time.
constexpr double kElsewhereSeconds = 0.08;
constexpr int kTries = 3;

void wait_long() { std::this_thread::sleep_for(kDelay); }

/// Gives up `wait` at the first bytes and goes on after the delay, or sleeps where it is told to.
class SlowSink final : public BodySink {
 public:
  enum class When { waits, receiving, finishing, never };
  explicit SlowSink(When when) : when_{when} {}
  ~SlowSink() override {
    if (thread_.joinable()) thread_.join();
  }
  void attach(Resumer resumer) override { resumer_ = std::move(resumer); }
  SinkStatus receive(std::span<const std::byte>) override {
    if (has_received_) return SinkStatus::more;
    has_received_ = true;
    if (when_ == When::receiving) wait_long();
    if (when_ != When::waits) return SinkStatus::more;
    thread_ = std::thread{[this] {
      wait_long();
      resumer_.resume();
    }};
    return SinkStatus::wait;
  }
  Response finish() override {
    if (when_ == When::finishing) wait_long();
    return Response::text("taken");
  }
  void abort() noexcept override {}

 private:
  When when_;
  bool has_received_{false};
  Resumer resumer_;
  std::thread thread_;
};

/// An HTTP/2 client on a socket.
class Http2Peer {
 public:
  explicit Http2Peer(std::uint16_t port, int receive_buffer_bytes = 0) : socket_{port, receive_buffer_bytes} {
    socket_.send(client.output());
    take();
    socket_.send(client.output());
  }
  void send(std::string_view bytes) const { socket_.send(bytes); }
  /// Until that stream is answered.
  void finish(std::int32_t stream) {
    while (!client.answer(stream).is_closed) {
      socket_.send(client.output());
      if (!take()) FAIL() << "broken off";
    }
  }
  Http2Client client;

 private:
  bool take() {
    socket_.read_until([](const std::string& all) { return !all.empty(); });
    const bool is_fine = !socket_.received().empty() && client.input(socket_.received());
    socket_.forget();
    return is_fine;
  }
  RawClient socket_;
};

class Phases : public WatchedServerTest {
 protected:
  Phases() { config.history.slow_threshold = 100ms; }
  ~Phases() override {
    for (std::thread& worker : workers_) worker.join();  // a failed case leaves before stop()
  }

  void serve() {
    make().get("/quick", [](const Request&) { return Response::text("quick"); });
    server().post("/quick", [](const Request&) { return Response::text("quick"); });
    server().get("/sleep", [](const Request&) {
      wait_long();
      return Response::text("slept");
    });
    server().get("/later", [this](Request, Responder responder) {
      workers_.emplace_back([responder = std::move(responder)]() mutable {
        wait_long();
        responder.send(Response::text("later"));
      });
    });
    server().get("/large", [](const Request&) { return Response::text(std::string(8'000'000, 'x')); });
    add_sink("/sink", SlowSink::When::never);
    add_sink("/waits", SlowSink::When::waits);
    add_sink("/receives", SlowSink::When::receiving);
    add_sink("/finishes", SlowSink::When::finishing);
    start();
    watch();
  }
  void stop() {
    stop_watching();
    server().stop();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  /// The newest request of that target in the slow log, as the API tells it.
  json slow_row(const std::string& target) {
    json found;
    EXPECT_TRUE(eventually([&] {
      const json page = json::parse(shown("/admin/api/v1/requests/slow?limit=100"));
      for (const json& row : page["rows"]) {
        if (row["target"] == target) {
          found = row;
          return true;
        }
      }
      return false;
    })) << target
        << " is not in the slow log of " << shown("/admin/api/v1/requests/slow?limit=100");
    return found;
  }
  /// The sum of the histogram of a phase, and its count for `phase_count`.
  double metric(const std::string& name, const std::string& phase, const std::string& version) {
    const std::string key =
        "equinox_http_phase_seconds_" + name + "{network_protocol_version=\"" + version + "\",phase=\"" + phase + "\"}";
    const std::string other_way =
        "equinox_http_phase_seconds_" + name + "{phase=\"" + phase + "\",network_protocol_version=\"" + version + "\"}";
    std::istringstream page{shown("/metrics")};
    for (std::string line; std::getline(page, line);) {
      for (const std::string& wanted : {key, other_way}) {
        if (line.starts_with(wanted)) return std::strtod(line.c_str() + wanted.size(), nullptr);
      }
    }
    ADD_FAILURE() << key << " is not exported";
    return 0;
  }

  bool is_reading(ConnectionState state) {
    bool is_so = false;
    server().view().for_each_record([&](const ConnectionRecord& record) {
      is_so = record.hot.state == state;
      return !is_so;
    });
    return is_so;
  }

  /// Plays `injected` until the delay is in `phase` alone; the slow request is the one of `target`.
  template <typename F>
  void expect_only_in(const std::string& phase, const std::string& version, const std::string& target, F injected) {
    for (int left = kTries; left != 0; --left) {
      serve();
      injected();
      if (HasFatalFailure()) return;
      const json row = slow_row(target);
      ASSERT_FALSE(row.is_null());
      const std::string told = row["phases"].dump() + " of " + row["total_seconds"].dump();
      double sum = 0;
      bool is_right = true;
      for (const auto& [name, value] : row["phases"].items()) {
        const double spent = value;
        sum += spent;
        if (name != phase + "_seconds") is_right = is_right && spent < kElsewhereSeconds;
      }
      EXPECT_NEAR(sum, double{row["total_seconds"]}, 1e-6) << told;
      // Never less than what was injected: no noise makes a delay shorter.
      EXPECT_GE(double{row["phases"][phase + "_seconds"]}, kDelaySeconds - 0.01) << told;
      const double observed = metric("sum", phase, version);
      EXPECT_GE(observed, kDelaySeconds - 0.01) << "not in the histogram";
      EXPECT_GE(metric("count", phase, version), 1);
      stop();
      if (HasFailure() || is_right) return;
      if (left == 1) ADD_FAILURE() << "in other phases than " << phase << ", " << kTries << " times: " << told;
    }
  }

  /// Sends the first part, waits until the server is at it, and after the delay sends the rest.
  template <typename Peer>
  void send_in_two(const Peer& peer, std::string_view bytes, std::size_t first, ConnectionState meanwhile) {
    const std::uint64_t before = snapshot().received_bytes();
    peer.send(bytes.substr(0, first));
    ASSERT_TRUE(eventually([&] { return snapshot().received_bytes() >= before + first; }));
    if (meanwhile != ConnectionState::idle) {
      ASSERT_TRUE(eventually([&] { return is_reading(meanwhile); }));
    }
    wait_long();
    peer.send(bytes.substr(first));
  }
  void get_http1(const std::string& target) {
    RawClient client{port()};
    client.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_for("\r\n\r\n");
  }
  void post_http1(const std::string& target) {
    RawClient client{port()};
    client.send("POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    client.read_for("\r\n\r\n");
  }
  void get_http2(const std::string& target) {
    Http2Peer peer{port()};
    peer.finish(peer.client.get(target));
  }
  void post_http2(const std::string& target) {
    Http2Peer peer{port()};
    peer.finish(peer.client.post(target, "body"));
  }

 private:
  void add_sink(const std::string& path, SlowSink::When when) {
    server().post(path, StreamHandler{[when](const Request&) { return std::make_unique<SlowSink>(when); }});
  }
  std::vector<std::thread> workers_;
};

TEST_F(Phases, AHeadThatComesSlowly) {
  expect_only_in("head", "1.1", "/quick", [&] {
    RawClient client{port()};
    send_in_two(client, "GET /quick HTTP/1.1\r\nHost: a\r\nX-More: yes\r\n\r\n", 30, ConnectionState::reading_head);
    client.read_for("quick");
  });
  // After another request, and behind one in the same read: neither is the time of the others.
  expect_only_in("head", "1.1", "/quick", [&] {
    RawClient client{port()};
    client.send("GET /quick?before HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_for("quick");
    client.forget();
    std::this_thread::sleep_for(kDelay / 2);  // between requests there is no phase
    send_in_two(client, "GET /quick?with HTTP/1.1\r\nHost: a\r\n\r\nGET /quick HTTP/1.1\r\nHost: a\r\n\r\n", 60,
                ConnectionState::idle);
    client.read_until([](const std::string& all) { return all.rfind("quick") != all.find("quick"); });
  });
}

TEST_F(Phases, AHeadOfHttp2ThatComesSlowly) {
  expect_only_in("head", "2", "/quick", [&] {
    Http2Peer peer{port()};
    const auto stream = peer.client.get("/quick");
    send_in_two(peer, peer.client.output(), 12, ConnectionState::idle);
    peer.finish(stream);
  });
  expect_only_in("head", "2", "/quick", [&] {  // in two frames: HEADERS without END_HEADERS, then CONTINUATION
    Http2Peer peer{port()};
    const auto stream = peer.client.get("/quick");
    std::string frame = peer.client.output();
    const std::string rest = frame.substr(11);
    std::string continuation{"\0\0\0\x09\x04\0\0\0\x01", 9};
    continuation[2] = static_cast<char>(rest.size());
    frame.resize(11);
    frame[2] = 2;
    frame[4] = static_cast<char>(frame[4] & ~4);
    send_in_two(peer, frame + continuation + rest, frame.size(), ConnectionState::idle);
    peer.finish(stream);
  });
  expect_only_in("head", "2", "/quick", [&] {  // while another stream is answered
    Http2Peer peer{port()};
    const auto other = peer.client.get("/later");
    peer.send(peer.client.output());
    const auto stream = peer.client.get("/quick");
    send_in_two(peer, peer.client.output(), 12, ConnectionState::idle);
    peer.finish(stream);
    peer.finish(other);
  });
}

TEST_F(Phases, ABodyThatComesSlowly) {
  for (const std::string target : {"/quick", "/sink"}) {
    SCOPED_TRACE(target);
    expect_only_in("body", "1.1", target, [&] {
      RawClient client{port()};
      const std::string head = "POST " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
      send_in_two(client, head + "halfothers", head.size() + 4, ConnectionState::reading_body);
      client.read_for("\r\n\r\n");
    });
    expect_only_in("body", "2", target, [&] {
      Http2Peer peer{port()};
      const auto stream = peer.client.post(target, "0123456789");
      const std::string bytes = peer.client.output();
      send_in_two(peer, bytes, bytes.size() - 4, ConnectionState::reading_body);
      peer.finish(stream);
    });
  }
}

/// A complete request behind a handler that blocks the reactor.
TEST_F(Phases, AWaitForTheReactor) {
  expect_only_in("queue", "1.1", "/quick", [&] {
    RawClient client{port()};
    client.send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\nGET /quick HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_for("quick");
  });
  expect_only_in("queue", "1.1", "/quick", [&] {
    RawClient client{port()};
    client.send(
        "GET /sleep HTTP/1.1\r\nHost: a\r\n\r\nPOST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody");
    client.read_for("quick");
  });
  for (const bool has_body : {false, true}) {
    SCOPED_TRACE(has_body ? "with a body" : "without a body");
    expect_only_in("queue", "2", "/quick", [&] {
      Http2Peer peer{port()};
      peer.client.get("/sleep");
      const std::string sleeper = peer.client.output();
      const auto stream = has_body ? peer.client.post("/quick", "body") : peer.client.get("/quick");
      peer.send(sleeper + peer.client.output());
      peer.finish(stream);
    });
  }
  // The one that is waited for is not in the queue itself.
  expect_only_in("handler", "1.1", "/sleep", [&] {
    RawClient client{port()};
    client.send("GET /sleep HTTP/1.1\r\nHost: a\r\n\r\nGET /quick HTTP/1.1\r\nHost: a\r\n\r\n");
    client.read_for("quick");
  });
}

TEST_F(Phases, AHandlerThatTakesItsTime) {
  for (const std::string target : {"/sleep", "/later"}) {
    SCOPED_TRACE(target);
    expect_only_in("handler", "1.1", target, [&] { get_http1(target); });
    expect_only_in("handler", "2", target, [&] { get_http2(target); });
  }
  for (const std::string target : {"/waits", "/receives", "/finishes"}) {
    SCOPED_TRACE(target);
    expect_only_in("handler", "1.1", target, [&] { post_http1(target); });
    expect_only_in("handler", "2", target, [&] { post_http2(target); });
  }
}

TEST_F(Phases, AnAnswerThatIsReadSlowly) {
  expect_only_in("write", "1.1", "/large", [&] {
    RawClient client{port(), 4096};
    client.send("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return is_reading(ConnectionState::writing); }));
    wait_long();
    client.read_to_end();
  });
  expect_only_in("write", "2", "/large", [&] {
    Http2Peer peer{port()};
    const auto stream = peer.client.get("/large");
    peer.send(peer.client.output());
    ASSERT_TRUE(eventually([&] { return is_reading(ConnectionState::writing); }));
    wait_long();
    peer.finish(stream);
  });
}

}  // namespace
}  // namespace equinox::testing
