#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

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
  [[nodiscard]] void* allocate(std::size_t bytes) noexcept;
  [[nodiscard]] void* allocate_zeroed(std::size_t bytes) noexcept;
  [[nodiscard]] void* reallocate(void* block, std::size_t bytes) noexcept;
  void release(void* block) noexcept;

  /// While one of these lives, the first allocation of a whole frame (16 KiB and more) is answered with the shared
  /// frame buffer. A session fills that buffer only inside one call and its owner copies the bytes out before the next,
  /// so its content never has to survive; a private one would cost every idle connection 16 KiB.
  class SharesFrameBuffer {
   public:
    explicit SharesFrameBuffer(Http2Memory& memory) noexcept : memory_{memory} { memory_.lends_frame_buffer_ = true; }
    ~SharesFrameBuffer() { memory_.lends_frame_buffer_ = false; }
    SharesFrameBuffer(const SharesFrameBuffer&) = delete;
    SharesFrameBuffer& operator=(const SharesFrameBuffer&) = delete;

   private:
    Http2Memory& memory_;
  };

  /// Bytes handed out and not yet released, without the shared frame buffer.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_; }
  /// Bytes in the free lists.
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }
  /// Allocations answered from a free list, and those the system was asked for.
  [[nodiscard]] std::uint64_t reused_count() const noexcept { return reused_count_; }
  [[nodiscard]] std::uint64_t made_count() const noexcept { return made_count_; }

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  static constexpr std::size_t kFineStep = 16;  ///< classes up to kFineMax bytes
  static constexpr std::size_t kFineMax = 512;
  static constexpr std::size_t kCoarseStep = 128;  ///< classes up to kCoarseMax bytes
  static constexpr std::size_t kCoarseMax = 4096;
  static constexpr std::size_t kFineClasses = kFineMax / kFineStep;
  static constexpr std::size_t kClasses = kFineClasses + (kCoarseMax - kFineMax) / kCoarseStep;

  static std::size_t class_of(std::size_t bytes) noexcept;
  static std::size_t bytes_of(std::size_t size_class) noexcept;

  std::array<FreeBlock*, kClasses> free_{};
  std::unique_ptr<char[]> frame_buffer_;
  std::size_t frame_buffer_bytes_{0};
  std::size_t keep_max_bytes_;
  std::size_t kept_bytes_{0};
  std::size_t used_bytes_{0};
  std::uint64_t reused_count_{0};
  std::uint64_t made_count_{0};
  bool lends_frame_buffer_{false};
};

}  // namespace equinox::http
