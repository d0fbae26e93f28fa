#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>

#include "net/system_faults.hpp"
#include "net/tls_fixture.hpp"

namespace equinox::net {
namespace {

// The alert of a peer is a number above 1000 in OpenSSL's queue, and so is a failure of its own.
TEST(TlsFaults, OfOpenSslAreNoAlertsOfThePeer) {
  const auto context = load({.self_signed = true});
  const Error no_memory{Errc::out_of_memory, ENOMEM};
  SystemFaults faults;
  faults->ssl_new = [](SSL_CTX*) -> SSL* { return nullptr; };
  TlsPair unmade{context};
  EXPECT_FALSE(unmade.shake_hands());
  EXPECT_EQ(unmade.result.error, no_memory);
  syscalls() = real_syscalls();

  TlsPair broken{context};
  faults->ssl_do_handshake = [](SSL*) {
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    return -1;
  };
  EXPECT_FALSE(broken.shake_hands());
  EXPECT_EQ(broken.result.error, no_memory);
  syscalls() = real_syscalls();

  TlsPair pair{context};
  ASSERT_TRUE(pair.shake_hands());
  faults->ssl_read_ex = [](SSL*, void*, std::size_t, std::size_t*) {
    ERR_raise(ERR_LIB_SYS, EIO);
    return 0;
  };
  std::array<std::byte, 16> into;
  EXPECT_EQ(pair.server->read(into).error, (Error{Errc::system, EIO}));

  TlsPair other{context};
  ASSERT_TRUE(other.shake_hands());
  faults->ssl_write_ex = [](SSL*, const void*, std::size_t, std::size_t*) {
    ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    return 0;
  };
  EgressBatch batch;
  batch.append("x");
  EXPECT_EQ(other.server->write(batch).error, no_memory);
}

}  // namespace
}  // namespace equinox::net
