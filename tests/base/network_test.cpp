#include "base/network.hpp"

#include <gtest/gtest.h>

namespace equinox {
namespace {

struct NetworkCase {
  const char* network;
  const char* address;
  bool contains;
};

class NetworkMembership : public testing::TestWithParam<NetworkCase> {};

TEST_P(NetworkMembership, IsDecidedByThePrefix) {
  const auto network = Network::parse(GetParam().network);
  ASSERT_TRUE(network);
  EXPECT_EQ(network->contains(*parse_host(GetParam().address)), GetParam().contains)
      << GetParam().network << " " << GetParam().address;
}

INSTANTIATE_TEST_SUITE_P(
    Networks, NetworkMembership,
    testing::Values(NetworkCase{"10.0.0.0/8", "10.255.255.255", true}, NetworkCase{"10.0.0.0/8", "11.0.0.0", false},
                    NetworkCase{"192.168.4.0/22", "192.168.7.255", true},
                    NetworkCase{"192.168.4.0/22", "192.168.8.0", false},
                    NetworkCase{"192.168.4.1", "192.168.4.1", true}, NetworkCase{"192.168.4.1", "192.168.4.0", false},
                    NetworkCase{"0.0.0.0/0", "8.8.8.8", true}, NetworkCase{"0.0.0.0/0", "::1", false},
                    NetworkCase{"::/0", "2001:db8::1", true}, NetworkCase{"::/0", "8.8.8.8", false},
                    NetworkCase{"2001:db8::/33", "2001:db8:7fff::", true},
                    NetworkCase{"2001:db8::/33", "2001:db8:8000::", false}, NetworkCase{"::1", "::1", true},
                    NetworkCase{"::1", "::2", false}));

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
}  // namespace equinox
