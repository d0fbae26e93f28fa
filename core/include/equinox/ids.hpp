#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace equinox {

/// Number of a reactor within its server, 0-based. At most 255 reactors.
using ReactorIndex = std::uint8_t;

/// A stream of a connection: the HTTP/2 stream identifier (RFC 9113 §5.1.1), in HTTP/1 the number of the request on
/// its connection, counted from 1. 0 is no stream.
using StreamId = std::uint32_t;

/// Names one connection for as long as the process lives: a slot of the owning reactor's table and the generation of
/// that slot. A stale id finds nothing. The slot's top 8 bits are the reactor's index.
struct ConnectionId {
  std::uint32_t slot{0};
  std::uint32_t generation{0};  ///< 0: no connection

  static constexpr std::uint32_t kSlotBits = 24;
  static constexpr ConnectionId make(ReactorIndex reactor, std::uint32_t index, std::uint32_t generation) noexcept {
    return {(static_cast<std::uint32_t>(reactor) << kSlotBits) | index, generation};
  }
  [[nodiscard]] constexpr ReactorIndex reactor() const noexcept { return static_cast<ReactorIndex>(slot >> kSlotBits); }
  [[nodiscard]] constexpr std::uint32_t index() const noexcept { return slot & ((1U << kSlotBits) - 1U); }
  [[nodiscard]] constexpr std::uint64_t packed() const noexcept {
    return (static_cast<std::uint64_t>(slot) << 32U) | generation;
  }
  static constexpr ConnectionId unpack(std::uint64_t bits) noexcept {
    return {static_cast<std::uint32_t>(bits >> 32U), static_cast<std::uint32_t>(bits)};
  }
  constexpr bool operator==(const ConnectionId&) const = default;
  explicit constexpr operator bool() const noexcept { return generation != 0; }
};

/// The id as people see it: "reactor-slot-generation", slot in hexadecimal: "3-1f3a-7". Opaque outside the process.
std::string to_string(ConnectionId id);
/// Reads what to_string wrote; a ConnectionId of generation 0 when the text is not one.
ConnectionId parse_connection_id(std::string_view text) noexcept;

}  // namespace equinox
