#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "http/http2_pages.hpp"

namespace equinox::http {

/// Memory of the HTTP/2 connections of one reactor: size-classed free lists, so that a request in the steady state
/// allocates nothing, and one frame buffer that all sessions share. Owning reactor's thread only; outlives every codec
/// that was given it. Never returns null: running out of memory ends the process. Knows nothing of nghttp2.
class Http2Memory {
 public:
  /// @param keep_max_bytes  freed blocks kept for reuse, bytes; what is freed beyond goes back to the heap
  explicit Http2Memory(std::size_t keep_max_bytes = 1024 * 1024) noexcept : keep_max_bytes_{keep_max_bytes} {}
  ~Http2Memory();
  Http2Memory(const Http2Memory&) = delete;
  Http2Memory& operator=(const Http2Memory&) = delete;

  /// Uninitialised, aligned to 8 bytes.
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept {
    if (bytes > kCoarseMax) return allocate_large(bytes);
    const std::size_t size_class = class_of(bytes);
    FreeBlock* block = free_[size_class];
    if (block == nullptr) return make(size_class);
    free_[size_class] = block->next;
    kept_bytes_ -= header_of(block)->capacity;
    ++reused_count_;
    return block;
  }
  [[nodiscard]] void* allocate_zeroed(std::size_t bytes) noexcept;
  [[nodiscard]] void* reallocate(void* block, std::size_t bytes) noexcept;
  void release(void* block) noexcept {
    if (block == nullptr) return;
    if (is_page(block)) return pages_.give_back(block);
    const BlockHeader header = *header_of(block);
    if (!kKeepsBlocks || header.size_class >= kClasses || kept_bytes_ + header.capacity > keep_max_bytes_) {
      return give_back(block);
    }
    auto* freed = static_cast<FreeBlock*>(block);
    freed->next = free_[header.size_class];
    free_[header.size_class] = freed;
    kept_bytes_ += header.capacity;
  }

  /// While one of these lives, the first zeroed page asked for comes from pages(), and the first allocation of a whole
  /// frame (16 KiB and more) is answered with the shared frame buffer. A session fills that buffer only inside one call
  /// and its owner copies the bytes out before the next, so its content never has to survive; a private one would cost
  /// every idle connection 16 KiB.
  class SharesFrameBuffer {
   public:
    explicit SharesFrameBuffer(Http2Memory& memory) noexcept : memory_{memory} {
      memory_.lends_frame_buffer_ = true;
      memory_.lends_page_ = kHasPages;
      memory_.lent_page_ = nullptr;
    }
    ~SharesFrameBuffer() { memory_.lends_frame_buffer_ = memory_.lends_page_ = false; }
    SharesFrameBuffer(const SharesFrameBuffer&) = delete;
    SharesFrameBuffer& operator=(const SharesFrameBuffer&) = delete;
    /// The page that was given; nullptr when none was asked for.
    [[nodiscard]] void* page() const noexcept { return memory_.lent_page_; }

   private:
    Http2Memory& memory_;
  };

  /// What whoever holds this block holds of the memory: nothing for the shared frame buffer, nor for a page, which
  /// comes and goes with its use.
  [[nodiscard]] static std::size_t held_bytes(void* block) noexcept {
    if (is_page(block)) return 0;
    const BlockHeader& header = *header_of(block);
    return header.size_class == kSharedFrame ? 0 : header.capacity;
  }
  /// Bytes handed out and not yet released, without the shared frame buffer.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return held_bytes_ - kept_bytes_ + pages_.used_bytes(); }
  /// Where pages say that their owner rests.
  [[nodiscard]] Http2Pages& pages() noexcept { return pages_; }
  /// Bytes in the free lists.
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }
  /// Allocations answered from a free list, and those the system was asked for.
  [[nodiscard]] std::uint64_t reused_count() const noexcept { return reused_count_; }
  [[nodiscard]] std::uint64_t made_count() const noexcept { return made_count_; }

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  /// What stands before each block. Eight bytes keep the alignment that C structures of pointers and 64-bit integers
  /// need, and nothing here holds more.
  struct BlockHeader {
    std::uint32_t capacity;
    std::uint32_t size_class;
  };
  static constexpr std::size_t kFineStep = 16;  ///< classes up to kFineMax bytes
  static constexpr std::size_t kFineMax = 512;
  static constexpr std::size_t kCoarseStep = 128;  ///< classes up to kCoarseMax bytes
  static constexpr std::size_t kCoarseMax = 4096;
  static constexpr std::size_t kFineClasses = kFineMax / kFineStep;
  static constexpr std::size_t kClasses = kFineClasses + (kCoarseMax - kFineMax) / kCoarseStep;
  static constexpr std::uint32_t kLarge = kClasses;            ///< has no free list
  static constexpr std::uint32_t kSharedFrame = kClasses + 1;  ///< the one frame buffer, never released
  // Reused blocks would hide a use after release from AddressSanitizer.
#if defined(__SANITIZE_ADDRESS__)
  static constexpr bool kKeepsBlocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
  static constexpr bool kKeepsBlocks = false;
#else
  static constexpr bool kKeepsBlocks = true;
#endif
#else
  static constexpr bool kKeepsBlocks = true;
#endif

  /// Blocks stand eight bytes behind what the heap aligns to 16: so they are told from pages.
  static constexpr bool kHasPages = alignof(std::max_align_t) == 2 * sizeof(BlockHeader);
  static bool is_page(const void* block) noexcept {
    return kHasPages && reinterpret_cast<std::uintptr_t>(block) % 16 == 0;
  }
  static BlockHeader* header_of(void* block) noexcept { return static_cast<BlockHeader*>(block) - 1; }
  static std::size_t class_of(std::size_t bytes) noexcept {
    if (bytes <= kFineMax) return (bytes - (bytes != 0 ? 1U : 0U)) / kFineStep;
    return kFineClasses + (bytes - kFineMax - 1) / kCoarseStep;
  }
  static std::size_t bytes_of(std::size_t size_class) noexcept;
  void* make(std::size_t size_class) noexcept;
  void* allocate_large(std::size_t bytes) noexcept;
  void give_back(void* block) noexcept;
  void* obtain(std::size_t capacity, std::uint32_t size_class) noexcept;

  std::array<FreeBlock*, kClasses> free_{};
  Http2Pages pages_;
  void* lent_page_{nullptr};
  void* frame_buffer_{nullptr};
  std::size_t keep_max_bytes_;
  std::size_t kept_bytes_{0};
  std::size_t held_bytes_{0};  ///< used and kept
  std::uint64_t reused_count_{0};
  std::uint64_t made_count_{0};
  bool lends_frame_buffer_{false};
  bool lends_page_{false};
};

}  // namespace equinox::http
