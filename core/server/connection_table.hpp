#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>
#include <memory>
#include <utility>
#include <vector>

namespace equinox::server {

class Connection;

/// Slots and generations: a stale id finds nothing. One reactor's connections; its thread only.
class ConnectionTable {
 public:
  explicit ConnectionTable(ReactorIndex reactor) noexcept : reactor_{reactor} {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;
  ~ConnectionTable();

  /// The id the next insert() gives out. Most recently freed slots first: their memory is warm.
  ConnectionId reserve();
  /// Gives a reserved slot back unused.
  void cancel(ConnectionId id);
  Connection& insert(ConnectionId id, std::unique_ptr<Connection> connection);
  [[nodiscard]] Connection* find(ConnectionId id) const noexcept {
    const std::uint32_t index = id.index();
    if (id.reactor() != reactor_ || index >= slots_.size() || slots_[index].generation != id.generation) return nullptr;
    return slots_[index].connection.get();
  }
  void erase(ConnectionId id) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

  template <typename F>
  void for_each(F&& visit) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].connection != nullptr) visit(*slots_[i].connection);
    }
  }

 private:
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation{0};
  };
  ReactorIndex reactor_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_{0};
};

}  // namespace equinox::server
