#include "http/negotiate.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/proxy_protocol.hpp"

namespace equinox::http {
namespace {

struct NegotiationCase {
  std::string name;
  std::string wire;
  Negotiated expected;
};

class Negotiation : public testing::TestWithParam<NegotiationCase> {};

TEST_P(Negotiation, DecidesOnTheFirstBytes) { EXPECT_EQ(negotiate(GetParam().wire), GetParam().expected); }

TEST_P(Negotiation, NeverChangesItsMindByteByByte) {
  const std::string_view wire = GetParam().wire;
  for (std::size_t size = 0; size < wire.size(); ++size) {
    const Negotiated early = negotiate(wire.substr(0, size));
    if (early != Negotiated::need_more) {
      EXPECT_EQ(early, GetParam().expected) << "after " << size;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    FirstBytes, Negotiation,
    testing::Values(
        NegotiationCase{"Nothing", "", Negotiated::need_more},
        NegotiationCase{"HalfMethod", "GE", Negotiated::need_more},
        NegotiationCase{"Method", "GET ", Negotiated::http1}, NegotiationCase{"Patch", "PATCH /", Negotiated::http1},
        NegotiationCase{"Preface", std::string{kHttp2Preface}, Negotiated::http2_preface},
        NegotiationCase{"PrefaceAndFrame", std::string{kHttp2Preface} + "xyz", Negotiated::http2_preface},
        NegotiationCase{"HalfPreface", "PRI * HTTP/2.0\r\n", Negotiated::need_more},
        NegotiationCase{"WrongPreface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", Negotiated::http1},
        NegotiationCase{"InvalidPreface", "INVALID CONNECTION PREFACE\r\n\r\n", Negotiated::wrong_protocol},
        NegotiationCase{"UnknownMethod", "BREW /pot HTTP/1.1\r\n", Negotiated::http1},
        NegotiationCase{"UnknownText", "hello world\r\n", Negotiated::wrong_protocol},
        NegotiationCase{"UnknownTextYetOpen", "hello world", Negotiated::need_more},
        NegotiationCase{"EmptyLineFirst", "\r\nGET / HTTP/1.1\r\n", Negotiated::http1},
        NegotiationCase{"TwoEmptyLinesFirst", "\r\n\r\nGET / HTTP/1.1\r\n", Negotiated::http1},
        NegotiationCase{"HalfProxyVersion2", "\r\n\r\n", Negotiated::need_more},
        NegotiationCase{"ProxyVersion2", std::string{kProxySignature2} + "!", Negotiated::wrong_protocol},
        NegotiationCase{"TlsRecord", std::string{"\x16\x03\x01\x02\x00", 5}, Negotiated::wrong_protocol},
        NegotiationCase{"LfFirst", "\nGET / HTTP/1.1\r\n", Negotiated::http1},
        NegotiationCase{"SpaceFirst", " GET / HTTP/1.1\r\n", Negotiated::http1},
        NegotiationCase{"LongTarget", "ACL /" + std::string(9000, 'a') + " HTTP/1.1\r\n", Negotiated::http1},
        NegotiationCase{"EndlessLine", std::string(9000, 'a') + " HTTP/1.1\r\n", Negotiated::wrong_protocol}),
    [](const auto& test) { return test.param.name; });

TEST(Alpn, DecidesOnTls) {
  EXPECT_EQ(negotiate_alpn("h2"), Negotiated::http2_preface);
  EXPECT_EQ(negotiate_alpn("http/1.1"), Negotiated::http1);
  EXPECT_EQ(negotiate_alpn(""), Negotiated::http1);
  EXPECT_EQ(negotiate_alpn("spdy/3"), Negotiated::wrong_protocol);
}

}  // namespace
}  // namespace equinox::http
