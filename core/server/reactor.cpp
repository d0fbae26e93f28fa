#include "server/reactor.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <system_error>

#include "server/connection.hpp"
#include "server/reactor_tokens.hpp"

namespace equinox::server {

namespace {

/// Every healthy reactor turns at least once a second.
constexpr Duration kSecond = std::chrono::seconds{1};

template <typename T>
T must(Result<T> result, const char* what) {
  if (!result) throw std::system_error{result.error().os_errno, std::generic_category(), what};
  return std::move(*result);
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
      mailbox_{
          std::make_shared<ReactorMailbox>(must(net::Wakeup::open(), "eventfd"), &lent_.telemetry.mailbox_length())},
      listeners_{std::move(setup.listeners)},
      admission_{setup.admission},
      observer_rest_{setup.observer_rest},
      table_{setup.index},
      refusals_{setup.refusal_slots},
      server_log_{std::move(setup.server_log)},
      access_log_{std::move(setup.access)} {
  lent_.admission = admission_;
  lent_.settings = std::move(setup.settings);
  lent_.limits = lent_.settings->limits;
  lent_.log = std::move(setup.log);
  lent_.access_log = std::move(setup.access_log);
  lent_.hooks = setup.hooks;
  lent_.request_ids = RequestIds{setup.request_id_process, setup.index};
  const std::weak_ptr<ReactorMailbox> box = mailbox_;
  auto mail = std::make_shared<http::ExchangeLink::Mail>();
  mail->answer = [box](const http::ExchangeLink::Shared& link, Response&& response) {
    if (const auto open = box.lock()) open->push(AnswerMail{link, std::move(response)});
  };
  mail->unanswered = [box](const http::ExchangeLink::Shared& link) {
    if (const auto open = box.lock()) open->push(AnswerMail{link, std::nullopt});
  };
  mail->resume = [box](const http::ExchangeLink::Shared& link) {
    if (const auto open = box.lock()) open->push(ResumeMail{link});
  };
  lent_.mail = std::move(mail);
  if (auto added = poller_.add_level(mailbox_->descriptor(), kMailToken); !added) {
    throw std::system_error{added.error().os_errno, std::generic_category(), "epoll_ctl"};
  }
  if (auto accepting = set_accepting(true); !accepting) {
    throw std::system_error{accepting.error().os_errno, std::generic_category(), "epoll_ctl"};
  }
}

Reactor::~Reactor() { mailbox_->close(); }

void Reactor::run() {
  ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
  // send and sendmsg are told not to raise it, sendfile cannot be: a peer that goes must not end the process.
  sigset_t pipe;
  ::sigemptyset(&pipe);
  ::sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  lent_.telemetry.thread_began();
  lent_.now = lent_.fine = turn_ended_ = lent_.clock.now();
  tick_second();
  while (!is_stopping_) turn();
  reap();
  lent_.telemetry.thread_ended();
  mailbox_->close();
}

Duration Reactor::patience() const noexcept {
  if (!run_queue_.empty()) return Duration{0};
  Duration wait = lent_.wheel.until_next(lent_.now, last_second_ + kSecond - lent_.now);
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

bool Reactor::has_due_work() const noexcept { return !run_queue_.empty() || drain_ || lent_.wheel.is_due(lent_.now); }

void Reactor::turn() {
  const TimePoint before = turn_ended_;  // nothing but a few counters lies between
  const std::span<const net::ReadyEvent> ready = poller_.wait(patience());
  lent_.now = lent_.ready_at = lent_.fine = lent_.clock.now();
  lent_.telemetry.turn_began(lent_.now.time_since_epoch().count());
  // A turn that only tells the second is over before anybody could look.
  if (observer_rest_ != nullptr && (!ready.empty() || has_due_work())) observer_rest_->turn_began();
  lent_.wall_ns = lent_.now.time_since_epoch().count() + wall_offset_ns_;
  events_ = static_cast<std::uint32_t>(ready.size());
  const Duration waited = lent_.now - before;
  if (lent_.now - last_second_ >= kSecond) tick_second();
  for (const net::ReadyEvent& event : ready) dispatch(event);
  if (!run_queue_.empty()) run_queued();
  if (lent_.wheel.is_due(lent_.now)) expire_deadlines();
  keep_house();
  if (!finished_.empty()) reap();
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
    lent_.telemetry.serving({});
    if (ready.token == kMailToken) {
      read_mail();
    } else if ((id.slot & kRefusalBit) != 0) {
      refusals_.on_ready(id.slot & ~kRefusalBit);
    } else {
      accept_from(id.slot - 1);
    }
    return;
  }
  lent_.telemetry.serving(id);
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
  for (const ConnectionId id : finished_) {
    Connection* connection = table_.find(id);
    if (connection == nullptr) continue;
    lent_.telemetry.serving(id);
    connection->settle_accounts(lent_);
    lent_.wheel.cancel(connection->timer());
    admission_->release(connection->client(), connection->counted_in());
    table_.erase(id);
  }
  finished_.clear();
  lent_.telemetry.stats().connections(table_.size());
  // A descriptor is free again: whoever waits in the accept queue need not wait for the timer.
  if (descriptors_exhausted_) accept_again_at_ = lent_.now;
}

void Reactor::run_queued() {
  running_.swap(run_queue_);
  for (const ConnectionId id : running_) {
    Connection* connection = table_.find(id);
    if (connection == nullptr || connection->is_finished) continue;
    connection->is_queued = false;
    lent_.telemetry.serving(id);
    handle(*connection, connection->run_queued(lent_));
  }
  running_.clear();
}

void Reactor::expire_deadlines() {
  expired_.clear();
  lent_.wheel.expire(lent_.now, expired_);
  if (!expired_.empty()) lent_.telemetry.doing(StallCause::timer);
  for (const std::uint64_t token : expired_) {
    const ConnectionId id = ConnectionId::unpack(token);
    Connection* connection = table_.find(id);
    lent_.telemetry.serving(id);
    if (connection != nullptr && !connection->is_finished) handle(*connection, connection->expire(lent_));
  }
}

void Reactor::read_mail() {
  lent_.telemetry.doing(StallCause::mailbox);
  mailbox_->take_all(mail_);
  for (Mail& mail : mail_) take(mail);
  mail_.clear();
}

void Reactor::take(Mail& mail) {
  if (auto* answer = std::get_if<AnswerMail>(&mail)) {
    lent_.telemetry.serving(answer->link->connection);
    Connection* connection = table_.find(answer->link->connection);
    if (connection == nullptr || connection->is_finished) return;
    handle(*connection, connection->answer(lent_, *answer->link, std::move(answer->response)));
  } else if (auto* resume = std::get_if<ResumeMail>(&mail)) {
    // Before the source is asked: what it says from now on is news.
    resume->link->is_resume_queued.exchange(false, std::memory_order_acq_rel);
    lent_.telemetry.serving(resume->link->connection);
    Connection* connection = table_.find(resume->link->connection);
    if (connection == nullptr || connection->is_finished) return;
    handle(*connection, connection->resume(lent_, *resume->link));
  } else if (auto* close = std::get_if<CloseMail>(&mail)) {
    lent_.telemetry.serving(close->connection);
    Connection* connection = table_.find(close->connection);
    if (connection == nullptr || connection->is_finished) return;
    handle(*connection, connection->close(lent_, close->reason, close->actor));
  } else {
    lent_.telemetry.serving({});
    std::get<TaskMail>(mail)(*this);
  }
}

void Reactor::watch_memory() {
  // Between the seconds it is received bytes that fill the memory; a step this large is worth telling at once.
  constexpr std::uint64_t kStepBytes = 256 * 1024;
  const std::uint64_t moved = lent_.input_bytes - lent_.input_told;
  if (moved + kStepBytes > 2 * kStepBytes) publish_pools();
}

void Reactor::keep_house() {
  lent_.telemetry.serving({});
  if (accept_again_at_ <= lent_.now) resume_accepting();
  if (refusals_.next_due() <= lent_.now) refusals_.expire(lent_.now);
  if (drain_) advance_drain();
}

void Reactor::tick_second() {
  wall_offset_ns_ = wall_now_ns() - lent_.clock.now().time_since_epoch().count();
  lent_.wall_ns = lent_.now.time_since_epoch().count() + wall_offset_ns_;
  // The seconds of the wall clock: Date changes when they do, and threads that wake together cost less.
  last_second_ = lent_.now - std::chrono::nanoseconds{lent_.wall_ns} % kSecond;
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
    // Here, not in the observer: there is none where nothing is to be observed.
    for (const ListenerSettings& listener : lent_.settings->listeners) {
      if (listener.tls != nullptr) listener.tls->ticket_keys()->rotate_if_due(lent_.now);
    }
  }
  publish_pools();
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
  std::uint64_t bytes = lent_.input_told = lent_.input_bytes;
  for (std::size_t p = 0; p < counts.size(); ++p) {
    lent_.telemetry.pools().set(static_cast<BufferPool>(p), counts[p]);
    bytes += counts[p].used_bytes + counts[p].free_bytes;
  }
  admission_->tell_memory(memory_told_, bytes);
  memory_told_ = bytes;
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
