#pragma once

#include <array>
#include <cstdint>
#include <equinox/request.hpp>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace equinox::http {

/// The authority that was found valid last. Most heads name the same one, and comparing costs a quarter of looking at
/// each octet again.
class KnownAuthority {
 public:
  [[nodiscard]] bool is_valid(std::string_view authority) noexcept;

 private:
  std::array<char, 64> text_;
  std::uint8_t size_{0};
};

/// Gives the fields of an HTTP/1 head their meaning: framing (RFC 9112 §6.3), Host (§3.2), Connection (§9.3), Expect
/// (RFC 9110 §10.1.1), Upgrade. Expects method, version, target and fields in `head`, fills the rest. Anything that
/// could be read two ways is an error.
/// `upgrades_to_h2c` is set for requests that ask for it at all; h2c_settings() tells whether they ask exactly.
Result<void> interpret_head(RequestHead& head, std::string& scratch, KnownAuthority& known);

}  // namespace equinox::http
