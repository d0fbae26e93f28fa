#include "net/socket_address.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

namespace equinox::net {
namespace {

class AddressText : public testing::TestWithParam<const char*> {};

TEST_P(AddressText, IsPrintedAsItWasRead) {
  const auto address = SocketAddress::parse(GetParam());
  ASSERT_TRUE(address);
  EXPECT_EQ(to_string(*address), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Addresses, AddressText,
                         testing::Values("1.2.3.4:80", "0.0.0.0:0", "[::]:80", "[::1]:65535", "[2001:db8::1]:443",
                                         ":80"));

class NoAddress : public testing::TestWithParam<const char*> {};

TEST_P(NoAddress, IsRefused) {
  const auto address = SocketAddress::parse(GetParam());
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().code, Errc::address_invalid);
}

INSTANTIATE_TEST_SUITE_P(Texts, NoAddress,
                         testing::Values("", ":", "80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1",
                                         "1.2.3.4:+1", "1.2.3.4:8 0", "1.2.3:80", "256.0.0.1:80", "::1:80", "[::1]",
                                         "[::1:80", "::1]:80", "[]:80", "[1.2.3.4]:80", "localhost:80",
                                         "[::1%no-such-interface]:80", " 1.2.3.4:80", "1.2.3.4:80 ", "1.2.3.4:0x50"));

TEST(SocketAddressValue, SurvivesTheKernelsForm) {
  for (const char* text : {"1.2.3.4:80", "[2001:db8::1]:443"}) {
    const auto address = SocketAddress::parse(text);
    ASSERT_TRUE(address);
    sockaddr_storage storage{};
    const socklen_t length = address->to_sockaddr(storage);
    const auto back = SocketAddress::from_sockaddr(storage, length);
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, *address);
    EXPECT_EQ(endpoint_from_sockaddr(storage), address->endpoint());
    EXPECT_EQ(SocketAddress::from_endpoint(address->endpoint()), *address);
    EXPECT_FALSE(SocketAddress::from_sockaddr(storage, 4));
  }
}

TEST(SocketAddressValue, TreatsMappedPeersAsIpv4) {
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  mapped.sin6_port = htons(7);
  mapped.sin6_addr = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}}};
  sockaddr_storage storage{};
  std::memcpy(&storage, &mapped, sizeof mapped);
  EXPECT_EQ(to_string(endpoint_from_sockaddr(storage)), "192.0.2.1:7");
}

TEST(SocketAddressValue, KnowsLoopback) {
  EXPECT_TRUE(SocketAddress::parse("127.8.9.1:1")->is_loopback());
  EXPECT_TRUE(SocketAddress::parse("[::1]:1")->is_loopback());
  for (const char* text : {"128.0.0.1:1", "0.0.0.0:1", "[::]:1", ":1", "[::2]:1"}) {
    EXPECT_FALSE(SocketAddress::parse(text)->is_loopback()) << text;
  }
}

}  // namespace
}  // namespace equinox::net
