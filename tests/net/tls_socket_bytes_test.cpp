// What passes the socket below TLS is counted there: records, handshakes, alerts.

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "net/tls_fixture.hpp"
#include "net/tls_transport.hpp"

namespace equinox::net {
namespace {

/// What the client's own socket has seen, from the server's side.
SocketBytes of_client(const TlsClient& client) {
  return {BIO_number_written(SSL_get_wbio(client.native())), BIO_number_read(SSL_get_rbio(client.native()))};
}

class TlsSocketBytes : public testing::TestWithParam<int> {
 protected:
  SocketBytes take() {
    const SocketBytes taken = pair_.server->take_socket_bytes();
    all_.received += taken.received;
    all_.sent += taken.sent;
    return taken;
  }
  void expect_all_counted() const {
    EXPECT_EQ(all_.received, of_client(*pair_.client).received);
    EXPECT_EQ(all_.sent, of_client(*pair_.client).sent);
  }
  IoResult read() {
    std::vector<std::byte> chunk(4096);
    return pair_.server->read(chunk);
  }

  TlsPair pair_{load({.self_signed = true}), {.min_version = GetParam(), .max_version = GetParam()}};
  SocketBytes all_;
};

TEST_P(TlsSocketBytes, AreThoseTheClientMeasures) {
  ASSERT_TRUE(pair_.shake_hands());
  static_cast<void>(pair_.client->read());  // tickets
  take();
  EXPECT_GT(all_.received, 200U) << "a hello at least";
  EXPECT_GT(all_.sent, 300U);
  expect_all_counted();
  EXPECT_EQ(take().received, 0U) << "told once";

  ASSERT_TRUE(pair_.client->write("hello"));
  EXPECT_EQ(read().bytes, 5U);
  EXPECT_GT(take().received, 5U + 16U) << "the record, not what it carries";
  EgressBatch batch;
  batch.append(std::string(20'000, 'x'));
  EXPECT_EQ(pair_.server->write(batch).status, IoStatus::ok);
  EXPECT_EQ(pair_.client->read().size(), 20'000U);
  EXPECT_GT(take().sent, 20'000U);

  pair_.client->close_notify();
  EXPECT_EQ(read().status, IoStatus::closed);
  pair_.server->shutdown_send();
  static_cast<void>(pair_.client->read());
  EXPECT_GT(take().sent, 0U) << "close_notify";
  expect_all_counted();
}

INSTANTIATE_TEST_SUITE_P(Both, TlsSocketBytes, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& test) { return test.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST(TlsSocketBytesOfAFailure, AreTheHelloAndTheAlert) {
  TlsPair pair{load({.self_signed = true, .min_version = TlsVersion::v1_3}), {.max_version = TLS1_2_VERSION}};
  EXPECT_FALSE(pair.shake_hands());
  const SocketBytes moved = pair.server->take_socket_bytes();
  EXPECT_GT(moved.received, 100U);
  EXPECT_EQ(moved.sent, 7U) << "an alert: five octets of header, two of content";
}

}  // namespace
}  // namespace equinox::net
