#include "http/forwarded.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace equinox::http {
namespace {

Endpoint address(std::string_view text) { return parse_node(text); }

TEST(Network, ContainsItsAddresses) {
  const auto ten = Network::parse("10.0.0.0/8");
  ASSERT_TRUE(ten);
  EXPECT_TRUE(ten->contains(address("10.255.0.1")));
  EXPECT_FALSE(ten->contains(address("11.0.0.1")));
  EXPECT_FALSE(ten->contains(Endpoint{}));
  const auto six = Network::parse("2001:db8::/33");
  ASSERT_TRUE(six);
  EXPECT_TRUE(six->contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(six->contains(address("2001:db8:8000::1")));
  EXPECT_TRUE(Network::parse("192.0.2.1")->contains(address("192.0.2.1")));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(address("8.8.8.8")));
  EXPECT_FALSE(Network::parse("0.0.0.0/0")->contains(address("::1")));
}

TEST(Network, IsRefusedWhenItIsNone) {
  for (const std::string_view text : {"", "a", "10.0.0.0/33", "10.0.0.1/8", "::/129", "10.0.0.0/", "10.0.0.0/x"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

struct ClientCase {
  std::string name;
  std::vector<Field> fields;
  std::string client;
};

class ClientOf : public testing::TestWithParam<ClientCase> {};

TEST_P(ClientOf, IsTheLastAddressThatIsNoTrustedProxy) {
  const std::vector<Network> trusted{*Network::parse("10.0.0.0/8"), *Network::parse("fd00::/8")};
  EXPECT_EQ(host_to_string(client_of(GetParam().fields, address("10.0.0.1"), trusted)), GetParam().client);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc7239, ClientOf,
    testing::Values(ClientCase{"NothingSaid", {}, "10.0.0.1"},
                    ClientCase{"One", {{"X-Forwarded-For", "192.0.2.7"}}, "192.0.2.7"},
                    ClientCase{"Spoofed", {{"X-Forwarded-For", "1.1.1.1, 192.0.2.7, 10.0.0.9"}}, "192.0.2.7"},
                    ClientCase{"AllTrusted", {{"X-Forwarded-For", "10.0.0.8, 10.0.0.9"}}, "10.0.0.8"},
                    ClientCase{
                        "TwoFields", {{"x-forwarded-for", "192.0.2.7"}, {"x-forwarded-for", "10.0.0.9"}}, "192.0.2.7"},
                    ClientCase{"Unreadable", {{"X-Forwarded-For", "192.0.2.7, unknown, 10.0.0.9"}}, "10.0.0.9"},
                    ClientCase{"Standard", {{"Forwarded", "for=192.0.2.7;proto=https;by=10.0.0.2"}}, "192.0.2.7"},
                    ClientCase{"StandardIpv6", {{"Forwarded", "For=\"[2001:db8::17]:4711\""}}, "2001:db8::17"},
                    ClientCase{"StandardFirst",
                               {{"X-Forwarded-For", "1.1.1.1"}, {"Forwarded", "for=192.0.2.7, for=10.0.0.3"}},
                               "192.0.2.7"},
                    ClientCase{"StandardHidden", {{"Forwarded", "for=_secret"}}, "10.0.0.1"}),
    [](const auto& test) { return test.param.name; });

TEST(ClientOf, IsThePeerWhenThePeerIsNotTrusted) {
  const std::vector<Network> trusted{*Network::parse("10.0.0.0/8")};
  const std::vector<Field> fields{{"X-Forwarded-For", "1.1.1.1"}};
  EXPECT_EQ(host_to_string(client_of(fields, address("192.0.2.1"), trusted)), "192.0.2.1");
  EXPECT_EQ(host_to_string(client_of(fields, address("192.0.2.1"), {})), "192.0.2.1");
}

TEST(Node, MayHaveAPort) {
  EXPECT_EQ(to_string(parse_node("192.0.2.1:80")), "192.0.2.1:80");
  EXPECT_EQ(to_string(parse_node("[::1]:80")), "[::1]:80");
  EXPECT_EQ(to_string(parse_node("::1")), "[::1]:0");
  for (const std::string_view text : {"", "unknown", "_x", "[::1", "[::1]x", "1.2.3", "1.2.3.4.5"}) {
    EXPECT_FALSE(parse_node(text).is_known) << text;
  }
}

}  // namespace
}  // namespace equinox::http
