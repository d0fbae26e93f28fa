#include "server/exchange.hpp"

#include <algorithm>

#include "server/settings.hpp"

namespace equinox::server {

void Exchange::keep() {
  if (kept == nullptr) keep_anew();
}

void Exchange::keep_anew() {
  if (head == nullptr) return;
  // A body that came whole lives on in the copy; one that did not stays where it is.
  kept = std::make_unique<Request>(Request{*head, context, body_view, parameters, trailers}.to_owned());
  head = &kept->head();
  parameters = kept->parameters();
  body_view = kept->body();
  trailers = kept->trailers();
}

void Exchange::remember_for_log() {
  if (log_texts != nullptr) return;
  log_texts = std::make_unique<LogTexts>();
  if (head == nullptr) return;
  const auto beginning = [this](std::string_view text) {
    log_texts->is_cut |= text.size() > LogTexts::kFieldMaxBytes;
    return text.substr(0, LogTexts::kFieldMaxBytes);
  };
  if (head->method == Method::other) log_texts->method = beginning(head->method_name);
  log_texts->target = head->target.substr(0, LogTexts::kTargetMaxBytes);
  log_texts->referer = beginning(head->field("referer").value_or(""));
  log_texts->user_agent = beginning(head->field("user-agent").value_or(""));
  log_texts->authority = beginning(head->authority);
}

void Exchange::reset() noexcept {
  next = nullptr;
  stream = 0;
  state = ExchangeState::receiving;
  is_complete = sink_waits = is_held_back = is_cut = false;
  refused.reset();
  sent_bytes = 0;
  if (streamed != nullptr) streamed.reset();
  status = 0;
  error = ErrorType::none;
  target_size = request_id_size = 0;
  parameters = {};
  head = nullptr;
  route = nullptr;
  route_id = kRouteUnmatched;
  settings = nullptr;
  if (settings_keeper != nullptr) settings_keeper.reset();
  if (kept != nullptr) kept.reset();
  body_view = {};
  body.clear();
  trailers = {};
  body_bytes = held_bytes = 0;
  if (sink != nullptr) sink.reset();
  if (backlog.capacity() != 0) std::vector<std::byte>{}.swap(backlog);
  if (link != nullptr) link.reset();
  if (log_texts != nullptr) log_texts.reset();
  first_byte = {};
  handler_due = kNever;
  body_window.end();
}

ExchangePool::~ExchangePool() {
  while (free_ != nullptr) delete std::exchange(free_, free_->next);
}

Exchange* ExchangePool::take() {
  ++lent_;
  if (free_ == nullptr) {
    ++made_;
    return new Exchange;
  }
  ++reused_;
  Exchange* out = std::exchange(free_, free_->next);
  --free_count_;
  out->next = nullptr;
  return out;
}

telemetry::PoolCount ExchangePool::count() const noexcept {
  return {lent_ * sizeof(Exchange), free_count_ * sizeof(Exchange), reused_, made_};
}

void ExchangePool::give_back(Exchange* exchange) noexcept {
  --lent_;
  if (free_count_ >= kKeptAtMost) {
    delete exchange;
    return;
  }
  exchange->reset();
  exchange->next = free_;
  free_ = exchange;
  ++free_count_;
}

}  // namespace equinox::server
