#include <equinox/body.hpp>
#include <equinox/response.hpp>
#include <stdexcept>

#include "http/exchange_link.hpp"

namespace equinox {

void Resumer::resume() const {
  if (link_ == nullptr || link_->is_gone.load(std::memory_order_acquire)) return;
  if (link_->mail == nullptr || !link_->mail->resume) return;
  if (link_->is_resume_queued.exchange(true, std::memory_order_acq_rel)) return;
  link_->mail->resume(link_);
}

bool Resumer::is_gone() const noexcept { return link_ != nullptr && link_->is_gone.load(std::memory_order_acquire); }

namespace {

class GeneratorSource final : public BodySource {
 public:
  explicit GeneratorSource(Generator generator) : generator_{std::move(generator)} {}
  PullResult pull(std::span<char> into) override { return generator_(into, resumer_); }
  void attach(Resumer resumer) override { resumer_ = std::move(resumer); }

 private:
  Generator generator_;
  Resumer resumer_;
};

}  // namespace

Response Response::generate(Generator generator, std::string_view content_type, Status status) {
  if (!generator) throw std::invalid_argument{"generate: an empty function"};
  return stream(std::make_unique<GeneratorSource>(std::move(generator)), content_type, status);
}

}  // namespace equinox
