#include "net/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace equinox::net {
namespace {

constexpr std::uint64_t kMask = TimerWheel::kSlots - 1;
static_assert((TimerWheel::kSlots & kMask) == 0);

std::uint64_t whole_ticks(TimePoint now) noexcept {
  const auto count = now.time_since_epoch().count();
  return count <= 0 ? 0 : static_cast<std::uint64_t>(count / TimerWheel::kTick.count());
}

TimePoint moment_of(std::uint64_t tick) noexcept {
  return TimePoint{TimerWheel::kTick * static_cast<std::int64_t>(tick)};
}

void attach(TimerLink& head, TimerLink& link) noexcept {
  link.prev = head.prev;
  link.next = &head;
  head.prev->next = &link;
  head.prev = &link;
}

void detach(TimerLink& link) noexcept {
  link.prev->next = link.next;
  link.next->prev = link.prev;
  link.prev = link.next = nullptr;
}

}  // namespace

TimerWheel::TimerWheel(TimePoint start) noexcept : current_{whole_ticks(start)} {
  for (TimerLink& head : heads_) head.prev = head.next = &head;
}

TimerWheel::~TimerWheel() {
  for (TimerLink& head : heads_) {
    while (head.next != &head) detach(*head.next);
  }
}

void TimerWheel::relink(TimerNode& node) noexcept {
  if (node.is_linked()) unlink(node);
  if (node.due == kNever) return;
  // Beyond the horizon the node is looked at once a round and moves on.
  node.linked_at = std::clamp(tick_of(node.due), current_ + 1, current_ + kSlots - 1);
  const std::size_t slot = node.linked_at & kMask;
  attach(heads_[slot], node);
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  occupied_words_ |= std::uint64_t{1} << (slot / 64);
  ++size_;
  wake_ = std::min(wake_, moment_of(node.linked_at));
}

void TimerWheel::unlink(TimerNode& node) noexcept {
  detach(node);
  --size_;
  const std::size_t slot = node.linked_at & kMask;
  if (heads_[slot].next != &heads_[slot]) return;
  mark_empty(slot);
  if (moment_of(node.linked_at) <= wake_) wake_ = next_wake();
}

void TimerWheel::mark_empty(std::size_t slot) noexcept {
  occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  if (occupied_[slot / 64] == 0) occupied_words_ &= ~(std::uint64_t{1} << (slot / 64));
}

void TimerWheel::cancel(TimerNode& node) noexcept {
  if (node.is_linked()) unlink(node);
  node.due = kNever;
}

void TimerWheel::look_at(std::size_t slot, TimePoint now, std::vector<std::uint64_t>& tokens) {
  TimerLink& head = heads_[slot];
  // A node that moves on may come back to this very slot: only those that were here at first are looked at.
  TimerLink batch;
  batch.next = head.next;
  batch.prev = head.prev;
  batch.next->prev = batch.prev->next = &batch;
  head.prev = head.next = &head;
  mark_empty(slot);
  while (batch.next != &batch) {
    auto& node = static_cast<TimerNode&>(*batch.next);
    detach(node);
    --size_;
    if (node.due <= now) {
      tokens.push_back(node.token);
    } else {
      relink(node);
    }
  }
}

void TimerWheel::expire(TimePoint now, std::vector<std::uint64_t>& tokens) {
  const std::uint64_t target = whole_ticks(now);
  while (current_ < target) {
    const std::uint64_t next = next_occupied();
    if (next > target) {
      current_ = target;
      break;
    }
    current_ = next;
    look_at(next & kMask, now, tokens);
  }
  wake_ = next_wake();
}

TimePoint TimerWheel::next_wake() const noexcept { return size_ == 0 ? kNever : moment_of(next_occupied()); }

// The first tick after `current_` whose slot holds anything; far away when none does.
std::uint64_t TimerWheel::next_occupied() const noexcept {
  static_assert(kSlots / 64 == 64, "one bit in occupied_words_ for each word");
  const std::size_t start = (current_ + 1) & kMask;
  std::size_t word = start / 64;
  std::uint64_t bits = occupied_[word] & (~std::uint64_t{0} << (start % 64));
  if (bits == 0) {
    if (occupied_words_ == 0) return UINT64_MAX;
    // Turned so that the word behind the first comes first; the first itself is the last to be looked at, whole.
    const int turn = static_cast<int>((word + 1) % 64);
    const int ahead = std::countr_zero(std::rotr(occupied_words_, turn));
    word = (word + 1 + static_cast<std::size_t>(ahead)) % 64;
    bits = occupied_[word];
  }
  const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
  return current_ + 1 + ((slot - start) & kMask);
}

}  // namespace equinox::net
