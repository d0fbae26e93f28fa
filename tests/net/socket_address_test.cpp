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

struct NetworkCase {
  const char* network;
  const char* address;
  bool contains;
};

class NetworkMembership : public testing::TestWithParam<NetworkCase> {};

TEST_P(NetworkMembership, IsDecidedByThePrefix) {
  const auto network = Network::parse(GetParam().network);
  ASSERT_TRUE(network);
  EXPECT_EQ(network->contains(SocketAddress::parse(GetParam().address)->endpoint()), GetParam().contains)
      << GetParam().network << " " << GetParam().address;
}

INSTANTIATE_TEST_SUITE_P(
    Networks, NetworkMembership,
    testing::Values(NetworkCase{"10.0.0.0/8", "10.255.255.255:1", true}, NetworkCase{"10.0.0.0/8", "11.0.0.0:1", false},
                    NetworkCase{"192.168.4.0/22", "192.168.7.255:1", true},
                    NetworkCase{"192.168.4.0/22", "192.168.8.0:1", false},
                    NetworkCase{"192.168.4.1", "192.168.4.1:9", true},
                    NetworkCase{"192.168.4.1", "192.168.4.0:9", false}, NetworkCase{"0.0.0.0/0", "8.8.8.8:1", true},
                    NetworkCase{"0.0.0.0/0", "[::1]:1", false}, NetworkCase{"::/0", "[2001:db8::1]:1", true},
                    NetworkCase{"::/0", "8.8.8.8:1", false}, NetworkCase{"2001:db8::/33", "[2001:db8:7fff::]:1", true},
                    NetworkCase{"2001:db8::/33", "[2001:db8:8000::]:1", false}, NetworkCase{"::1", "[::1]:1", true},
                    NetworkCase{"::1", "[::2]:1", false}));

TEST(NetworkText, IsStrict) {
  for (const char* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.1/8", "::1/64",
                           "2001:db8::/129", "a/8", "::ffff:10.0.0.0/104", "10.0.0.0/8 "}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1/128"}) {
    EXPECT_EQ(to_string(*Network::parse(text)), text);
  }
  EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains(Endpoint{})) << "an unknown peer is in no network";
}

}  // namespace
}  // namespace equinox::net
