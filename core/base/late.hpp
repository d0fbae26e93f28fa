#pragma once

#include <new>
#include <utility>

namespace equinox {

/// A value that is made later, or never, where it will stay: std::optional without the clearing of all its room that
/// g++ 12 does first. For large values on a path that every request takes.
template <typename T>
class Late {
 public:
  Late() noexcept {}  // NOLINT(modernize-use-equals-default): the room is left as it is
  Late(const Late&) = delete;
  Late& operator=(const Late&) = delete;
  ~Late() {
    if (made_) value_.~T();
  }

  /// Makes it from what `maker` returns, without a move. Once only.
  template <typename Maker>
  T& make(Maker&& maker) {
    T& value = *::new (static_cast<void*>(&value_)) T(std::forward<Maker>(maker)());
    made_ = true;
    return value;
  }
  [[nodiscard]] explicit operator bool() const noexcept { return made_; }
  [[nodiscard]] T& operator*() noexcept { return value_; }

 private:
  union {
    T value_;
  };
  bool made_{false};
};

}  // namespace equinox
