#include "server/reactor.hpp"

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <system_error>

#include "net/tls_transport.hpp"
#include "server/connection.hpp"

namespace equinox::server {

namespace {

// Tokens with generation 0 are never connections.
constexpr std::uint64_t kMailToken = 0;
constexpr std::uint64_t token_of_listener(std::size_t which) noexcept {
  return ConnectionId{static_cast<std::uint32_t>(which) + 1, 0}.packed();
}
constexpr std::uint32_t kRefusalBit = 0x8000'0000U;
constexpr std::uint64_t token_of_refusal(std::uint32_t slot) noexcept {
  return ConnectionId{slot | kRefusalBit, 0}.packed();
}

constexpr int kAcceptsPerTurn = 256;
/// More than any accept queue holds; a flood must not keep a drain from closing.
constexpr int kLastShares = 64;
/// Every healthy reactor turns at least once a second.
constexpr Duration kLongestWait = std::chrono::seconds{1};
constexpr Duration kAcceptPause = std::chrono::milliseconds{100};
/// A condition that lasts is told so often.
constexpr Duration kBetweenWarnings = std::chrono::seconds{10};
/// Younger idle connections are not evicted for a newcomer.
constexpr Duration kEvictableAfter = std::chrono::seconds{1};
/// Between the two GOAWAYs lies at least a round trip (RFC 9113 §6.8); an idle HTTP/1 peer gets the same time.
constexpr Duration kBetweenGoaways = std::chrono::seconds{1};

template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) throw std::system_error{result.error().os_errno, std::generic_category(), what};
  return std::move(*result);
}

ConnectionRejectReason reject_reason_of(Admission::Verdict verdict) noexcept {
  switch (verdict) {
    case Admission::Verdict::client_full: return ConnectionRejectReason::per_client_limit;
    case Admission::Verdict::memory: return ConnectionRejectReason::memory;
    case Admission::Verdict::admitted:
    case Admission::Verdict::full: break;
  }
  return ConnectionRejectReason::max_connections;
}

std::int64_t wall_now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Reactor::Reactor(Setup setup)
    : lent_{setup.index, setup.clock, setup.server_field, *setup.telemetry},
      name_{std::move(setup.name)},
      poller_{must(net::Poller::open(), "epoll_create1")},
      mailbox_{std::make_shared<ReactorMailbox>(must(net::Wakeup::open(), "eventfd"))},
      listeners_{std::move(setup.listeners)},
      admission_{setup.admission},
      table_{setup.index},
      refusals_{setup.refusal_slots},
      server_log_{std::move(setup.server_log)},
      access_log_{std::move(setup.access)} {
  lent_.settings = std::move(setup.settings);
  lent_.limits = lent_.settings->limits;
  lent_.log = std::move(setup.log);
  lent_.access_log = std::move(setup.access_log);
  lent_.hooks = setup.hooks;
  lent_.request_ids = RequestIds{setup.request_id_prefix};
  const std::weak_ptr<ReactorMailbox> box = mailbox_;
  auto mail = std::make_shared<http::ExchangeLink::Mail>();
  mail->answer = [box](ConnectionId id, StreamId stream, Response&& response) {
    if (const auto open = box.lock()) open->push(AnswerMail{id, stream, std::move(response)});
  };
  mail->resume = [box](ConnectionId id, StreamId stream) {
    if (const auto open = box.lock()) open->push(ResumeMail{id, stream});
  };
  lent_.mail = std::move(mail);
  if (auto added = poller_.add_level(mailbox_->descriptor(), kMailToken); !added) {
    throw std::system_error{added.error().os_errno, std::generic_category(), "epoll_ctl"};
  }
  set_accepting(true);
}

Reactor::~Reactor() { mailbox_->close(); }

