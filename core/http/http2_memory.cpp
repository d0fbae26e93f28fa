#include "http/http2_memory.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>

namespace equinox::http {
namespace {

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
  if (frame_buffer_ != nullptr) std::free(header_of(frame_buffer_));
}

std::size_t Http2Memory::bytes_of(std::size_t size_class) noexcept {
  if (size_class < kFineClasses) return (size_class + 1) * kFineStep;
  return kFineMax + (size_class - kFineClasses + 1) * kCoarseStep;
}

void* Http2Memory::obtain(std::size_t capacity, std::uint32_t size_class) noexcept {
  auto* header = static_cast<BlockHeader*>(std::malloc(sizeof(BlockHeader) + capacity));
  if (header == nullptr || capacity > UINT32_MAX) std::terminate();
  *header = {static_cast<std::uint32_t>(capacity), size_class};
  return header + 1;
}

void* Http2Memory::make(std::size_t size_class) noexcept {
  const std::size_t capacity = bytes_of(size_class);
  held_bytes_ += capacity;
  ++made_count_;
  return obtain(capacity, static_cast<std::uint32_t>(size_class));
}

void* Http2Memory::allocate_large(std::size_t bytes) noexcept {
  if (lends_frame_buffer_ && bytes >= kFrameBytes) {
    lends_frame_buffer_ = false;  // one per session: a second such block must be its own
    if (frame_buffer_ == nullptr) frame_buffer_ = obtain(bytes, kSharedFrame);
    if (bytes <= header_of(frame_buffer_)->capacity) return frame_buffer_;
  }
  held_bytes_ += bytes;
  ++made_count_;
  return obtain(bytes, kLarge);
}

void* Http2Memory::allocate_zeroed(std::size_t bytes) noexcept {
  if (lends_page_ && bytes == Http2Pages::kPageBytes) {
    lends_page_ = false;
    return lent_page_ = pages_.take();
  }
  void* block = allocate(bytes);
  std::memset(block, 0, bytes);
  return block;
}

void* Http2Memory::reallocate(void* block, std::size_t bytes) noexcept {
  if (block == nullptr) return allocate(bytes);
  const std::size_t capacity = is_page(block) ? Http2Pages::kPageBytes : header_of(block)->capacity;
  if (bytes <= capacity) return block;
  void* larger = allocate(bytes);
  std::memcpy(larger, block, capacity);
  release(block);
  return larger;
}

void Http2Memory::give_back(void* block) noexcept {
  BlockHeader* header = header_of(block);
  if (header->size_class == kSharedFrame) return;
  held_bytes_ -= header->capacity;
  std::free(header);
}

}  // namespace equinox::http
