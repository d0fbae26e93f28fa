#include "server/connection_table.hpp"

namespace equinox::server {

ConnectionTable::~ConnectionTable() {
  for_each([](Connection& connection) { connection.~Connection(); });
}

std::uint32_t ConnectionTable::take_slot() {
  if (with_room_.empty()) {
    chunks_.emplace_back();
    generations_.resize(generations_.size() + kChunk, 1);  // 0 means "no connection" everywhere
    list(static_cast<std::uint32_t>(chunks_.size() - 1));
  }
  const std::uint32_t number = with_room_.back();
  Chunk& chunk = chunks_[number];
  if (chunk.places == nullptr) chunk.places.reset(new Place[kChunk]);  // not cleared: constructed slot by slot
  const auto slot = static_cast<std::uint32_t>(std::countr_one(chunk.used));
  chunk.used |= std::uint64_t{1} << slot;
  if (~chunk.used == 0) {
    with_room_.pop_back();
    chunk.is_listed = false;
  }
  ++size_;
  return number * kChunk + slot;
}

void ConnectionTable::list(std::uint32_t chunk) {
  if (std::exchange(chunks_[chunk].is_listed, true)) return;
  with_room_.push_back(chunk);
}

void ConnectionTable::erase(ConnectionId id) noexcept {
  Connection* const connection = find(id);
  if (connection == nullptr) return;
  const std::uint32_t index = id.index();
  connection->~Connection();
  // Also after 2^32 uses of one slot the generation is not 0.
  if (++generations_[index] == 0) generations_[index] = 1;
  --size_;
  Chunk& chunk = chunks_[index / kChunk];
  chunk.used &= ~(std::uint64_t{1} << (index % kChunk));
  list(index / kChunk);
  // The chunk that is filled next keeps its memory: a connection that comes and goes alone must not allocate each time.
  if (chunk.used == 0 && with_room_.back() != index / kChunk) chunk.places.reset();
}

}  // namespace equinox::server
