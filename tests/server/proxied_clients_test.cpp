// What is recorded and logged of a client that a proxy names, and of proxies that name none.

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/server_fixture.hpp"

namespace equinox::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProxiedClients : public ServerTest {
 protected:
  ProxiedClients() {
    config.log.level = LogLevel::debug;
    config.log.sink = [log = log_](LogLevel, std::string_view text) {
      const std::lock_guard lock{log->mutex};
      log->lines.emplace_back(text);
    };
  }
  void serve() {
    make().get("/", [](const Request&) { return Response::text("hello"); });
    start();
  }
  void expect_proxy_headers() { config.listeners.front().proxy_protocol_from = {"127.0.0.0/8"}; }
  /// The line about the end of a connection, once it is there.
  std::string line_of_close() {
    std::string found;
    static_cast<void>(eventually([&] {
      const std::lock_guard lock{log_->mutex};
      for (const std::string& line : log_->lines) {
        if (line.find("connection closed") != std::string::npos) found = line;
      }
      return !found.empty();
    }));
    return found;
  }

 private:
  /// The server, which ends after this, writes to it.
  struct Log {
    std::mutex mutex;
    std::vector<std::string> lines;
  };
  std::shared_ptr<Log> log_ = std::make_shared<Log>();
};

TEST_F(ProxiedClients, AreInTheLineAboutTheEnd) {
  expect_proxy_headers();
  serve();
  exchange("PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n" + std::string{kGet});
  EXPECT_THAT(line_of_close(), HasSubstr("client=192.0.2.7:4711"));
}

TEST_F(ProxiedClients, AreCutThereWhereAddressesAreToBe) {
  expect_proxy_headers();
  config.redaction.truncate_client_address = true;
  serve();
  exchange("PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n" + std::string{kGet});
  EXPECT_THAT(line_of_close(), HasSubstr("client=192.0.2.0 "));
}

TEST_F(ProxiedClients, AreLeftOutWhereThePeerIsTheClient) {
  serve();
  exchange(kGet);
  EXPECT_THAT(line_of_close(), HasSubstr("peer=127.0.0.1:"));
  EXPECT_THAT(line_of_close(), Not(HasSubstr("client=")));
}

TEST_F(ProxiedClients, OfATrustedProxyAreRecordedWithTheNewestRequest) {
  config.trusted_proxies = {"127.0.0.0/8"};
  serve();
  RawClient proxy{port()};
  const auto recorded = [&](std::string_view fields) {
    proxy.forget();
    proxy.send("GET / HTTP/1.1\r\nHost: a\r\n" + std::string{fields} + "\r\n");
    proxy.read_for("hello");
    EXPECT_TRUE(only_record());
    return only_record()->client();
  };
  const Endpoint itself = Endpoint::v4({127, 0, 0, 1}, proxy.local_port());
  EXPECT_EQ(recorded("X-Forwarded-For: 192.0.2.7\r\n"), Endpoint::v4({192, 0, 2, 7}, 0));
  EXPECT_EQ(recorded("Forwarded: for=\"192.0.2.8:4711\"\r\n"), Endpoint::v4({192, 0, 2, 8}, 4711));
  EXPECT_EQ(recorded(""), itself) << "a request of its own, as a check of health is";
  EXPECT_FALSE(only_record()->cold.client_known);
  EXPECT_EQ(recorded("X-Forwarded-For: 192.0.2.9\r\n"), Endpoint::v4({192, 0, 2, 9}, 0));
  proxy.close();
  EXPECT_THAT(line_of_close(), HasSubstr("client=192.0.2.9 "));
  server().view().closed([&](const ClosedRecord& record) {
    EXPECT_EQ(record.client(), Endpoint::v4({192, 0, 2, 9}, 0));
    EXPECT_EQ(record.peer(), itself);
    return true;
  });
}

TEST_F(ProxiedClients, AreNotRecordedOfWhoIsNotTrusted) {
  config.trusted_proxies = {"10.0.0.0/8"};
  serve();
  RawClient client{port()};
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n");
  client.read_for("hello");
  ASSERT_TRUE(only_record());
  EXPECT_FALSE(only_record()->cold.client_known);
}

TEST_F(ProxiedClients, AreRefusedAndCountedWithoutASoundHeader) {
  expect_proxy_headers();
  serve();
  const auto refused = [&] {
    return snapshot()
        .totals.rejected_requests[index_of(Protocol::unknown)][index_of(RequestRejectReason::wrong_protocol)];
  };
  for (const std::string header : {"", "PROXY TCP4 nonsense\r\n"}) {
    const std::uint64_t before = refused();
    EXPECT_EQ(exchange(header + std::string{kGet}), "");
    EXPECT_TRUE(eventually([&] { return refused() == before + 1; })) << header;
  }
}

}  // namespace
}  // namespace equinox::testing
