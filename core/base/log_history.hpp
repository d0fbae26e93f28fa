#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>
#include <memory>
#include <mutex>
#include <vector>

#include "base/log_record.hpp"

namespace equinox {

/// The newest records about connections, for those who ask about one of them. A log's writer thread adds, any other may
/// read; the mutex is shared by these two and never by a producer. Records without a connection are not kept, since
/// nobody could ask for them. Allocated and touched at construction.
class LogHistory {
 public:
  /// What a record takes on average; longer ones make the ring reach less far back.
  static constexpr std::size_t kBytesPerLine = 512;
  /// Memory of a history of so many lines.
  static constexpr std::size_t bytes_for(std::size_t lines) noexcept { return lines * (kBytesPerLine + sizeof(Entry)); }

  /// At most `lines` records and their share of bytes, whichever is reached first; 0: keeps nothing.
  explicit LogHistory(std::size_t lines);

  /// Writer thread.
  void add(const LogRecord& record);

  /// The newest `limit` about one connection, oldest first.
  struct Excerpt {
    std::vector<LogRecord> records;
    bool is_limited{false};  ///< there are older ones in the ring
    /// The oldest record about whatever that is still here, once older ones were forgotten; else the epoch.
    std::chrono::system_clock::time_point forgotten_before{};
  };
  [[nodiscard]] Excerpt about(ConnectionId connection, std::size_t limit) const;

  struct Totals {
    std::uint64_t entries{0};
    std::uint64_t capacity{0};
    std::uint64_t written{0};
  };
  [[nodiscard]] Totals totals() const;

 private:
  struct Entry {
    ConnectionId connection;
    std::uint32_t begin{0};
    std::uint32_t size{0};
  };
  [[nodiscard]] const Entry& entry(std::uint64_t number) const noexcept { return entries_[number % entries_.size()]; }
  [[nodiscard]] LogRecord copy_of(const Entry& entry) const noexcept;
  [[nodiscard]] bool take_room(std::size_t size, std::size_t& begin) noexcept;

  mutable std::mutex mutex_;  ///< guards all below
  std::vector<Entry> entries_;
  std::vector<char> bytes_;
  std::size_t next_{0};       ///< where the next record begins
  std::uint64_t first_{0};    ///< the oldest that is kept, counted over the life of the ring
  std::uint64_t written_{0};  ///< one behind the newest
};

}  // namespace equinox
