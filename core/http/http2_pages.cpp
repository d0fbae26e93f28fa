#include "http/http2_pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <exception>

namespace equinox::http {
namespace {

bool is_all_zero(const void* page) noexcept {
  std::uint64_t seen = 0;
  const auto* at = static_cast<const char*>(page);
  for (std::size_t i = 0; i < Http2Pages::kPageBytes; i += sizeof seen) {
    std::uint64_t word = 0;
    std::memcpy(&word, at + i, sizeof word);
    seen |= word;
  }
  return seen == 0;
}

std::uintptr_t address(const void* at) noexcept { return reinterpret_cast<std::uintptr_t>(at); }

}  // namespace

Http2Pages::Http2Pages(std::size_t warm_max) noexcept
    : ring_{&ring_, &ring_}, warm_max_{warm_max}, can_cool_{::sysconf(_SC_PAGESIZE) == long{kPageBytes}} {}

Http2Pages::~Http2Pages() {
  while (regions_ != nullptr) {
    Region* next = regions_->next;
    ::munmap(regions_, kRegionBytes);
    regions_ = next;
  }
}

Http2Pages::Slot* Http2Pages::slot_of(void* page) noexcept {
  const std::size_t offset = address(page) % kRegionBytes;
  auto* region = reinterpret_cast<Region*>(static_cast<char*>(page) - offset);
  return region->slots + offset / kPageBytes - 1;
}

void* Http2Pages::page_of(Slot* slot) noexcept {
  const std::size_t offset = address(slot) % kRegionBytes;
  auto* region = reinterpret_cast<Region*>(reinterpret_cast<char*>(slot) - offset);
  return reinterpret_cast<char*>(region) + static_cast<std::size_t>(slot - region->slots + 1) * kPageBytes;
}

// Twice the size is asked for, so that an aligned region lies within; the rest is given back at once.
void Http2Pages::add_region() noexcept {
  void* mapped = ::mmap(nullptr, 2 * kRegionBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) std::terminate();
  const std::size_t before = (kRegionBytes - address(mapped) % kRegionBytes) % kRegionBytes;
  char* base = static_cast<char*>(mapped) + before;
  if (before != 0) ::munmap(mapped, before);
  ::munmap(base + kRegionBytes, kRegionBytes - before);
  ::madvise(base, kRegionBytes, MADV_NOHUGEPAGE);  // one page more must not cost two megabytes
  auto* region = reinterpret_cast<Region*>(base);
  region->next = regions_;
  regions_ = region;
  for (std::size_t i = kSlots; i-- > 0;) {
    region->slots[i].newer = free_;
    free_ = region->slots + i;
  }
}

void* Http2Pages::take() noexcept {
  if (free_ == nullptr) add_region();
  Slot* slot = free_;
  free_ = slot->newer;
  *slot = {};
  ++lent_;
  return page_of(slot);
}

void Http2Pages::give_back(void* page) noexcept {
  Slot* slot = slot_of(page);
  wake(page);
  --lent_;
  if (!is_all_zero(page)) std::memset(page, 0, kPageBytes);  // a cold one, too: its owner writes before it wakes it
  slot->newer = free_;
  free_ = slot;
}

void Http2Pages::unlink(Slot* slot) noexcept {
  slot->older->newer = slot->newer;
  slot->newer->older = slot->older;
  *slot = {};
}

void Http2Pages::rest(void* page) noexcept {
  Slot* slot = slot_of(page);
  if (slot->older != nullptr) return;
  slot->older = ring_.older;
  slot->newer = &ring_;
  ring_.older->newer = slot;
  ring_.older = slot;
  if (++warm_ > warm_max_) cool(ring_.newer);
}

void Http2Pages::cool(Slot* oldest) noexcept {
  unlink(oldest);
  --warm_;
  void* page = page_of(oldest);
  if (!can_cool_ || !is_all_zero(page) || ::madvise(page, kPageBytes, MADV_DONTNEED) != 0) return;
  oldest->older = oldest;
  ++cold_;
}

void Http2Pages::wake(void* page) noexcept {
  Slot* slot = slot_of(page);
  if (slot->older == nullptr) return;
  if (slot->older == slot) {
    *slot = {};
    --cold_;
    return;
  }
  unlink(slot);
  --warm_;
}

}  // namespace equinox::http