void Reactor::set_accepting(bool is_accepting) {
  is_accepting_ = is_accepting;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].listener == nullptr) continue;
    const net::Listener& listener = *listeners_[i].listener;
    if (!is_accepting) {
      poller_.remove(listener.descriptor());
      continue;
    }
    const auto added = listeners_[i].is_shared ? poller_.add_exclusive(listener.descriptor(), token_of_listener(i))
                                               : poller_.add_level(listener.descriptor(), token_of_listener(i));
    if (!added) throw std::system_error{added.error().os_errno, std::generic_category(), "epoll_ctl"};
  }
}

void Reactor::run() {
  ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
  lent_.telemetry.thread_began();
  lent_.now = lent_.fine = turn_ended_ = lent_.clock.now();
  tick_second();
  while (!is_stopping_) turn();
  reap();
  mailbox_->close();
}

Duration Reactor::patience() const noexcept {
  if (!run_queue_.empty()) return Duration{0};
  Duration wait = lent_.wheel.until_next(lent_.now, kLongestWait);
  const auto until = [&](TimePoint at) {
    if (at != kNever) wait = std::min(wait, std::max(Duration{0}, at - lent_.now));
  };
  until(accept_again_at_);
  until(refusals_.next_due());
  if (drain_) {
    until(drain_->close_at);
    until(drain_->final_at);
    until(drain_->timeout_at);
  }
  return wait;
}

void Reactor::turn() {
  const TimePoint before = turn_ended_;  // nothing but a few counters lies between
  const std::span<const net::ReadyEvent> ready = poller_.wait(patience());
  lent_.now = lent_.fine = lent_.clock.now();
  lent_.telemetry.turn_began(lent_.now.time_since_epoch().count());
  lent_.wall_ns = lent_.now.time_since_epoch().count() + wall_offset_ns_;
  events_ = static_cast<std::uint32_t>(ready.size());
  const Duration waited = lent_.now - before;
  if (lent_.now - last_second_ >= std::chrono::seconds{1}) tick_second();
  for (const net::ReadyEvent& event : ready) dispatch(event);
  run_queued();
  expire_deadlines();
  keep_house();
  reap();
  watch_memory();
  const TimePoint after = turn_ended_ = lent_.clock.now();
  telemetry::LoopTurn facts;
  facts.wait_ns = waited.count();
  facts.busy_ns = (after - lent_.now).count();
  facts.events = events_;
  facts.wall_ns = after.time_since_epoch().count() + wall_offset_ns_;
  facts.steady_ns = after.time_since_epoch().count();
  lent_.telemetry.turn(facts);
}

void Reactor::dispatch(const net::ReadyEvent& ready) {
  const ConnectionId id = ConnectionId::unpack(ready.token);
  if (id.generation == 0) {
    if (ready.token == kMailToken) {
      read_mail();
    } else if ((id.slot & kRefusalBit) != 0) {
      refusals_.on_ready(id.slot & ~kRefusalBit);
    } else {
      accept_from(id.slot - 1);
    }
    return;
  }
  if (Connection* connection = table_.find(id)) handle(*connection, connection->advance(lent_, ready));
}

void Reactor::handle(Connection& connection, Turn outcome) {
  switch (outcome) {
    case Turn::waiting: return;
    case Turn::finished: finish(connection); return;
    case Turn::runnable:
      if (!connection.is_queued) {
        connection.is_queued = true;
        run_queue_.push_back(connection.id());
      }
      return;
  }
}

void Reactor::finish(Connection& connection) {
  if (connection.is_finished) return;
  connection.is_finished = true;
  finished_.push_back(connection.id());
}

void Reactor::reap() {
  if (finished_.empty()) return;
  for (const ConnectionId id : finished_) {
    Connection* connection = table_.find(id);
    if (connection == nullptr) continue;
    connection->settle_accounts(lent_);
    lent_.wheel.cancel(connection->timer());
    admission_->release(connection->peer());
    table_.erase(id);
  }
  finished_.clear();
  lent_.telemetry.stats().connections(table_.size());
  // A descriptor is free again: whoever waits in the accept queue need not wait for the timer.
  if (descriptors_exhausted_) accept_again_at_ = lent_.now;
}

