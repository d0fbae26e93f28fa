#pragma once

#include <cstddef>
#include <cstdint>

namespace equinox {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };
/// Levels that a line can have: all but `off`.
inline constexpr std::size_t kLogLevels = 4;

}  // namespace equinox
