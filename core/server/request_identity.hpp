#pragma once

#include <array>
#include <cstdint>
#include <equinox/request.hpp>
#include <span>
#include <string_view>

namespace equinox::server {

/// The fields that name a request, found in one pass.
struct IdentityFields {
  std::string_view request_id;   ///< X-Request-Id
  std::string_view traceparent;  ///< W3C Trace Context §3.2
};
IdentityFields identity_fields(std::span<const Field> fields) noexcept;

/// 1–64 characters of A–Z a–z 0–9 . _ : / + = -; anything else is replaced by a made one.
bool is_acceptable_request_id(std::string_view text) noexcept;

/// Writes `prefix` (16 hexadecimal digits) and the number in hexadecimal; the count of characters.
std::uint8_t make_request_id(std::array<char, 64>& into, std::string_view prefix, std::uint64_t number) noexcept;

/// The trace-id of a valid traceparent (32 lower-case hexadecimal digits, not all zero), else empty.
std::string_view trace_id_of(std::string_view traceparent) noexcept;

}  // namespace equinox::server
