#include "http/http2_memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace equinox::http {
namespace {

// What stands before each block: its capacity. Eight bytes keep the alignment that C structures of pointers and 64-bit
// integers need, and nothing here holds more.
struct BlockHeader {
  std::size_t capacity;
};

BlockHeader* header_of(void* block) noexcept { return static_cast<BlockHeader*>(block) - 1; }

void* raw_allocate(std::size_t capacity) noexcept {
  void* raw = std::malloc(sizeof(BlockHeader) + capacity);
  if (raw == nullptr) std::terminate();
  auto* header = static_cast<BlockHeader*>(raw);
  header->capacity = capacity;
  return header + 1;
}

// Reused blocks would hide a use after release from AddressSanitizer.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeepsBlocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kKeepsBlocks = false;
#else
constexpr bool kKeepsBlocks = true;
#endif
#else
constexpr bool kKeepsBlocks = true;
#endif

constexpr std::size_t kFrameBytes = 16 * 1024;

}  // namespace

Http2Memory::~Http2Memory() {
  for (FreeBlock* block : free_) {
    while (block != nullptr) {
      FreeBlock* next = block->next;
      std::free(header_of(block));
      block = next;
    }
  }
}

std::size_t Http2Memory::class_of(std::size_t bytes) noexcept {
  if (bytes <= kFineMax) return (std::max(bytes, kFineStep) - 1) / kFineStep;
  return kFineClasses + (bytes - kFineMax - 1) / kCoarseStep;
}

std::size_t Http2Memory::bytes_of(std::size_t size_class) noexcept {
  if (size_class < kFineClasses) return (size_class + 1) * kFineStep;
  return kFineMax + (size_class - kFineClasses + 1) * kCoarseStep;
}

void* Http2Memory::allocate(std::size_t bytes) noexcept {
  if (bytes > kCoarseMax) {
    if (lends_frame_buffer_ && bytes >= kFrameBytes) {
      lends_frame_buffer_ = false;  // one per session: a second such block must be its own
      if (frame_buffer_ == nullptr) {
        frame_buffer_.reset(new char[bytes]);
        frame_buffer_bytes_ = bytes;
      }
      if (bytes <= frame_buffer_bytes_) return frame_buffer_.get();
    }
    used_bytes_ += bytes;
    ++made_count_;
    return raw_allocate(bytes);
  }
  const std::size_t size_class = class_of(bytes);
  const std::size_t capacity = bytes_of(size_class);
  used_bytes_ += capacity;
  FreeBlock* block = free_[size_class];
  if (block == nullptr) {
    ++made_count_;
    return raw_allocate(capacity);
  }
  ++reused_count_;
  free_[size_class] = block->next;
  kept_bytes_ -= capacity;
  return block;
}

void* Http2Memory::allocate_zeroed(std::size_t bytes) noexcept {
  void* block = allocate(bytes);
  std::memset(block, 0, bytes);
  return block;
}

void* Http2Memory::reallocate(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return allocate(bytes);
  const std::size_t capacity = block == frame_buffer_.get() ? frame_buffer_bytes_ : header_of(block)->capacity;
  if (bytes <= capacity) return block;
  void* larger = allocate(bytes);
  std::memcpy(larger, block, capacity);
  release(block);
  return larger;
}

void Http2Memory::release(void* block) noexcept {
  if (block == nullptr || block == frame_buffer_.get()) return;
  const std::size_t capacity = header_of(block)->capacity;
  used_bytes_ -= capacity;
  if (!kKeepsBlocks || capacity > kCoarseMax || kept_bytes_ + capacity > keep_max_bytes_) {
    std::free(header_of(block));
    return;
  }
  auto* freed = static_cast<FreeBlock*>(block);
  const std::size_t size_class = class_of(capacity);
  freed->next = free_[size_class];
  free_[size_class] = freed;
  kept_bytes_ += capacity;
}

}  // namespace equinox::http
