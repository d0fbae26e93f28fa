#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <equinox/ids.hpp>
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

/// X-Request-Id in the text of a whole HTTP/1 head whose fields are sound; empty: it is not there.
std::string_view request_id_in(std::string_view head) noexcept;

/// 1–64 characters of A–Z a–z 0–9 . _ : / + = -; anything else is replaced by a made one.
bool is_acceptable_request_id(std::string_view text) noexcept;

/// Makes request ids of 16 letters and digits: seven that differ in every process, two for the reactor, then a number
/// of seven. The next id is kept as text and counted up in place, like the dial of a meter. The digits stand in the
/// order of ASCII and the width is fixed: those of one reactor of one process sort as they were made, and nothing
/// follows from the order of others. Short, because HPACK looks at each octet of a new value.
class RequestIds {
 public:
  static constexpr std::size_t kSize = 16;

  /// @param process  a random number
  RequestIds(std::uint64_t process, ReactorIndex reactor) noexcept;
  /// Writes kSize characters.
  void make(char* into) noexcept {
    std::memcpy(into, next_.data(), kSize);
    advance();
  }

 private:
  static constexpr std::size_t kProcessDigits = 7;
  static constexpr std::size_t kReactorDigits = 2;
  static constexpr std::size_t kPrefixDigits = kProcessDigits + kReactorDigits;
  void advance() noexcept;
  std::array<char, kSize> next_;
};

/// The trace-id of a valid traceparent (32 lower-case hexadecimal digits, not all zero), else empty.
std::string_view trace_id_of(std::string_view traceparent) noexcept;

}  // namespace equinox::server
