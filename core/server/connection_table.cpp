#include "server/connection_table.hpp"

#include "server/connection.hpp"

namespace equinox::server {

ConnectionTable::~ConnectionTable() = default;

ConnectionId ConnectionTable::reserve() {
  std::uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  // Generation 0 means "no connection" everywhere, also after 2^32 uses of one slot.
  if (++slots_[index].generation == 0) slots_[index].generation = 1;
  return ConnectionId::make(reactor_, index, slots_[index].generation);
}

void ConnectionTable::cancel(ConnectionId id) { free_.push_back(id.index()); }

Connection& ConnectionTable::insert(ConnectionId id, std::unique_ptr<Connection> connection) {
  Slot& slot = slots_[id.index()];
  slot.connection = std::move(connection);
  ++size_;
  return *slot.connection;
}

void ConnectionTable::erase(ConnectionId id) noexcept {
  if (find(id) == nullptr) return;
  slots_[id.index()].connection.reset();
  free_.push_back(id.index());
  --size_;
}

}  // namespace equinox::server
