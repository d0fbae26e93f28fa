#pragma once

#include <cstdint>
#include <equinox/body.hpp>
#include <exception>
#include <memory>
#include <utility>

namespace equinox::server {

/// What is known of a streamed body; outlives the exchange, because a codec may drop the source later.
struct Streamed {
  std::uint64_t bytes{0};
  std::exception_ptr thrown;
};

/// Counts what is pulled from a body source, and tells an exception from a body that gave up by itself.
class WatchedSource final : public BodySource {
 public:
  WatchedSource(std::unique_ptr<BodySource> inner, std::shared_ptr<Streamed> streamed) noexcept
      : inner_{std::move(inner)}, streamed_{std::move(streamed)} {}

  PullResult pull(std::span<char> into) override {
    try {
      const PullResult result = inner_->pull(into);
      streamed_->bytes += result.count;
      return result;
    } catch (...) {
      streamed_->thrown = std::current_exception();
      return {PullStatus::failed, 0};
    }
  }
  void attach(Resumer resumer) override { inner_->attach(std::move(resumer)); }  // whoever calls it catches
  [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override { return inner_->length(); }

 private:
  std::unique_ptr<BodySource> inner_;
  std::shared_ptr<Streamed> streamed_;
};

}  // namespace equinox::server
