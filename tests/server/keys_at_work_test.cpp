// What single keys of the configuration do to connections, where no other test is about it.

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using namespace std::chrono_literals;

class KeysAtWork : public ServerTest {};

/// Answers are made no faster than they are taken.
TEST_F(KeysAtWork, OutputBufferBoundsWhatAPipelineFills) {
  config.limits.output_buffer = 200'000;
  make().get("/", [](const Request&) { return Response::text(std::string(100'000, 'x')); });
  start();
  RawClient client{port(), 16 * 1024};
  std::string pipeline;
  for (int i = 0; i < 100; ++i) pipeline += kGet;
  client.send(pipeline);
  ASSERT_TRUE(eventually([&] { return only_record() && only_record()->hot.state == ConnectionState::writing; }));
  std::uint64_t most = 0;
  client.read_until(
      [&](const std::string& all) {
        if (const auto record = only_record()) most = std::max<std::uint64_t>(most, record->hot.pending_bytes);
        return all.size() > 100 * 100'000;
      },
      60s);
  EXPECT_GT(client.received().size(), 100U * 100'000U);
  EXPECT_LE(most, 200'000U + 110'000U) << "one answer beyond it";
}

TEST_F(KeysAtWork, TrustedProxiesNameTheClient) {
  config.trusted_proxies = {"127.0.0.0/8", "10.0.0.0/8"};
  make().get("/", [](const Request& request) { return Response::text(to_string(request.context().client)); });
  start();
  const auto client_of = [&](const std::string& fields) {
    const std::string answer = exchange("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    const std::string text = answer.substr(answer.find("\r\n\r\n") + 4);
    return text.substr(0, text.rfind(':'));
  };
  EXPECT_EQ(client_of(""), "127.0.0.1");
  EXPECT_EQ(client_of("X-Forwarded-For: 192.0.2.7\r\n"), "192.0.2.7");
  EXPECT_EQ(client_of("X-Forwarded-For: 203.0.113.9, 192.0.2.7, 10.1.1.1\r\n"), "192.0.2.7") << "the last untrusted";
  config.trusted_proxies = {};
  Routes routes = server();
  server().reload(config, routes);
  EXPECT_TRUE(eventually([&] { return client_of("X-Forwarded-For: 192.0.2.7\r\n") == "127.0.0.1"; }));
}

}  // namespace
}  // namespace equinox::testing
