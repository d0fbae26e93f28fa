#include "base/open_file.hpp"

#include <chrono>
#include <new>
#include <utility>

#include "base/read_file.hpp"

namespace equinox {
namespace {

/// Longer than a tick of the clock that file times are taken from.
constexpr std::chrono::milliseconds kRest{100};

}  // namespace

bool has_come_to_rest(std::int64_t changed_ns) noexcept {
  // Nothing is subtracted from the file's time: it may be the least there is.
  return std::chrono::nanoseconds{changed_ns} < std::chrono::system_clock::now().time_since_epoch() - kRest;
}

FileContents::~FileContents() {
  if (size_bytes_ != 0) budget_->fetch_add(size_bytes_, std::memory_order_relaxed);
}

std::string_view FileContents::of(const OpenFile& file) noexcept {
  State state = state_.load(std::memory_order_acquire);
  if (state == State::unread && file.size_bytes != 0 && file.size_bytes <= kFileMaxBytes &&
      has_come_to_rest(changed_ns_) &&
      state_.compare_exchange_strong(state, State::reading, std::memory_order_acquire)) {
    state = !take_budget(file.size_bytes) ? State::unread : read(file) ? State::kept : State::refused;
    state_.store(state, std::memory_order_release);
  }
  if (state != State::kept) return {};
  return {bytes_.get(), static_cast<std::size_t>(size_bytes_)};
}

bool FileContents::take_budget(std::uint64_t bytes) noexcept {
  std::uint64_t left = budget_->load(std::memory_order_relaxed);
  while (left >= bytes) {
    if (budget_->compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) {
      size_bytes_ = bytes;
      return true;
    }
  }
  return false;
}

bool FileContents::read(const OpenFile& file) noexcept {
  bytes_.reset(new (std::nothrow) char[static_cast<std::size_t>(file.size_bytes)]);
  if (bytes_ != nullptr && read_file(file, 0, {bytes_.get(), static_cast<std::size_t>(file.size_bytes)})) return true;
  bytes_.reset();  // it shrank, or cannot be read: whoever sends the file itself will find out
  budget_->fetch_add(std::exchange(size_bytes_, 0), std::memory_order_relaxed);
  return false;
}

}  // namespace equinox
