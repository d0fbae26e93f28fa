#pragma once

#include <cstdint>
#include <equinox/body.hpp>
#include <memory>
#include <utility>

namespace equinox::server {

/// Counts what is pulled from a body source. The count outlives the exchange: a codec may drop the source later.
class CountingSource final : public BodySource {
 public:
  CountingSource(std::unique_ptr<BodySource> inner, std::shared_ptr<std::uint64_t> count) noexcept
      : inner_{std::move(inner)}, count_{std::move(count)} {}

  PullResult pull(std::span<char> into) override {
    const PullResult result = inner_->pull(into);
    *count_ += result.count;
    return result;
  }
  void attach(Resumer resumer) override { inner_->attach(std::move(resumer)); }
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return inner_->length(); }

 private:
  std::unique_ptr<BodySource> inner_;
  std::shared_ptr<std::uint64_t> count_;
};

}  // namespace equinox::server
