#include "server/connection.hpp"
#include "server/lending.hpp"

namespace equinox::server {

namespace {
/// Rounds of pull and write in one turn: 16 × the high watermark, then others get their share.
constexpr int kRoundsPerTurn = 16;
}  // namespace

EgressBatch& Connection::batch(Lending& lent) {
  if (egress_ == nullptr) egress_ = lent.batches.take();
  return *egress_;
}

void Connection::return_batch(Lending& lent) {
  // What was answered after the last pull is still to be put into this one, where its first byte is looked for.
  if (egress_ != nullptr && egress_->empty() && !owes_egress_) lent.batches.give_back(std::move(egress_));
}

void Connection::pump(Lending& lent) {
  if (codec_ == nullptr && egress_ == nullptr) return;
  bool may_have_more = is_http2();
  for (const Exchange* x = exchanges_; x != nullptr && !may_have_more; x = x->next) {
    may_have_more = x->state == ExchangeState::responding;
  }
  owes_egress_ = false;
  for (int round = 0;; ++round) {
    if (round == kRoundsPerTurn) {
      owes_egress_ = true;
      break;
    }
    if (may_have_more && codec_ != nullptr && !awaits_preface_ && pending_bytes() < kHighWatermarkBytes) {
      lent.telemetry.doing(is_http2() ? StallCause::h2 : StallCause::write);
      codec_->transmit(batch(lent), kHighWatermarkBytes, lent.events, lent.now);
      apply_events(lent);
    }
    if (egress_ == nullptr || egress_->empty()) {
      finish_sent(lent);
      break;
    }
    if (!is_writable_) break;
    const std::uint64_t before = egress_->consumed_total();
    lent.telemetry.doing(StallCause::write);
    const net::IoResult result = transport_->write(*egress_);
    lent.fine = lent.clock.now();
    account_sent(lent, egress_->consumed_total() - before);
    finish_sent(lent);
    if (result.status == net::IoStatus::would_block) {
      is_writable_ = false;
      break;
    }
    if (result.status != net::IoStatus::ok) {
      on_io_failure(lent, result.error);
      return;
    }
    if (!egress_->empty()) break;  // it has had its share of the turn
    if (!may_have_more || exchanges_ == nullptr) {
      if (!is_http2() || !codec_->state().wants_transmit) break;
    }
  }
  if (codec_ != nullptr && is_http2()) {
    if (h2_->held_back != 0 && !codec_->is_finished()) run_held_back(lent);
    account_counters(lent);
    // Found while sending; what was found while receiving has ended it already.
    const Error* failure = codec_accepts_ || is_ending() ? nullptr : codec_->failure();
    if (failure != nullptr) refuse_request(lent, nullptr, failure->code);
  }
  const bool is_stuck = (egress_ != nullptr && !egress_->empty()) || window_blocked_;
  if (!is_stuck) {
    if (aside_ != nullptr) aside_->write_window.end();
  } else if (!is_behind()) {
    begin_write_window(lent);
  } else {
    look_again_while_blocked(lent);
  }
  return_batch(lent);
}

void Connection::finish_sent(Lending& lent) {
  if (egress_ == nullptr) return;
  const std::uint64_t gone = egress_->consumed_total();
  for (Exchange* x = exchanges_; x != nullptr;) {
    Exchange* next = x->next;
    if (x->state == ExchangeState::responding || x->state == ExchangeState::sent) {
      if (x->first_byte == TimePoint{} && gone > x->egress_begin) x->first_byte = lent.fine;
      if (x->state == ExchangeState::sent && x->egress_end <= gone) complete(lent, *x);
    }
    x = next;
  }
}

}  // namespace equinox::server
