#include <equinox/handler.hpp>
#include <utility>

#include "http/exchange_link.hpp"

namespace equinox {
namespace {

/// Takes the one right to answer. @return where the answer goes; null when nobody waits for one
const http::ExchangeLink::Mail* claim(const std::shared_ptr<http::ExchangeLink>& link) noexcept {
  if (link == nullptr || link->is_answered.exchange(true, std::memory_order_acq_rel)) return nullptr;
  return link->is_gone.load(std::memory_order_acquire) ? nullptr : link->mail.get();
}

void drop(const std::shared_ptr<http::ExchangeLink>& link) noexcept {
  if (link == nullptr || link->is_answered.load(std::memory_order_acquire)) return;
  const http::ExchangeLink::Mail* mail = claim(link);
  if (mail == nullptr || !mail->unanswered) return;
  try {
    mail->unanswered(link);
  } catch (...) {
    // No memory for the mail: the handler deadline ends the exchange instead.
  }
}

}  // namespace

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    drop(link_);
    link_ = std::move(other.link_);
  }
  return *this;
}

Responder::~Responder() { drop(link_); }

bool Responder::send(Response response) {
  const http::ExchangeLink::Mail* mail = claim(link_);
  if (mail == nullptr || !mail->answer) return false;
  mail->answer(link_, std::move(response));
  return true;
}

bool Responder::is_gone() const noexcept { return link_ == nullptr || link_->is_gone.load(std::memory_order_acquire); }

}  // namespace equinox
