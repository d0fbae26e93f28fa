#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace equinox::http::test {

/// Bytes on the wire, and what must come of them.
struct WireCase {
  std::string name;
  std::string section;  ///< of RFC 9112 unless another is named
  std::string wire;
  std::optional<Errc> refusal;  ///< nothing: every request in it is served
};

/// At least 150 cases; built once.
std::span<const WireCase> wire_cases();

}  // namespace equinox::http::test
