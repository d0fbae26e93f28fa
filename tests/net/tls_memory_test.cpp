// What TLS holds for a peer, and what of it is counted.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>

#include "net/sockets.hpp"
#include "net/tls_fixture.hpp"
#include "net/tls_transport.hpp"

namespace equinox::net {
namespace {

class TlsHandshakeBytes : public testing::Test {
 protected:
  TlsHandshakeBytes() {
    auto [ours, theirs] = socket_pair();
    server_ = std::make_unique<TlsTransport>(std::move(ours), context_, &counted_);
    client_ = std::make_unique<TlsClient>(std::move(theirs), ClientOptions{});
  }

  std::shared_ptr<const TlsContext> context_ = load({.self_signed = true});
  std::uint64_t counted_{7};  // others'
  std::unique_ptr<TlsTransport> server_;
  std::unique_ptr<TlsClient> client_;
};

TEST_F(TlsHandshakeBytes, CountFromTheFirstByteToTheEndOfTheHandshake) {
  const std::size_t silent = server_->memory_bytes();
  EXPECT_EQ(server_->handshake().status, IoStatus::would_block);
  EXPECT_EQ(counted_, 7U) << "a silent peer";
  static_cast<void>(client_->handshake());
  EXPECT_EQ(server_->handshake().status, IoStatus::would_block);
  EXPECT_EQ(server_->handshake().status, IoStatus::would_block);
  EXPECT_EQ(counted_, 7 + TlsTransport::kHandshakeBytes) << "once";
  EXPECT_GE(server_->memory_bytes(), silent + TlsTransport::kHandshakeBytes);
  ASSERT_EQ(client_->handshake(), 1);
  EXPECT_EQ(server_->handshake().status, IoStatus::ok);
  EXPECT_EQ(counted_, 7U);
  EXPECT_LT(server_->memory_bytes(), silent + TlsTransport::kHandshakeBytes);
  server_.reset();
  EXPECT_EQ(counted_, 7U) << "not taken off again";
}

TEST_F(TlsHandshakeBytes, AreTakenOffWithAConnectionThatDiesMeanwhile) {
  ASSERT_EQ(::send(client_->descriptor(), "\x16\x03\x01", 3, 0), 3);
  EXPECT_EQ(server_->handshake().status, IoStatus::would_block);
  EXPECT_EQ(counted_, 7 + TlsTransport::kHandshakeBytes);
  server_.reset();
  EXPECT_EQ(counted_, 7U);
}

TEST_F(TlsHandshakeBytes, AreTakenOffWithAHandshakeThatFails) {
  ASSERT_EQ(::send(client_->descriptor(), "GET / HTTP/1.1\r\n", 16, 0), 16);
  EXPECT_EQ(server_->handshake().status, IoStatus::failed);
  server_.reset();
  EXPECT_EQ(counted_, 7U);
}

TEST(TlsSessions, AreKeptByClientsInTicketsOnly) {
  const auto context = load({.self_signed = true});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPair pair{context, {.max_version = version}};
    SSL_set_options(pair.client->native(), SSL_OP_NO_TICKET);
    ASSERT_TRUE(pair.shake_hands());
    EXPECT_EQ(SSL_CTX_sess_number(context->native()), 0);
  }
}

}  // namespace
}  // namespace equinox::net
