#pragma once

#include <array>
#include <cstddef>
#include <string_view>

/// What a tokens file may hold. The program that checks one before it serves goes by the same rules, without the rest.
namespace equinox::admin {

/// The names of the roles, each may what the one before it may.
inline constexpr std::array<std::string_view, 3> kRoles{"viewer", "operator", "admin"};
inline constexpr std::size_t kMostTokens = 1000;

/// 64 hexadecimal digits in lower case.
constexpr bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace equinox::admin
