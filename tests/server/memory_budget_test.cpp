// What counts for limits.memory, and how soon.

#include <mutex>
#include <string>
#include <vector>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

/// Takes one piece and waits until somebody lets all of them go on.
class Patient final : public BodySink {
 public:
  struct Waiting {
    std::mutex mutex;
    std::vector<Resumer> resumers;
    bool may_go_on{false};
    void let_go() {
      const std::lock_guard lock{mutex};
      may_go_on = true;
      for (Resumer& each : resumers) each.resume();
    }
  };
  explicit Patient(Waiting& waiting) : waiting_{waiting} {}
  void attach(Resumer resumer) override {
    const std::lock_guard lock{waiting_.mutex};
    waiting_.resumers.push_back(std::move(resumer));
  }
  SinkStatus receive(std::span<const std::byte>) override {
    const std::lock_guard lock{waiting_.mutex};
    return waiting_.may_go_on ? SinkStatus::more : SinkStatus::wait;
  }
  Response finish() override { return Response::text("thanks"); }

 private:
  Waiting& waiting_;
};

std::string frame(char type, char flags, std::uint32_t stream, std::string_view payload) {
  std::string out;
  for (const std::size_t shift : {16U, 8U, 0U}) out += static_cast<char>(payload.size() >> shift);
  out += type;
  out += flags;
  for (const std::uint32_t shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(stream >> shift);
  return out.append(payload);
}

/// POST /sink by HPACK's static table and two literals (RFC 7541 §6).
std::string post_head(std::uint32_t stream) { return frame(1, 4, stream, "\x83\x86\x04\x05/sink\x01\x01\x61"); }

class MemoryBudget : public ServerTest {
 protected:
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    server().post("/", [](const Request&) { return Response::text("thanks"); });
    server().post("/sink", [this](const Request&) { return std::make_unique<Patient>(waiting_); });
    start();
  }
  [[nodiscard]] bool has_room() { return exchange(kGet).starts_with("HTTP/1.1 200 "); }
  [[nodiscard]] bool is_full() { return exchange(kGet).starts_with("HTTP/1.1 503 "); }

  Patient::Waiting waiting_;
};

TEST_F(MemoryBudget, BytesBehindAWaitingHttp2SinkCount) {
  config.limits.memory = 600 * 1024;
  serve();
  RawClient client{port()};
  std::string opening = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, {});
  for (std::uint32_t stream = 1; stream < 24; stream += 2) opening += post_head(stream);
  client.send(opening);
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 12; }));
  std::this_thread::sleep_for(1100ms);  // whatever counts without the bodies is told by now
  EXPECT_TRUE(has_room());
  const std::string piece(16'000, 'x');
  for (int round = 0; round < 4; ++round) {
    for (std::uint32_t stream = 1; stream < 24; stream += 2) client.send(frame(0, round == 3 ? 1 : 0, stream, piece));
  }
  EXPECT_TRUE(eventually([&] { return is_full(); }, 3s));
  waiting_.let_go();
  EXPECT_TRUE(eventually([&] { return has_room(); }));
  EXPECT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 0; }));
}

TEST_F(MemoryBudget, WhatIsAnnouncedButNotSentCostsLittle) {
  config.limits.memory = 2 * 1024 * 1024;
  serve();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nxy");
  }
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 8; }));
  std::this_thread::sleep_for(1100ms);
  EXPECT_TRUE(has_room());
}

TEST_F(MemoryBudget, HeadsCutInTwoCount) {
  config.limits.memory = 512 * 1024;
  config.limits.request_head = 64 * 1024;
  serve();
  ASSERT_TRUE(has_room());
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'y'));
  }
  EXPECT_TRUE(eventually([&] { return is_full(); }, 3s));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return has_room(); }));
}

TEST_F(MemoryBudget, HandshakesThatHaveBegunCount) {
  config.limits.memory = 512 * 1024;
  config.listeners.push_back({.name = "https", .address = "127.0.0.1:0", .tls = TlsConfig{.self_signed = true}});
  serve();
  ASSERT_TRUE(has_room());
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<RawClient>(server().listeners()[1].port));
    clients.back()->send("\x16\x03\x01");  // of a hello
  }
  EXPECT_TRUE(eventually([&] { return is_full(); }, 3s));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return has_room(); }));
}

TEST_F(MemoryBudget, ALargeStepIsToldBeforeTheSecondIsOver) {
  config.limits.memory = 400 * 1024;
  serve();
  ASSERT_TRUE(has_room());
  // Each time within a small part of a second: told by chance alone it would fail nearly always.
  for (int round = 0; round < 5; ++round) {
    RawClient client{port()};
    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, {});
    for (std::uint32_t stream = 1; stream < 100; stream += 2) {
      bytes += post_head(stream) + frame(0, 0, stream, "x") + frame(0, 0, stream, std::string(16'000, 'x'));
    }
    client.send(bytes);
    EXPECT_TRUE(eventually([&] { return is_full(); }, 500ms)) << round;
    client.reset();
    EXPECT_TRUE(eventually([&] { return has_room(); }, 500ms)) << round;
  }
}

TEST_F(MemoryBudget, OneConnectionDoesNotTakeThePlaceOfAllOthers) {
  config.limits.memory = 4 * 1024 * 1024;
  config.limits.request_body = 64 * 1024 * 1024;
  serve();
  RawClient client{port()};
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n" + std::string(3'900'000, 'x'));
  EXPECT_TRUE(client.read_for("HTTP/1.1 503 ").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(has_room());
  client.reset();
  EXPECT_TRUE(eventually([&] { return snapshot().closed(CloseReason::memory_pressure) == 1; }));
}

/// Many small ones get no further than one large one: whoever comes is served, though no body grows any more.
TEST_F(MemoryBudget, BodiesAloneNeverKeepNewcomersOut) {
  config.limits.memory = 4 * 1024 * 1024;
  serve();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<RawClient>(port()));
    clients.back()->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + std::string(60'000, 'x'));
  }
  EXPECT_TRUE(eventually([&] { return snapshot().closed(CloseReason::memory_pressure) > 0; }, 3s));
  std::this_thread::sleep_for(1100ms);  // what is held is told by now
  EXPECT_TRUE(has_room());
}

}  // namespace
}  // namespace equinox::testing
