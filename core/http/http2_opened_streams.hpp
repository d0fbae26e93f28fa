#pragma once

#include <array>
#include <cstdint>

#include "http/codec.hpp"

namespace equinox::http {

/// Which of the last few hundred streams a peer has opened, and which it has jumped over: those are closed for good
/// (RFC 9113 §5.1.1).
class Http2OpenedStreams {
 public:
  static constexpr std::uint32_t kKept = 256;

  /// @param stream  odd, above all that were opened before
  void open(StreamId stream) noexcept {
    const std::uint64_t number = stream / 2;
    if (number - next_ >= kKept) {
      opened_.fill(0);
    } else {
      for (; next_ < number; ++next_) word(next_) &= ~bit(next_);
    }
    word(number) |= bit(number);
    next_ = number + 1;
  }
  /// False for those that are too far behind the newest to be remembered.
  [[nodiscard]] bool was_skipped(StreamId stream) const noexcept {
    const std::uint64_t number = stream / 2;
    if (number >= next_ || next_ - number > kKept) return false;
    return (opened_[number % kKept / 64] & bit(number)) == 0;
  }

 private:
  static std::uint64_t bit(std::uint64_t number) noexcept { return std::uint64_t{1} << (number % 64); }
  std::uint64_t& word(std::uint64_t number) noexcept { return opened_[number % kKept / 64]; }

  std::uint64_t next_{0};  ///< number of the stream that is expected: streams are numbered 0 for 1, 1 for 3, …
  std::array<std::uint64_t, kKept / 64> opened_{};
};

}  // namespace equinox::http
