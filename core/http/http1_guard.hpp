#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "http/limits.hpp"

namespace equinox::http {

/// Where the scan of an incomplete head stands; zero for a new head. Offsets count from the first byte of the head.
struct GuardState {
  std::uint32_t scanned{0};     ///< bytes looked at for a line end
  std::uint32_t line_start{0};  ///< first byte of the line being read
  std::uint16_t fields{0};      ///< field lines complete so far
};

/// The request line taken apart: method SP target SP version (RFC 9112 §3).
struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view version;
};

/// Looks for the end of a head, line by line, before any parser sees it: every line ends in CRLF, none starts with
/// white space (obs-fold, RFC 9112 §5.2) or a colon, bounds hold. Never looks at a byte twice, however the head is cut,
/// and what it answers depends only on the bytes, not on the cuts.
/// @param input  from the first byte of the head; the same bytes as before with more behind
/// @return size of the head with its empty line, 0 while it is incomplete
/// @error bad_request_line, method_unknown, version_unsupported, target_too_long, bad_field, head_too_large
Result<std::size_t> scan_head(std::string_view input, GuardState& state, const Limits& limits);

/// Checks a complete request line without its CRLF.
Result<RequestLine> split_request_line(std::string_view line, const Limits& limits);

}  // namespace equinox::http
