#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

namespace equinox::server {

/// Bytes received but not yet used: what a connection keeps while a message is cut in two. Contiguous, so that a head
/// is scanned and parsed in place.
class ByteHold {
 public:
  /// @param counted  what all holds of a reactor have allocated together; outlives this
  explicit ByteHold(std::uint64_t& counted) noexcept : counted_{counted} {}
  ByteHold(const ByteHold&) = delete;
  ByteHold& operator=(const ByteHold&) = delete;
  ~ByteHold() { counted_ -= capacity_; }

  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::span<const std::byte> readable() const noexcept { return {bytes_.get() + begin_, size()}; }

  /// Room for at least `bytes` behind what is there; commit() says how many were written. Moves what is there.
  std::span<std::byte> room(std::size_t bytes) {
    if (capacity_ - end_ < bytes) make_room(bytes);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t bytes) noexcept { end_ += bytes; }
  void consume(std::size_t bytes) noexcept {
    begin_ += bytes;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void append(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
    commit(bytes.size());
  }

 private:
  void make_room(std::size_t bytes) {
    const std::size_t held = size();
    if (capacity_ - held >= bytes && begin_ >= held) {  // enough in front, and no overlap: move instead of growing
      std::memcpy(bytes_.get(), bytes_.get() + begin_, held);
    } else {
      std::size_t wanted = capacity_ == 0 ? 512 : capacity_ * 2;
      while (wanted < held + bytes) wanted *= 2;
      std::unique_ptr<std::byte[]> larger{new std::byte[wanted]};
      if (held != 0) std::memcpy(larger.get(), bytes_.get() + begin_, held);
      bytes_ = std::move(larger);
      counted_ += wanted - capacity_;
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = held;
  }

  std::uint64_t& counted_;
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t capacity_{0};
  std::size_t begin_{0};
  std::size_t end_{0};
};

}  // namespace equinox::server