bool Reactor::accept_from(std::size_t which) {
  if (listeners_[which].listener == nullptr || !is_accepting_) return false;
  net::Listener& listener = *listeners_[which].listener;
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    auto accepted = listener.accept();
    if (!accepted) {
      const Error error = accepted.error();
      lent_.telemetry.stats().rejected(static_cast<std::uint16_t>(which), error.code == Errc::out_of_memory
                                                                              ? ConnectionRejectReason::memory
                                                                              : ConnectionRejectReason::fd_exhausted);
      tell_exhausted(which, error);
      pause_accepting();
      return false;
    }
    if (!accepted->has_value()) return false;
    admit(which, std::move(**accepted));
  }
  return true;
}

void Reactor::tell_exhausted(std::size_t which, const Error& error) {
  // Tried again ten times a second and with each descriptor that is freed: the counter tells how often, the log that.
  if (exhausted_told_ != TimePoint{} && lent_.now - exhausted_told_ < kBetweenWarnings) return;
  exhausted_told_ = lent_.now;
  LogRecord record{LogLevel::warning, LogComponent::listener, "accepting pauses"};
  lent_.log.write(record.add("errno", error.os_errno).add("listener", lent_.settings->listeners[which].name));
}

void Reactor::pause_accepting() {
  // Level-triggered readiness would spin on a queue that cannot be taken: out of the poller until there is hope.
  descriptors_exhausted_ = true;
  set_accepting(false);
  accept_again_at_ = lent_.now + kAcceptPause;
}

void Reactor::resume_accepting() {
  accept_again_at_ = kNever;
  descriptors_exhausted_ = false;
  if (!drain_ || drain_->plan.keep_listeners || drain_->close_at != kNever) set_accepting(true);
}

void Reactor::admit(std::size_t which, net::Accepted accepted) {
  const auto listener = static_cast<std::uint16_t>(which);
  Admission::Verdict verdict = admission_->admit(accepted.peer);
  if (verdict == Admission::Verdict::full && evict_longest_idle()) verdict = admission_->admit(accepted.peer);
  if (verdict != Admission::Verdict::admitted) {
    refuse(which, std::move(accepted), reject_reason_of(verdict));
    return;
  }
  const ListenerSettings& settings = lent_.settings->listeners[which];
  const Connection::Origin origin{.id = {},
                                  .listener = listener,
                                  .is_tls = settings.is_tls,
                                  .expects_proxy_header = any_contains(settings.proxy_protocol_from, accepted.peer),
                                  .peer = accepted.peer};
  std::unique_ptr<net::Transport> encrypted;
  if (settings.is_tls) encrypted = std::make_unique<net::TlsTransport>(std::move(accepted.socket), settings.tls);
  Connection& connection = encrypted != nullptr ? table_.emplace(origin, std::move(encrypted), lent_)
                                                : table_.emplace(origin, std::move(accepted.socket), lent_);
  lent_.telemetry.stats().connections(table_.size());
  // Read at once: often the request is there already, and a connection that ends with it is never registered.
  const Turn outcome = connection.run_again(lent_);
  handle(connection, outcome);
  if (outcome == Turn::finished) return;
  if (auto added = poller_.add(connection.descriptor(), connection.id().packed()); !added) {
    connection.abandon(lent_, CloseReason::network_error);
    finish(connection);
  }
}

void Reactor::refuse(std::size_t which, net::Accepted accepted, ConnectionRejectReason reason) {
  lent_.telemetry.stats().rejected(static_cast<std::uint16_t>(which), reason);
  if (lent_.settings->listeners[which].is_tls) return;  // closed: a handshake is what could not be afforded
  const auto slot = refusals_.take(std::move(accepted.socket), lent_.now);
  if (!slot) return;
  if (!poller_.add(refusals_.descriptor(*slot), token_of_refusal(*slot))) return;  // expires by itself
  refusals_.on_ready(*slot);
}

