#include "http/proxy_protocol.hpp"

#include <gtest/gtest.h>

#include <string>

namespace equinox::http {
namespace {

using namespace std::string_literals;

const std::string kV2 = "\r\n\r\n\0\r\nQUIT\n"s;

std::string version_2(char command, char family, std::string block) {
  return kV2 + command + family + static_cast<char>(block.size() >> 8U) + static_cast<char>(block.size() & 0xffU) +
         block;
}

struct ProxyCase {
  std::string name;
  std::string wire;
  ProxyStatus status;
  std::string source;  ///< as text, when complete and not local
};

class ProxyProtocol : public testing::TestWithParam<ProxyCase> {};

TEST_P(ProxyProtocol, NamesTheClient) {
  const ProxyHeader header =
      parse_proxy_header(GetParam().wire + (GetParam().status == ProxyStatus::complete ? "GET" : ""));
  ASSERT_EQ(header.status, GetParam().status);
  if (header.status != ProxyStatus::complete) return;
  EXPECT_EQ(header.size, GetParam().wire.size());
  EXPECT_EQ(header.is_local, GetParam().source.empty());
  if (!header.is_local) {
    EXPECT_EQ(to_string(header.source), GetParam().source);
  }
}

TEST_P(ProxyProtocol, AnswersTheSameByteByByte) {
  for (std::size_t size = 0; size < GetParam().wire.size(); ++size) {
    const ProxyStatus early = parse_proxy_header(std::string_view{GetParam().wire}.substr(0, size)).status;
    EXPECT_TRUE(early == ProxyStatus::need_more || early == GetParam().status) << size;
    EXPECT_NE(early, ProxyStatus::complete) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Headers, ProxyProtocol,
    testing::Values(
        ProxyCase{"Tcp4", "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", ProxyStatus::complete, "192.0.2.1:56324"},
        ProxyCase{"Tcp6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", ProxyStatus::complete, "[2001:db8::1]:1"},
        ProxyCase{"Unknown", "PROXY UNKNOWN whatever\r\n", ProxyStatus::complete, ""},
        ProxyCase{"Cut", "PROXY TCP4 192.0.2.1", ProxyStatus::need_more, ""},
        ProxyCase{"BadPort", "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n", ProxyStatus::malformed, ""},
        ProxyCase{"BadAddress", "PROXY TCP4 192.0.2.256 198.51.100.2 1 443\r\n", ProxyStatus::malformed, ""},
        ProxyCase{"NulBehindAddress", "PROXY TCP4 192.0.2.1\0x 198.51.100.2 1 443\r\n"s, ProxyStatus::malformed, ""},
        ProxyCase{"NulBehindAddress6", "PROXY TCP6 ::1 ::2\0 1 443\r\n"s, ProxyStatus::malformed, ""},
        ProxyCase{"WrongFamily", "PROXY TCP4 ::1 ::2 1 443\r\n", ProxyStatus::malformed, ""},
        ProxyCase{"OneMore", "PROXY TCP4 192.0.2.1 198.51.100.2 1 443 x\r\n", ProxyStatus::malformed, ""},
        ProxyCase{"TooLong", "PROXY UNKNOWN " + std::string(100, 'x'), ProxyStatus::malformed, ""},
        ProxyCase{"NoProxy", "GET / HTTP/1.1\r\n", ProxyStatus::malformed, ""},
        ProxyCase{"V2Tcp4", version_2('\x21', '\x11', "\xc0\0\2\1\xc6\x33\x64\2\x30\x39\1\xbb"s), ProxyStatus::complete,
                  "192.0.2.1:12345"},
        ProxyCase{"V2WithTlv", version_2('\x21', '\x11', "\xc0\0\2\1\xc6\x33\x64\2\x30\x39\1\xbb\4\0\1x"s),
                  ProxyStatus::complete, "192.0.2.1:12345"},
        ProxyCase{"V2Tcp6",
                  version_2('\x21', '\x21',
                            "\x20\1\xd\xb8"s + std::string(11, '\0') + "\1"s + std::string(16, '\0') + "\0\1\0\2"s),
                  ProxyStatus::complete, "[2001:db8::1]:1"},
        ProxyCase{"V2Local", version_2('\x20', '\0', ""), ProxyStatus::complete, ""},
        ProxyCase{"V2Unix", version_2('\x21', '\x31', std::string(216, 'p')), ProxyStatus::complete, ""},
        ProxyCase{"V2TooShort", version_2('\x21', '\x11', "\xc0\0\2\1"s), ProxyStatus::malformed, ""},
        ProxyCase{"V2BadCommand", version_2('\x22', '\x11', std::string(12, '\0')), ProxyStatus::malformed, ""},
        ProxyCase{"V2BadVersion", version_2('\x11', '\x11', std::string(12, '\0')), ProxyStatus::malformed, ""},
        ProxyCase{"V2Huge", kV2 + "\x21\x11\xff\xff"s, ProxyStatus::malformed, ""}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace equinox::http
