#pragma once

#include <cstddef>

#include "http/http2_memory.hpp"

namespace equinox::http {

/// One session's part of its reactor's Http2Memory: the same blocks, counted, so that a connection can say what it
/// holds. Owning reactor's thread only; outlives what it gave.
class Http2SessionMemory {
 public:
  explicit Http2SessionMemory(Http2Memory& shared) noexcept : shared_{shared} {}
  Http2SessionMemory(const Http2SessionMemory&) = delete;
  Http2SessionMemory& operator=(const Http2SessionMemory&) = delete;

  [[nodiscard]] void* allocate(std::size_t bytes) noexcept { return taken(shared_.allocate(bytes)); }
  [[nodiscard]] void* allocate_zeroed(std::size_t bytes) noexcept { return taken(shared_.allocate_zeroed(bytes)); }
  [[nodiscard]] void* reallocate(void* block, std::size_t bytes) noexcept {
    if (block != nullptr) used_bytes_ -= Http2Memory::held_bytes(block);
    void* moved = shared_.reallocate(block, bytes);
    if (moved != block && block == page_) page_ = nullptr;
    return taken(moved);
  }
  void release(void* block) noexcept {
    if (block == nullptr) return;
    if (block == page_) page_ = nullptr;
    used_bytes_ -= Http2Memory::held_bytes(block);
    shared_.release(block);
  }
  /// Memory of the heap that a stream holds.
  void charge(std::size_t bytes) noexcept { charged_bytes_ += bytes; }
  void discharge(std::size_t bytes) noexcept { charged_bytes_ -= bytes; }
  /// Of what was charged.
  [[nodiscard]] std::size_t charged_bytes() const noexcept { return charged_bytes_; }

  /// The session has this page (Http2Memory::SharesFrameBuffer), and is not asked before it releases it.
  void adopt_page(void* page) noexcept { page_ = page; }
  /// That page for as long as the session holds it; nullptr without one.
  [[nodiscard]] void* page() const noexcept { return page_; }

  /// Bytes of blocks not yet released, and what was charged.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_ + charged_bytes_; }
  [[nodiscard]] Http2Memory& shared() noexcept { return shared_; }

 private:
  void* taken(void* block) noexcept {
    used_bytes_ += Http2Memory::held_bytes(block);
    return block;
  }

  Http2Memory& shared_;
  void* page_{nullptr};
  std::size_t used_bytes_{0};
  std::size_t charged_bytes_{0};
};

}  // namespace equinox::http
