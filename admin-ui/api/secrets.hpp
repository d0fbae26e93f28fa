#pragma once

#include <string>
#include <string_view>

namespace equinox::admin {

/// Random bytes as lower-case hexadecimal digits. @throws std::runtime_error when the system has none
std::string random_hex(std::size_t bytes);
/// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view text);
/// Takes the same time wherever the two differ.
bool same_secret(std::string_view a, std::string_view b) noexcept;

}  // namespace equinox::admin
