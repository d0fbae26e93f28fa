#pragma once

#include <cstdint>

namespace equinox::http {

/// HTTP/2 error codes used here (RFC 9113 §7).
enum H2Error : std::uint32_t {
  kH2NoError = 0x0,
  kH2ProtocolError = 0x1,
  kH2InternalError = 0x2,
  kH2StreamClosed = 0x5,
  kH2FrameSizeError = 0x6,
  kH2RefusedStream = 0x7,
  kH2Cancel = 0x8,
  kH2EnhanceYourCalm = 0xb,
};

}  // namespace equinox::http
