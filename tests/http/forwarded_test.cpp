#include "http/forwarded.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace equinox::http {
namespace {

Endpoint address(std::string_view text) { return parse_node(text); }

TEST(ClientOf, IsThePeerWhenThePeerIsNotTrusted) {
  const std::vector<Network> trusted{*Network::parse("10.0.0.0/8")};
  const std::vector<Field> fields{{"X-Forwarded-For", "1.1.1.1"}};
  EXPECT_EQ(host_to_string(client_of(fields, address("192.0.2.1"), trusted)), "192.0.2.1");
  EXPECT_EQ(host_to_string(client_of(fields, address("192.0.2.1"), {})), "192.0.2.1");
}

std::string client(std::vector<Field> fields) {
  const std::vector<Network> trusted{*Network::parse("10.0.0.0/8")};
  return host_to_string(client_of(fields, address("10.0.0.1"), trusted));
}

TEST(ClientOf, IsWhatTheTrustedProxyHasAppended) {
  EXPECT_EQ(client({{"X-Forwarded-For", "6.6.6.6, 203.0.113.9"}}), "203.0.113.9");
  EXPECT_EQ(client({{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "203.0.113.9,, 10.1.1.1"}}), "203.0.113.9");
  EXPECT_EQ(client({{"Forwarded", "for=6.6.6.6, for=\"[2001:db8::1]:4711\";proto=http"}}), "2001:db8::1");
  EXPECT_EQ(client({{"Forwarded", "by=\"a,\\\"b\";for=203.0.113.9"}}), "203.0.113.9");
}

/// Else a client could make the server take what it has written itself for the proxy's word.
TEST(ClientOf, IsNotMovedByAQuoteOfTheClients) {
  EXPECT_EQ(client({{"X-Forwarded-For", "\", 203.0.113.9"}}), "203.0.113.9");
  EXPECT_EQ(client({{"X-Forwarded-For", "6.6.6.6:\"x, 203.0.113.9"}}), "203.0.113.9");
  EXPECT_EQ(client({{"X-Forwarded-For", "6.6.6.6:\"x"}}), "10.0.0.1");
  for (const std::string_view list :
       {"for=6.6.6.6;x=\", for=203.0.113.9", "for=6.6.6.6;x=\"\\\", for=203.0.113.9",
        "for=6.6.6.6;x=\", for=\"[2001:db8::1]\"", "for=6.6.6.6;x=\"\\, for=\"[2001:db8::1]\""}) {
    EXPECT_EQ(client({{"Forwarded", list}}), "10.0.0.1") << list;
  }
  EXPECT_EQ(client({{"Forwarded", "for=6.6.6.6;x=\""}, {"Forwarded", "for=203.0.113.9"}}), "10.0.0.1");
}

TEST(ClientOf, IsThePeerWhereTheTwoFieldsDisagree) {
  EXPECT_EQ(client({{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "203.0.113.9"}}), "10.0.0.1");
  EXPECT_EQ(client({{"Forwarded", "for=\"203.0.113.9:1\""}, {"X-Forwarded-For", "203.0.113.9"}}), "203.0.113.9");
}

TEST(Node, MayHaveAPort) {
  EXPECT_EQ(to_string(parse_node("192.0.2.1:80")), "192.0.2.1:80");
  EXPECT_EQ(to_string(parse_node("[::1]:80")), "[::1]:80");
  EXPECT_EQ(to_string(parse_node("::1")), "[::1]:0");
  EXPECT_EQ(to_string(parse_node("192.0.2.1:_hidden")), "192.0.2.1:0");
  for (const std::string_view text : {"", "unknown", "_x", "[::1", "[::1]x", "1.2.3", "1.2.3.4.5",
                                      "192.0.2.1:", "192.0.2.1:99999", "192.0.2.1:\"x", "[::1]:x", "192.0.2.1:_"}) {
    EXPECT_FALSE(parse_node(text).is_known) << text;
  }
}

}  // namespace
}  // namespace equinox::http
