#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "http/limits.hpp"

namespace equinox::http {

/// What a peer may do only so often: everything that costs us work and carries nothing.
enum class BudgetKind : std::uint8_t {
  ping,
  settings,
  priority,  ///< PRIORITY and PRIORITY_UPDATE
  window_update,
  empty,        ///< DATA without content and without END_STREAM, DATA for no open stream, unknown frame types
  tiny_data,    ///< DATA of a few bytes that does not end its message
  tiny_answer,  ///< the same from us, where the peer's window allows no more (CVE-2019-9511)
  reset,        ///< RST_STREAM from the peer (CVE-2023-44487)
  own_reset,    ///< RST_STREAM the peer provokes (CVE-2025-8671)
};
inline constexpr std::size_t kBudgetKinds = 9;

/// The error a connection ends with when that budget is spent.
Errc error_of(BudgetKind kind) noexcept;

/// Token buckets of one connection, one for each kind. Filled by time, and earned back by useful work: what grows with
/// honest traffic (a WINDOW_UPDATE for each piece of a download) must not end a fast peer. A client with large windows
/// takes a download long before its program does, and says so for all of it at once: WINDOW_UPDATE frames are earned
/// beyond the bucket's size.
/// A bucket is topped up only when it runs empty, so that taking a token costs a decrement.
class Http2Budget {
 public:
  Http2Budget(const Limits& limits, TimePoint now) noexcept;

  /// @return false when the budget of this kind is spent.
  [[nodiscard]] bool take(BudgetKind kind, TimePoint now) noexcept {
    Bucket& bucket = buckets_[static_cast<std::size_t>(kind)];
    if (bucket.tokens == 0) refill(kind, now);
    if (bucket.tokens == 0) return false;
    --bucket.tokens;
    return true;
  }
  /// Gives tokens back, never above what the bucket holds.
  void earn(BudgetKind kind, std::uint32_t tokens) noexcept {
    Bucket& bucket = buckets_[static_cast<std::size_t>(kind)];
    const std::uint32_t size = size_of(kind).burst;
    const std::uint32_t most = kind == BudgetKind::window_update && size < kUpdatesMax ? kUpdatesMax : size;
    const std::uint32_t room = most - bucket.tokens;
    bucket.tokens += tokens < room ? tokens : room;
  }
  /// A request was received: each may bring a few frames along with it.
  void earn_request() noexcept {
    earn(BudgetKind::window_update, 4);
    earn(BudgetKind::priority, 2);
  }
  /// `bytes` of DATA content were received.
  void earn_received(std::size_t bytes) noexcept;
  /// `bytes` of DATA were sent in one frame. The peer answers with WINDOW_UPDATE frames, and some ask by a PING how
  /// long it took, to find a size for their windows.
  void earn_sent(std::size_t bytes) noexcept;

 private:
  /// WINDOW_UPDATE frames for the largest window there is (RFC 9113 §6.9.1), 2 GiB, two for each KiB of it.
  static constexpr std::uint32_t kUpdatesMax = 1U << 22U;

  struct Bucket {
    TimePoint filled{};
    std::uint32_t tokens{0};
  };
  struct Size {
    std::uint32_t burst;
    std::uint32_t per_second;
  };
  [[nodiscard]] const Size& size_of(BudgetKind kind) const noexcept {
    return kind == BudgetKind::reset ? reset_ : kind == BudgetKind::own_reset ? own_reset_ : control_;
  }
  void refill(BudgetKind kind, TimePoint now) noexcept;

  Size control_;
  Size reset_;
  Size own_reset_;
  std::array<Bucket, kBudgetKinds> buckets_;
};

}  // namespace equinox::http
