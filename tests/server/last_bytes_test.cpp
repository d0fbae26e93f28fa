// Nothing of an answer is lost because its peer went on sending behind its request (RFC 9112 §9.6): a socket closed
// with unread bytes is reset, and what the kernel still held for the peer is gone.

#include <equinox/body.hpp>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBodyBytes = 8'000'000;
constexpr std::string_view kLastRequest = "GET /made HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/// Made while it is sent, so that nothing of the peer's is read meanwhile.
class MadeBody final : public BodySource {
 public:
  PullResult pull(std::span<char> into) override {
    const std::size_t count = std::min(into.size(), left_);
    std::fill_n(into.begin(), count, 'm');
    left_ -= count;
    return {left_ == 0 ? PullStatus::end : PullStatus::bytes, count};
  }
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return kBodyBytes; }

 private:
  std::size_t left_{kBodyBytes};
};

class LastBytes : public ServerTest {
 protected:
  void serve() {
    make().get("/made", [](const Request&) { return Response::stream(std::make_unique<MadeBody>(), "text/plain"); });
    server().get("/late", [](Request, Responder responder) { kept_.emplace_back(std::move(responder)); });
    start();
  }
  ~LastBytes() override { kept_.clear(); }
  /// Reads slowly, and no further than until all of the answer is the kernel's: the rest waits there for a small
  /// window.
  void read_until_all_is_sent(RawClient& client) {
    client.read_until([&](const std::string&) {
      std::this_thread::sleep_for(200us);  // for 16 KB, so that the server is ahead
      return snapshot().requests_finished() == 1;
    });
    ASSERT_EQ(snapshot().requests_finished(), 1U);
  }
  static std::size_t body_bytes(const RawClient& client) {
    const std::size_t end = client.received().find("\r\n\r\n");
    return end == std::string::npos ? 0 : client.received().size() - end - 4;
  }

 private:
  static inline std::vector<Responder> kept_;
};

TEST_F(LastBytes, ArriveThoughARequestBehindThemIsUnread) {
  serve();
  RawClient client{port(), 16 * 1024};
  client.send(kLastRequest);
  client.read_until([](const std::string& all) { return all.size() > 1000; });
  client.send(kGet);  // nobody will read it
  read_until_all_is_sent(client);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(body_bytes(client), kBodyBytes);
  EXPECT_TRUE(closed_once_for(CloseReason::client_connection_close));
}

TEST_F(LastBytes, ArriveThoughARequestComesWhenTheyAreSent) {
  serve();
  RawClient client{port(), 16 * 1024};
  client.send(kLastRequest);
  read_until_all_is_sent(client);
  client.send(kGet);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(body_bytes(client), kBodyBytes);
  EXPECT_TRUE(closed_once_for(CloseReason::client_connection_close));
}

TEST_F(LastBytes, ArriveInADrain) {
  config.drain.delay = 20s;  // in which all is served, and each answer is its connection's last
  serve();
  server().drain();
  ASSERT_TRUE(eventually([&] { return server().view().live().drain != DrainState::none; }));
  RawClient client{port(), 16 * 1024};
  client.send("GET /made HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until([](const std::string& all) { return all.size() > 1000; });
  client.send(kGet);
  read_until_all_is_sent(client);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(body_bytes(client), kBodyBytes);
}

TEST_F(LastBytes, AreNotWaitedForByAnAdministratorWhoCloses) {
  config.timeouts.linger = 30s;
  serve();
  RawClient client{port(), 16 * 1024};
  client.send("GET /made HTTP/1.1\r\nHost: a\r\n\r\n");
  read_until_all_is_sent(client);
  const auto record = only_record();
  ASSERT_TRUE(record);
  EXPECT_TRUE(server().close(record->id, CloseReason::admin_close));
  EXPECT_TRUE(closed_once_for(CloseReason::admin_close));  // within 10 s
}

TEST_F(LastBytes, OfAHandlerThatTookTooLong) {
  config.timeouts.handler = 100ms;
  serve();
  RawClient client{port()};
  client.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return snapshot().requests_in_flight() == 1; }));
  client.send(kGet);
  EXPECT_TRUE(client.read_to_end());
  EXPECT_FALSE(client.was_reset());
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 503 ")) << client.received();
  EXPECT_TRUE(closed_once_for(CloseReason::handler_timeout));
}

}  // namespace
}  // namespace equinox::testing
