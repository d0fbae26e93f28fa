// limits.connections_per_client where a load balancer names the client.

#include <string>
#include <vector>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

std::string named(const std::string& client) { return "PROXY TCP4 " + client + " 192.0.2.1 4711 80\r\n"; }

class ClientLimit : public ServerTest {
 protected:
  void serve(std::uint32_t most) {
    config.limits.connections_per_client = most;
    config.listeners.front().proxy_protocol_from = {"127.0.0.0/8"};
    make().get("/", [](const Request&) { return Response::text("hello"); });
    start();
  }
  /// The answer to one request of this client; the connection stays open.
  std::string ask(const std::string& header) {
    clients_.push_back(std::make_unique<RawClient>(port()));
    clients_.back()->send(header + std::string{kGet});
    return std::string{clients_.back()->read_for("\r\n\r\n")};
  }
  [[nodiscard]] bool serves(const std::string& client) { return ask(named(client)).starts_with("HTTP/1.1 200 "); }

  std::vector<std::unique_ptr<RawClient>> clients_;
};

TEST_F(ClientLimit, CountsTheClientAndNotTheBalancer) {
  serve(2);
  for (const char* client : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) {
    EXPECT_TRUE(serves(client));
    EXPECT_TRUE(serves(client));
  }
  const std::string refused = ask(named("10.0.0.1"));
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503 ")) << refused;
  EXPECT_NE(refused.find("Retry-After: "), std::string::npos);
  EXPECT_TRUE(eventually([&] { return closed(CloseReason::connection_limit) == 1; }));
}

TEST_F(ClientLimit, DoesNotCountABalancerThatSpeaksForItself) {
  serve(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask("PROXY UNKNOWN\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_F(ClientLimit, IsLeftOnceByEachConnection) {
  serve(1);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(serves("10.0.0.1")) << round;
    EXPECT_FALSE(serves("10.0.0.1")) << "who was refused has taken nobody's place";
    EXPECT_FALSE(serves("10.0.0.1"));
    clients_.clear();
    ASSERT_TRUE(eventually([&] { return snapshot().connections() == 0; }));
  }
}

TEST_F(ClientLimit, ClosesWhatDoesNotSpeakHttp1WithoutAnAnswer) {
  serve(1);
  ASSERT_TRUE(serves("10.0.0.1"));
  RawClient client{port()};
  client.send(named("10.0.0.1") + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_EQ(client.received(), "");
}

}  // namespace
}  // namespace equinox::testing
