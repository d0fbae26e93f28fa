#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/log_record.hpp"

namespace equinox {

/// Bounded bytes between one producer thread and the writer thread; wait-free. Records lie contiguous, each behind its
/// length.
class LogRing {
 public:
  /// Rounded up to a power of two, at least 4 KiB.
  explicit LogRing(std::size_t bytes);

  /// Producer. False when there is no room.
  bool push(const LogRecord& record) noexcept;
  /// Writer. False when empty.
  bool pop(LogRecord& record) noexcept;
  /// Writer. Sequentially consistent, so that it can be paired with a flag that the producer reads after push().
  [[nodiscard]] bool is_empty() const noexcept { return read_.load() == written_.load(); }

  /// The producer is gone: once empty, the ring can be forgotten.
  void abandon() noexcept { is_abandoned_.store(true, std::memory_order_release); }
  [[nodiscard]] bool is_abandoned() const noexcept { return is_abandoned_.load(std::memory_order_acquire); }

  /// A record for pop() to fill.
  static LogRecord blank() noexcept { return LogRecord{}; }

 private:
  [[nodiscard]] std::size_t room_behind(std::uint64_t position) const noexcept;

  std::size_t capacity_;
  std::unique_ptr<char[]> bytes_;
  alignas(64) std::atomic<std::uint64_t> written_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
  std::atomic<bool> is_abandoned_{false};
};

}  // namespace equinox
