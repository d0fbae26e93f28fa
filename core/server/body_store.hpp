#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace equinox::server {

/// A request's body that came in pieces, contiguous. A small one lies on the heap and its room is used again; a large
/// one has pages of its own, which grow where they are and go back to the kernel at once: no second copy while it
/// grows, and nothing that the heap keeps. Owning reactor's thread only.
class BodyStore {
 public:
  BodyStore() = default;
  BodyStore(const BodyStore&) = delete;
  BodyStore& operator=(const BodyStore&) = delete;
  ~BodyStore() { release_pages(); }

  [[nodiscard]] bool empty() const noexcept { return view().empty(); }
  [[nodiscard]] std::string_view view() const noexcept {
    return pages_ == nullptr ? std::string_view{small_} : std::string_view{pages_, size_};
  }
  /// Bytes allocated.
  [[nodiscard]] std::size_t capacity() const noexcept { return pages_ == nullptr ? small_.capacity() : capacity_; }
  /// Makes room ahead, as far as a small body goes.
  void expect(std::uint64_t bytes);
  /// Adds to the end.
  /// @param most  bytes the body may reach: no room is made beyond
  /// @throws std::bad_alloc
  void append(std::string_view text, std::uint64_t most);
  /// Empties it, keeping room of ordinary size.
  void clear() noexcept;

 private:
  void grow(std::size_t need, std::uint64_t most);
  void release_pages() noexcept;

  std::string small_;
  char* pages_{nullptr};  ///< when large; `small_` is empty then
  std::size_t size_{0};
  std::size_t capacity_{0};
};

}  // namespace equinox::server
