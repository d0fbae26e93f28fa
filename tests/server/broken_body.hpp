#pragma once

#include <equinox/body.hpp>
#include <span>
#include <stdexcept>

namespace equinox::testing {

/// A body that breaks off behind its first byte: by itself, or with an exception.
class BrokenBody final : public BodySource {
 public:
  explicit BrokenBody(bool throws) noexcept : throws_{throws} {}
  PullResult pull(std::span<char> into) override {
    if (is_begun_ && throws_) throw std::runtime_error{"there is no /store?key=secret"};
    if (is_begun_) return {PullStatus::failed, 0};
    is_begun_ = true;
    into.front() = 'x';
    return {PullStatus::bytes, 1};
  }

 private:
  bool throws_;
  bool is_begun_{false};
};

}  // namespace equinox::testing
