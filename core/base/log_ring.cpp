#include "base/log_ring.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace equinox {
namespace {

// Each record stands behind its length; 0 says that the rest of the round is unused.
using Length = std::uint32_t;
constexpr std::size_t kAlign = 8;

constexpr std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + sizeof(Length) + kAlign - 1) & ~(kAlign - 1);
}

}  // namespace

LogRing::LogRing(std::size_t bytes)
    : capacity_{std::bit_ceil(std::max<std::size_t>(bytes, 4096))}, bytes_{new char[capacity_]} {}

std::size_t LogRing::room_behind(std::uint64_t position) const noexcept {
  return capacity_ - static_cast<std::size_t>(position & (capacity_ - 1));
}

bool LogRing::push(const LogRecord& record) noexcept {
  const std::size_t size = record.used_bytes();
  const std::size_t needed = padded(size);
  std::uint64_t at = written_.load(std::memory_order_relaxed);
  const std::uint64_t read = read_.load(std::memory_order_acquire);
  const std::size_t behind = room_behind(at);
  const std::size_t skipped = behind < needed ? behind : 0;
  if (at + skipped + needed - read > capacity_) return false;
  if (skipped != 0) {
    const Length none = 0;
    std::memcpy(bytes_.get() + (at & (capacity_ - 1)), &none, sizeof none);
    at += skipped;
  }
  char* const into = bytes_.get() + (at & (capacity_ - 1));
  const auto length = static_cast<Length>(size);
  std::memcpy(into, &length, sizeof length);
  std::memcpy(into + sizeof length, static_cast<const void*>(&record), size);
  written_.store(at + needed);
  return true;
}

bool LogRing::pop(LogRecord& record) noexcept {
  std::uint64_t at = read_.load(std::memory_order_relaxed);
  if (at == written_.load(std::memory_order_acquire)) return false;
  Length length = 0;
  std::memcpy(&length, bytes_.get() + (at & (capacity_ - 1)), sizeof length);
  if (length == 0) {
    at += room_behind(at);
    std::memcpy(&length, bytes_.get() + (at & (capacity_ - 1)), sizeof length);
  }
  std::memcpy(static_cast<void*>(&record), bytes_.get() + (at & (capacity_ - 1)) + sizeof length, length);
  read_.store(at + padded(length), std::memory_order_release);
  return true;
}

}  // namespace equinox
