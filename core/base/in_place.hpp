#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <utility>

namespace equinox {

/// Sole owner of an object behind an interface, with room inside for the small implementation that nearly every owner
/// has: no allocation of its own, no allocator's header beside it. Larger ones come as a unique_ptr. Stays where it is.
template <typename Interface, std::size_t Bytes>
class InPlace {
 public:
  InPlace() = default;
  InPlace(const InPlace&) = delete;
  InPlace& operator=(const InPlace&) = delete;
  ~InPlace() { reset(); }

  /// Constructs a T inside.
  template <typename T, typename... Args>
  T& emplace(Args&&... args) {
    static_assert(sizeof(T) <= Bytes && alignof(T) <= alignof(void*), "too large to stand inside");
    reset();
    T* const made = new (room_) T(std::forward<Args>(args)...);
    object_ = made;
    return *made;
  }
  void adopt(std::unique_ptr<Interface> object) noexcept {
    reset();
    object_ = object.release();
  }
  void reset() noexcept {
    Interface* const gone = std::exchange(object_, nullptr);
    if (gone == nullptr) return;
    if (is_inside(gone)) {
      gone->~Interface();
    } else {
      delete gone;
    }
  }

  [[nodiscard]] Interface* get() const noexcept { return object_; }
  Interface* operator->() const noexcept { return object_; }
  Interface& operator*() const noexcept { return *object_; }
  bool operator==(std::nullptr_t) const noexcept { return object_ == nullptr; }

 private:
  [[nodiscard]] bool is_inside(const Interface* object) const noexcept {
    const auto* const at = reinterpret_cast<const std::byte*>(object);
    return !std::less<const std::byte*>{}(at, room_) && std::less<const std::byte*>{}(at, room_ + Bytes);
  }

  Interface* object_{nullptr};
  alignas(void*) std::byte room_[Bytes];
};

}  // namespace equinox
