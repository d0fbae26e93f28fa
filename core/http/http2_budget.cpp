#include "http/http2_budget.hpp"

#include <algorithm>

namespace equinox::http {
namespace {

constexpr std::size_t kBytesPerToken = 1024;

}  // namespace

Errc error_of(BudgetKind kind) noexcept {
  switch (kind) {
    case BudgetKind::ping: return Errc::h2_flood_ping;
    case BudgetKind::settings: return Errc::h2_flood_settings;
    case BudgetKind::priority: return Errc::h2_flood_priority;
    case BudgetKind::window_update: return Errc::h2_flood_window_update;
    case BudgetKind::empty: return Errc::h2_flood_empty;
    case BudgetKind::tiny_data:
    case BudgetKind::tiny_answer: return Errc::h2_flood_data_tiny;
    case BudgetKind::reset: return Errc::h2_rapid_reset;
    case BudgetKind::own_reset: return Errc::h2_own_resets;
  }
  return Errc::h2_protocol;
}

Http2Budget::Http2Budget(const Limits& limits, TimePoint now) noexcept
    : control_{limits.h2_control_burst, limits.h2_control_per_second},
      reset_{limits.h2_reset_burst, limits.h2_reset_per_second},
      own_reset_{limits.h2_own_reset_burst, limits.h2_own_reset_per_second} {
  for (std::size_t i = 0; i < kBudgetKinds; ++i) buckets_[i] = {now, size_of(static_cast<BudgetKind>(i)).burst};
}

void Http2Budget::refill(BudgetKind kind, TimePoint now) noexcept {
  Bucket& bucket = buckets_[static_cast<std::size_t>(kind)];
  const Size& size = size_of(kind);
  if (now <= bucket.filled || size.per_second == 0) return;
  const auto elapsed = now - bucket.filled;
  const Duration per_token{std::chrono::nanoseconds{std::chrono::seconds{1}} / size.per_second};
  const auto due = static_cast<std::uint64_t>(elapsed / per_token);
  if (due == 0) return;
  bucket.tokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(size.burst, bucket.tokens + due));
  // The fraction of a token that has not become one yet stays due.
  bucket.filled = due > size.burst ? now : bucket.filled + per_token * static_cast<Duration::rep>(due);
}

void Http2Budget::earn_received(std::size_t bytes) noexcept {
  const auto tokens = static_cast<std::uint32_t>(bytes / kBytesPerToken);
  if (tokens == 0) return;
  earn(BudgetKind::tiny_data, tokens);
  earn(BudgetKind::empty, tokens);
}

void Http2Budget::earn_sent(std::size_t bytes) noexcept {
  // Two for each frame: some clients answer every DATA frame with an update of the stream and of the connection.
  const auto tokens = static_cast<std::uint32_t>(bytes / kBytesPerToken);
  earn(BudgetKind::window_update, 2 + tokens);
  earn(BudgetKind::ping, 1);
  if (tokens != 0) earn(BudgetKind::tiny_answer, tokens);
}

}  // namespace equinox::http
