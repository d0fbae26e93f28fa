#include <equinox/handler.hpp>
#include <utility>

#include "http/exchange_link.hpp"

namespace equinox {
namespace {

bool answer(const std::shared_ptr<http::ExchangeLink>& link, Response&& response) {
  if (link == nullptr || link->is_answered.exchange(true, std::memory_order_acq_rel)) return false;
  if (link->is_gone.load(std::memory_order_acquire)) return false;
  if (link->mail == nullptr || !link->mail->answer) return false;
  link->mail->answer(link->connection, link->stream, std::move(response));
  return true;
}

void answer_500(const std::shared_ptr<http::ExchangeLink>& link) noexcept {
  if (link == nullptr || link->is_answered.load(std::memory_order_acquire)) return;
  try {
    static_cast<void>(answer(link, Response::error(500)));
  } catch (...) {
    // No memory for the answer: the handler deadline ends the exchange instead.
  }
}

}  // namespace

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    answer_500(link_);
    link_ = std::move(other.link_);
  }
  return *this;
}

Responder::~Responder() { answer_500(link_); }

bool Responder::send(Response response) { return answer(link_, std::move(response)); }

bool Responder::is_gone() const noexcept { return link_ == nullptr || link_->is_gone.load(std::memory_order_acquire); }

}  // namespace equinox
