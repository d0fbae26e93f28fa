#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "server/connection.hpp"

namespace equinox::server {

/// Slots and generations: a stale id finds nothing. Connections stand in chunks of slots, so that one costs its own
/// size and no allocator's header; a chunk that has become empty goes back. One reactor's connections; its thread only.
class ConnectionTable {
 public:
  static constexpr std::uint32_t kChunk = 64;  ///< slots; one bit each in Chunk::used

  explicit ConnectionTable(ReactorIndex reactor) noexcept : reactor_{reactor} {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;
  ~ConnectionTable();

  /// Constructs a connection in a free slot, of the chunk that was used last; it is told its id.
  template <typename Transport>
  Connection& emplace(Connection::Origin origin, Transport&& transport, Lending& lent) {
    const std::uint32_t index = take_slot();
    origin.id = ConnectionId::make(reactor_, index, generations_[index]);
    return *new (place(index)) Connection{origin, std::forward<Transport>(transport), lent};
  }
  [[nodiscard]] Connection* find(ConnectionId id) const noexcept {
    const std::uint32_t index = id.index();
    if (id.reactor() != reactor_ || index >= generations_.size() || generations_[index] != id.generation) {
      return nullptr;
    }
    return &at(index);
  }
  void erase(ConnectionId id) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  template <typename F>
  void for_each(F&& visit) {
    for (std::size_t c = 0; c < chunks_.size(); ++c) {
      // A copy: a visitor may end connections, but nothing is added meanwhile.
      for (std::uint64_t used = chunks_[c].used; used != 0; used &= used - 1) {
        visit(at(static_cast<std::uint32_t>(c * kChunk) + static_cast<std::uint32_t>(std::countr_zero(used))));
      }
    }
  }

 private:
  struct Place {
    alignas(Connection) std::byte bytes[sizeof(Connection)];
  };
  struct Chunk {
    std::unique_ptr<Place[]> places;  ///< none while no slot is used
    std::uint64_t used{0};
    bool is_listed{false};  ///< in with_room_
  };

  [[nodiscard]] std::uint32_t take_slot();
  [[nodiscard]] void* place(std::uint32_t index) const noexcept {
    return chunks_[index / kChunk].places[index % kChunk].bytes;
  }
  [[nodiscard]] Connection& at(std::uint32_t index) const noexcept {
    return *std::launder(static_cast<Connection*>(place(index)));
  }
  void list(std::uint32_t chunk);

  ReactorIndex reactor_;
  std::vector<Chunk> chunks_;
  /// Of a used slot: its connection's. Of a free slot: one that was never given out, so that no id fits.
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> with_room_;  ///< chunks with a free slot, most recently used last
  std::size_t size_{0};
};

}  // namespace equinox::server
