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
