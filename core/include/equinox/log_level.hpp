#pragma once

#include <cstdint>

namespace equinox {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

}  // namespace equinox
