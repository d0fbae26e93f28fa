#pragma once

#include <cstddef>
#include <cstdint>

namespace equinox::http {

/// Zeroed pages for what is all zeros again whenever its owner has nothing to do, as is nghttp2's table of streams
/// while a connection has none. Such a page can be given back to the kernel and comes back, as zeros, with the next
/// write; nobody has to know what is kept in it. Only pages that do hold zeros are given back, so a wrong guess costs
/// nothing. Owning reactor's thread only. Never returns null: running out of memory ends the process.
class Http2Pages {
 public:
  static constexpr std::size_t kPageBytes = 4096;

  /// @param warm_max  resting pages that keep their memory: a connection that comes back soon pays nothing
  explicit Http2Pages(std::size_t warm_max = 1024) noexcept;
  ~Http2Pages();
  Http2Pages(const Http2Pages&) = delete;
  Http2Pages& operator=(const Http2Pages&) = delete;

  /// One page of zeros, aligned to its size.
  [[nodiscard]] void* take() noexcept;
  void give_back(void* page) noexcept;
  /// Its owner has nothing to do. Of more than `warm_max` such pages the one that rests longest loses its memory.
  void rest(void* page) noexcept;
  /// Its owner has something to do again. No need to hurry: a write before this call is safe.
  void wake(void* page) noexcept;

  [[nodiscard]] std::size_t used_bytes() const noexcept { return (lent_ - cold_) * kPageBytes; }
  [[nodiscard]] std::size_t cold_count() const noexcept { return cold_; }

 private:
  /// State of a lent page. Awake: no neighbours; resting: in the ring; cold: `older` is the slot itself.
  struct Slot {
    Slot* older;
    Slot* newer;
  };
  static constexpr std::size_t kRegionBytes = 1024 * 1024;  ///< and their alignment
  static constexpr std::size_t kSlots = kRegionBytes / kPageBytes - 1;
  /// Its first page describes the others.
  struct Region {
    Region* next;
    Slot slots[kSlots];
  };
  static_assert(sizeof(Region) <= kPageBytes);

  static Slot* slot_of(void* page) noexcept;
  static void* page_of(Slot* slot) noexcept;
  static void unlink(Slot* slot) noexcept;
  void add_region() noexcept;
  void cool(Slot* slot) noexcept;

  Slot ring_;  ///< resting pages: `ring_.newer` is the oldest
  Slot* free_{nullptr};
  Region* regions_{nullptr};
  std::size_t warm_max_;
  std::size_t warm_{0};
  std::size_t cold_{0};
  std::size_t lent_{0};
  bool can_cool_;
};

}  // namespace equinox::http
