#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>

namespace equinox::server {

/// What a reactor's poller gives back for what is no connection: ids of generation 0.
inline constexpr std::uint64_t kMailToken = 0;
constexpr std::uint64_t token_of_listener(std::size_t which) noexcept {
  return ConnectionId{static_cast<std::uint32_t>(which) + 1, 0}.packed();
}
inline constexpr std::uint32_t kRefusalBit = 0x8000'0000U;
constexpr std::uint64_t token_of_refusal(std::uint32_t slot) noexcept {
  return ConnectionId{slot | kRefusalBit, 0}.packed();
}

}  // namespace equinox::server
