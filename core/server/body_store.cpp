#include "server/body_store.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace equinox::server {
namespace {

constexpr std::size_t kSmallMaxBytes = 64 * 1024;
constexpr std::size_t kKeptMaxBytes = 16 * 1024;
constexpr std::size_t kPageBytes = 4096;

std::size_t whole_pages(std::uint64_t bytes) noexcept {
  return static_cast<std::size_t>((bytes + kPageBytes - 1) / kPageBytes * kPageBytes);
}

}  // namespace

void BodyStore::expect(std::uint64_t bytes) {
  small_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kSmallMaxBytes)));
}

void BodyStore::append(std::string_view text, std::uint64_t most) {
  if (pages_ == nullptr && small_.size() + text.size() <= kSmallMaxBytes) {
    small_.append(text);
    return;
  }
  const std::size_t need = view().size() + text.size();
  if (pages_ == nullptr || need > capacity_) grow(need, most);
  std::memcpy(pages_ + size_, text.data(), text.size());
  size_ += text.size();
}

/// By half, and never beyond what is allowed. Pages that nobody has written cost nothing yet.
void BodyStore::grow(std::size_t need, std::uint64_t most) {
  const std::size_t wanted = whole_pages(std::max<std::uint64_t>(need, std::min<std::uint64_t>(most, need + need / 2)));
  void* const larger = pages_ == nullptr
                           ? ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                           : ::mremap(pages_, capacity_, wanted, MREMAP_MAYMOVE);
  if (larger == MAP_FAILED) throw std::bad_alloc{};
  if (pages_ == nullptr) {
    size_ = small_.size();
    std::memcpy(larger, small_.data(), size_);
    std::string{}.swap(small_);
  }
  pages_ = static_cast<char*>(larger);
  capacity_ = wanted;
}

void BodyStore::clear() noexcept {
  release_pages();
  if (small_.capacity() > kKeptMaxBytes) {
    std::string{}.swap(small_);
  } else {
    small_.clear();
  }
}

void BodyStore::release_pages() noexcept {
  if (pages_ == nullptr) return;
  ::munmap(pages_, capacity_);
  pages_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace equinox::server
