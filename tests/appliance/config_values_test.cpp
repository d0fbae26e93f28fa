#include "deploy/appliance/config_values.hpp"

#include <gtest/gtest.h>

namespace equinox::appliance {
namespace {

using std::chrono::milliseconds;

TEST(ConfigValues, ReadDurationsWithTheirUnit) {
  const std::pair<const char*, std::int64_t> kRight[] = {{"250ms", 250},    {"60s", 60'000}, {"5m", 300'000},
                                                         {"2h", 7'200'000}, {"1.5s", 1500},  {"0", 0}};
  for (const auto& [text, expected] : kRight) {
    ASSERT_TRUE(parse_duration(text)) << text;
    EXPECT_EQ(parse_duration(text)->count(), expected) << text;
  }
  for (const char* wrong : {"", "60", "s", "-1s", "1e3s", "1 s", "1.s", ".5s", "1.2.3s", "60S", "9999999999h", "1d"}) {
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  }
}

TEST(ConfigValues, ReadSizesInPowersOf1024) {
  const std::pair<const char*, std::uint64_t> kRight[] = {{"0", 0},          {"240", 240},       {"64k", 65536},
                                                          {"16M", 16777216}, {"2G", 2147483648}, {"1.5k", 1536}};
  for (const auto& [text, expected] : kRight) {
    ASSERT_TRUE(parse_size(text)) << text;
    EXPECT_EQ(*parse_size(text), expected) << text;
  }
  for (const char* wrong : {"", "k", "64K", "64kb", "-1", "1e9", "99999999999G"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(ConfigValues, WriteWhatTheyRead) {
  for (const char* text : {"250ms", "60s", "5m", "24h", "90s"}) EXPECT_EQ(format_duration(*parse_duration(text)), text);
  for (const char* text : {"0", "240", "64k", "16M", "2G"}) EXPECT_EQ(format_size(*parse_size(text)), text);
}

TEST(ConfigValues, KnowAddresses) {
  for (const char* right : {"1.2.3.4:80", "[::]:80", ":80", "127.0.0.1:0", "[2001:db8::1]:65535"}) {
    EXPECT_TRUE(parse_listen_address(right)) << right;
  }
  for (const char* wrong : {"", "80", "1.2.3.4", "1.2.3:80", "::1:80", "[::1]", "[1.2.3.4]:80", ":65536", ":-1",
                            "host:80", "[]:80", "1.2.3.4:"}) {
    EXPECT_FALSE(parse_listen_address(wrong)) << wrong;
  }
  EXPECT_TRUE(parse_listen_address("127.0.0.1:1")->is_loopback);
  EXPECT_TRUE(parse_listen_address("[::1]:1")->is_loopback);
  EXPECT_FALSE(parse_listen_address(":1")->is_loopback);
  EXPECT_FALSE(parse_listen_address("0.0.0.0:1")->is_loopback);
  for (const char* any : {":1", "0.0.0.0:1", "[::]:1", "[0:0::0]:1"}) EXPECT_TRUE(parse_listen_address(any)->is_any);
  for (const char* one : {"127.0.0.1:1", "[::1]:1"}) EXPECT_FALSE(parse_listen_address(one)->is_any);
}

TEST(ConfigValues, KnowNetworks) {
  for (const char* right : {"10.0.0.0/8", "::1", "2001:db8::/32", "1.2.3.4/32", "0.0.0.0/0"})
    EXPECT_TRUE(is_network(right));
  for (const char* wrong : {"", "10.0.0.0/33", "10/8", "::/129", "a/8", "1.2.3.4/"}) EXPECT_FALSE(is_network(wrong));
}

TEST(ConfigValues, TakeOnlyNetworksThatTheServerTakes) {
  for (const char* wrong : {"10.0.0.1/8", "::1/64", "::ffff:10.0.0.0/104"}) EXPECT_FALSE(is_network(wrong)) << wrong;
}

TEST(ConfigValues, EndNoAddressAtANul) {
  EXPECT_FALSE(is_network(std::string_view{"10.0.0.0\0/8", 11}));
  EXPECT_FALSE(parse_listen_address(std::string_view{"127.0.0.1\0.evil:80", 18}));
}

TEST(ConfigValues, GuessWhatWasMeant) {
  EXPECT_EQ(nearest("adress", {"name", "address", "tls"}), "address");
  EXPECT_EQ(nearest("timeout", {"limits", "timeouts"}), "timeouts");
  EXPECT_EQ(nearest("zzz", {"tls", "name"}), "");
}

TEST(ListenAddresses, OverlapWhereTheKernelRefusesTheSecond) {
  const auto do_overlap = [](std::string_view one, std::string_view other) {
    const auto first = parse_listen_address(one);
    const auto second = parse_listen_address(other);
    EXPECT_EQ(overlap(*first, *second), overlap(*second, *first)) << one << " " << other;
    return overlap(*first, *second);
  };
  EXPECT_TRUE(do_overlap(":80", ":80"));
  EXPECT_TRUE(do_overlap(":80", "[::]:80"));
  EXPECT_TRUE(do_overlap(":80", "0.0.0.0:80"));
  EXPECT_TRUE(do_overlap(":80", "127.0.0.1:80"));
  EXPECT_TRUE(do_overlap("[::]:80", "0.0.0.0:80")) << "an IPv6 socket of ours takes IPv4 too";
  EXPECT_TRUE(do_overlap("[::]:80", "[::1]:80"));
  EXPECT_TRUE(do_overlap("0.0.0.0:80", "127.0.0.1:80"));
  EXPECT_TRUE(do_overlap("[::1]:80", "[0:0::1]:80"));
  EXPECT_TRUE(do_overlap("127.0.0.1:80", "[::ffff:127.0.0.1]:80"));
  EXPECT_FALSE(do_overlap("0.0.0.0:80", "[::1]:80"));
  EXPECT_FALSE(do_overlap("127.0.0.1:80", "127.0.0.2:80"));
  EXPECT_FALSE(do_overlap("127.0.0.1:80", "127.0.0.1:81"));
  EXPECT_FALSE(do_overlap(":80", ":81"));
  EXPECT_FALSE(do_overlap(":0", ":0"));
}

}  // namespace
}  // namespace equinox::appliance
