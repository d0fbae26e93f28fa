#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace equinox::server {

/// What a peer that is behind takes in the time it has for that. The kernel takes more from us in steps of 128 KB and
/// up, between which the socket of a slow reader looks as full as that of one who reads nothing. What was acknowledged
/// meanwhile tells them apart, but not before the peer's own buffers are full: they fill without anybody reading.
/// "Held" is what the kernel was given and the peer has not acknowledged, bytes.
class WriteWindow {
 public:
  [[nodiscard]] bool is_running() const noexcept { return start_ != kNever; }
  /// kNever: not running.
  [[nodiscard]] TimePoint start() const noexcept { return start_; }
  /// Opens one of `length`, or the next; of a peer that has been behind for one the buffers are full.
  void begin(TimePoint now, Duration length, std::uint64_t held) noexcept {
    settles_at_ = is_running() ? kNever : now + std::min(length / 2, kSettling);
    start_ = now;
    given_ = 0;
    hold(held);
  }
  void end() noexcept { start_ = settles_at_ = kNever; }
  /// The kernel took `bytes` more.
  void give(std::uint64_t bytes) noexcept { given_ += bytes; }
  /// When settle() is due; kNever: it was, or is not needed.
  [[nodiscard]] TimePoint settles_at() const noexcept { return settles_at_; }
  /// What is acknowledged counts from now on.
  void settle(std::uint64_t held) noexcept {
    settles_at_ = kNever;
    hold(held);
  }
  /// Bytes that the peer has taken since the start, as far as it can be known: given to the kernel, or acknowledged.
  [[nodiscard]] std::uint64_t taken(std::uint64_t held) const noexcept {
    const std::uint64_t all = held_ + given_ - given_before_;
    return std::max(given_, all - std::min(all, held));
  }
  /// Bytes acknowledged of what was held when the counting began, and of nothing that came later.
  [[nodiscard]] std::uint64_t drained(std::uint64_t held) const noexcept { return held_ - std::min(held_, held); }

 private:
  /// What is under way when the socket is full gets into the peer's buffers in this time.
  static constexpr Duration kSettling = std::chrono::seconds{1};

  void hold(std::uint64_t held) noexcept {
    held_ = held;
    given_before_ = given_;
  }

  TimePoint start_{kNever};
  TimePoint settles_at_{kNever};
  std::uint64_t given_{0};         ///< since the start
  std::uint64_t held_{0};          ///< when the counting began
  std::uint64_t given_before_{0};  ///< of what is given, by then
};

}  // namespace equinox::server