bool Reactor::evict_longest_idle() {
  // Idle times only ever move later, so a sorted list of candidates stays correct while it is used up; making it costs
  // a scan, which must not happen for each newcomer of a storm.
  const auto pop = [&]() -> bool {
    while (!idle_candidates_.empty()) {
      const auto [since, id] = idle_candidates_.back();
      idle_candidates_.pop_back();
      Connection* connection = table_.find(id);
      if (connection == nullptr || connection->is_finished || !connection->is_idle() ||
          connection->idle_since() != since)
        continue;
      if (lent_.now - since < kEvictableAfter) return false;
      static_cast<void>(connection->close(lent_, CloseReason::connection_limit));
      finish(*connection);
      // Its place is taken over at once: the newcomer must not wait for the end of the turn.
      reap();
      return true;
    }
    return false;
  };
  if (pop()) return true;
  if (candidates_at_ != TimePoint{} && lent_.now - candidates_at_ < std::chrono::milliseconds{100}) return false;
  candidates_at_ = lent_.now;
  idle_candidates_.clear();
  table_.for_each([&](Connection& connection) {
    if (connection.is_idle() && lent_.now - connection.idle_since() >= kEvictableAfter) {
      idle_candidates_.emplace_back(connection.idle_since(), connection.id());
    }
  });
  std::sort(idle_candidates_.begin(), idle_candidates_.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  return pop();
}

void Reactor::run_queued() {
  running_.swap(run_queue_);
  for (const ConnectionId id : running_) {
    Connection* connection = table_.find(id);
    if (connection == nullptr || connection->is_finished) continue;
    connection->is_queued = false;
    handle(*connection, connection->run_again(lent_));
  }
  running_.clear();
}

void Reactor::expire_deadlines() {
  expired_.clear();
  lent_.wheel.expire(lent_.now, expired_);
  if (!expired_.empty()) lent_.telemetry.doing(StallCause::timer);
  for (const std::uint64_t token : expired_) {
    Connection* connection = table_.find(ConnectionId::unpack(token));
    if (connection != nullptr && !connection->is_finished) handle(*connection, connection->expire(lent_));
  }
}

void Reactor::read_mail() {
  lent_.telemetry.doing(StallCause::mailbox);
  mailbox_->take_all(mail_);
  lent_.telemetry.stats().mailbox_length(mail_.size());
  for (Mail& mail : mail_) take(mail);
  mail_.clear();
}

void Reactor::take(Mail& mail) {
  if (auto* answer = std::get_if<AnswerMail>(&mail)) {
    Connection* connection = table_.find(answer->connection);
    if (connection == nullptr || connection->is_finished) return;
    handle(*connection, connection->answer(lent_, answer->stream, std::move(answer->response)));
  } else if (auto* resume = std::get_if<ResumeMail>(&mail)) {
    Connection* connection = table_.find(resume->connection);
    if (connection == nullptr || connection->is_finished) return;
    handle(*connection, connection->resume(lent_, resume->stream));
  } else if (auto* close = std::get_if<CloseMail>(&mail)) {
    Connection* connection = table_.find(close->connection);
    if (connection == nullptr || connection->is_finished) return;
    handle(*connection, connection->close(lent_, close->reason, close->actor));
  } else {
    std::get<TaskMail>(mail)(*this);
  }
}

void Reactor::watch_memory() {
  // Between the seconds it is received bytes that fill the memory; a step this large is worth telling at once.
  constexpr std::uint64_t kStepBytes = 256 * 1024;
  const std::uint64_t moved = lent_.input_bytes - input_told_;
  if (moved + kStepBytes > 2 * kStepBytes) publish_pools();
}

void Reactor::keep_house() {
  if (accept_again_at_ <= lent_.now) resume_accepting();
  if (refusals_.next_due() <= lent_.now) refusals_.expire(lent_.now);
  if (drain_) advance_drain();
}

void Reactor::tick_second() {
  last_second_ = lent_.now;
  wall_offset_ns_ = wall_now_ns() - lent_.clock.now().time_since_epoch().count();
  lent_.wall_ns = lent_.now.time_since_epoch().count() + wall_offset_ns_;
  lent_.date.update(std::chrono::system_clock::now());
  timespec cpu{};
  if (::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0) {
    lent_.telemetry.stats().cpu(static_cast<std::uint64_t>(cpu.tv_sec) * 1'000'000'000U +
                                static_cast<std::uint64_t>(cpu.tv_nsec));
  }
  if (lent_.reactor == 0) {
    const auto tell = [&](const Log& log, LogChannel channel, std::uint64_t& told) {
      const std::uint64_t lost = log ? log.dropped() : 0;
      if (lost > told) lent_.telemetry.stats().log_dropped(channel, lost - told);
      told = std::max(told, lost);
    };
    tell(server_log_, LogChannel::server, server_log_dropped_);
    tell(access_log_, LogChannel::access, access_log_dropped_);
  }
  publish_pools();
  if (drain_) {
    std::uint64_t count = 0;
    table_.for_each([&](Connection& connection) { count += connection.requests_in_flight(); });
    in_flight_.store(count, std::memory_order_relaxed);
  }
}

void Reactor::publish_pools() {
  const http::Http1ParserPool& parsers = lent_.parsers;
  const http::Http2Memory& memory = lent_.h2_memory;
  const std::array<telemetry::PoolCount, kCount<BufferPool>> counts{
      lent_.batches.count(),
      {parsers.lent() * sizeof(http::Http1Parser), parsers.free_count() * sizeof(http::Http1Parser),
       parsers.reused_count(), parsers.made_count()},
      lent_.exchanges.count(),
      {memory.used_bytes(), memory.kept_bytes(), memory.reused_count(), memory.made_count()}};
  std::uint64_t bytes = input_told_ = lent_.input_bytes;
  for (std::size_t p = 0; p < counts.size(); ++p) {
    lent_.telemetry.pools().set(static_cast<BufferPool>(p), counts[p]);
    bytes += counts[p].used_bytes + counts[p].free_bytes;
  }
  admission_->tell_memory(memory_told_, bytes);
  memory_told_ = bytes;
}

void Reactor::begin_drain(const DrainPlan& plan) {
  if (drain_ && !drain_->plan.keep_listeners) return;
  Drain drain;
  drain.plan = plan;
  drain.close_at = lent_.now + plan.delay;
  drain.final_at = lent_.now + std::max(plan.delay, kBetweenGoaways);
  drain.timeout_at = plan.keep_listeners ? kNever : lent_.now + plan.delay + plan.timeout;
  const bool was_draining = drain_.has_value();
  drain_ = drain;
  lent_.drain_reason = plan.reason;
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
    table_.for_each([&](Connection& connection) {
      if (!connection.is_finished) handle(connection, connection.drain_step(lent_));
    });
  }
  if (drain_->timeout_at <= lent_.now) {
    drain_->timeout_at = kNever;
    abandon_all(CloseReason::shutdown_timeout);
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

void Reactor::abandon_all(CloseReason reason) {
  table_.for_each([&](Connection& connection) {
    if (connection.is_finished) return;
    connection.abandon(lent_, reason);
    finish(connection);
  });
}

void Reactor::stop(CloseReason reason) {
  close_listeners();
  abandon_all(reason);
  is_stopping_ = true;
}

void Reactor::apply(std::shared_ptr<const Settings> settings) {
  lent_.settings = std::move(settings);
  lent_.limits = lent_.settings->limits;
  lent_.telemetry.set_thresholds(static_cast<std::int64_t>(lent_.settings->slow_ns),
                                 static_cast<std::int64_t>(lent_.settings->stall_ns));
  table_.for_each([&](Connection& connection) {
    if (!connection.is_finished) handle(connection, connection.rearm(lent_));
  });
}

}  // namespace equinox::server
