#pragma once

#include <cstdint>
#include <string_view>

namespace equinox::http {

enum class Negotiated : std::uint8_t {
  need_more,       ///< every continuation is still possible
  http1,           ///< hand the bytes, from the first, to an Http1Codec (which may refuse them with a status)
  http2_preface,   ///< the 24 octets of RFC 9113 §3.4 are complete; they belong to the Http2Codec too
  wrong_protocol,  ///< not HTTP: close without text
};

inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the first bytes of a cleartext connection speak. Depends on the bytes only, not on how they are cut: once an
/// answer other than need_more is given, more bytes do not change it. At most `kNegotiationMaxBytes` are looked at.
Negotiated negotiate(std::string_view first_bytes) noexcept;
inline constexpr std::size_t kNegotiationMaxBytes = 8 * 1024;

/// After TLS: what the ALPN protocol chosen says (RFC 7301). Empty (no ALPN) is HTTP/1.
Negotiated negotiate_alpn(std::string_view protocol) noexcept;

}  // namespace equinox::http
