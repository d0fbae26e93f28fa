// How a reactor comes to its end: by a drain, step by step, or at once.

#include <algorithm>
#include <vector>

#include "server/connection.hpp"
#include "server/reactor.hpp"

namespace equinox::server {

namespace {

/// More than any accept queue holds; a flood must not keep a drain from closing.
constexpr int kLastShares = 64;

}  // namespace

void Reactor::begin_drain(const DrainPlan& plan) {
  if (drain_ && !drain_->plan.keep_listeners) return;
  Drain drain;
  drain.plan = plan;
  drain.close_at = lent_.now + plan.delay;
  drain.final_at = lent_.now + std::max(plan.delay, kBetweenGoaways);
  drain.timeout_at = lent_.now + plan.delay + plan.timeout;
  const bool was_draining = drain_.has_value();
  drain_ = drain;
  lent_.drain_reason = plan.reason;
  lent_.drain_by = plan.by;
  lent_.drain_final_at = drain.final_at;
  if (!was_draining) {
    lent_.drain = DrainStage::announced;
    lent_.drain_began = lent_.now;
  }
  table_.for_each([&](Connection& connection) {
    if (!connection.is_finished) handle(connection, connection.drain_step(lent_));
  });
  advance_drain();
}

void Reactor::advance_drain() {
  if (drain_->close_at <= lent_.now) {
    drain_->close_at = kNever;
    if (!drain_->plan.keep_listeners) close_listeners();
  }
  if (drain_->final_at <= lent_.now) {
    drain_->final_at = kNever;
    lent_.drain = DrainStage::closing;
    std::vector<Connection*> idle;
    table_.for_each([&](Connection& connection) {
      if (connection.is_finished) return;
      if (connection.is_idle()) {
        idle.push_back(&connection);
      } else {
        handle(connection, connection.drain_step(lent_));
      }
    });
    // Deadlines of one moment come due in the order in which they were armed: who is idle longest goes first.
    std::ranges::stable_sort(idle, {}, &Connection::idle_since);
    for (Connection* connection : idle) handle(*connection, connection->drain_step(lent_));
  }
  if (drain_->timeout_at <= lent_.now) {
    drain_->timeout_at = kNever;
    // With listeners kept, who came after the delay has not had the time that was promised to those before.
    abandon_all(CloseReason::shutdown_timeout, drain_->plan.timeout,
                drain_->plan.keep_listeners ? lent_.drain_began + drain_->plan.delay : kNever);
  }
  if (!drain_->plan.keep_listeners && drain_->close_at == kNever && table_.size() == finished_.size())
    is_stopping_ = true;
}

void Reactor::close_listeners() {
  // What the kernel has accepted for us already is served; closing resets only what comes in this very moment, and what
  // no descriptor is left for.
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].listener == nullptr) continue;
    is_accepting_ = true;  // once more, though it may have paused
    for (int share = 0; share < kLastShares && accept_from(i); ++share) {
    }
    const bool ends_queue = !listeners_[i].is_shared || (drain_ && drain_->plan.ends_queues);
    if (ends_queue) {
      lent_.telemetry.stats().rejected(static_cast<std::uint16_t>(i), ConnectionRejectReason::draining,
                                       listeners_[i].listener->accept_queue().length);
    }
    poller_.remove(listeners_[i].listener->descriptor());
    listeners_[i].listener.reset();
  }
}

void Reactor::end_drain() {
  if (!drain_ || !drain_->plan.keep_listeners) return;
  drain_.reset();
  lent_.drain = DrainStage::none;
  table_.for_each([&](Connection& connection) {
    if (!connection.is_finished) handle(connection, connection.rearm(lent_));
  });
}

void Reactor::abandon_all(CloseReason reason, Duration after, TimePoint opened_before) {
  table_.for_each([&](Connection& connection) {
    if (connection.is_finished || connection.opened_at() > opened_before) return;
    connection.abandon(lent_, reason, {}, after);
    finish(connection);
  });
}

void Reactor::stop(CloseReason reason) {
  close_listeners();
  abandon_all(reason);
  is_stopping_ = true;
}

}  // namespace equinox::server
