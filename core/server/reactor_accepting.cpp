// How a reactor takes, admits and refuses connections.

#include <algorithm>

#include "net/tls_transport.hpp"
#include "server/connection.hpp"
#include "server/reactor.hpp"
#include "server/reactor_tokens.hpp"

namespace equinox::server {

namespace {

constexpr int kAcceptsPerTurn = 256;
constexpr Duration kAcceptPause = std::chrono::milliseconds{100};
/// A condition that lasts is told so often.
constexpr Duration kBetweenWarnings = std::chrono::seconds{10};
/// One newcomer may have so many idle connections closed: more than one are in its way after a reload with a smaller
/// limit. What is left for the next one is bounded work for this turn.
constexpr int kEvictionsForOne = 64;
/// Younger idle connections are not evicted for a newcomer.
constexpr Duration kEvictableAfter = std::chrono::seconds{1};

ConnectionRejectReason reject_reason_of(Admission::Verdict verdict) noexcept {
  switch (verdict) {
    case Admission::Verdict::client_full: return ConnectionRejectReason::per_client_limit;
    case Admission::Verdict::memory: return ConnectionRejectReason::memory;
    case Admission::Verdict::admitted:
    case Admission::Verdict::full: break;
  }
  return ConnectionRejectReason::max_connections;
}

}  // namespace

Result<void> Reactor::set_accepting(bool is_accepting) {
  is_accepting_ = is_accepting;
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].listener == nullptr) continue;
    const net::Listener& listener = *listeners_[i].listener;
    if (!is_accepting) {
      poller_.remove(listener.descriptor());
      continue;
    }
    auto added = listeners_[i].is_shared ? poller_.add_exclusive(listener.descriptor(), token_of_listener(i))
                                         : poller_.add_level(listener.descriptor(), token_of_listener(i));
    if (added) continue;
    static_cast<void>(set_accepting(false));  // all or none: the next try adds each of them
    return added;
  }
  return {};
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
  static_cast<void>(set_accepting(false));
  accept_again_at_ = lent_.now + kAcceptPause;
}

void Reactor::resume_accepting() {
  accept_again_at_ = kNever;
  descriptors_exhausted_ = false;
  if (drain_ && !drain_->plan.keep_listeners && drain_->close_at == kNever) return;
  // Watching a listener takes memory of the kernel, which may be what is short.
  if (!set_accepting(true)) pause_accepting();
}

void Reactor::admit(std::size_t which, net::Accepted accepted) {
  const auto listener = static_cast<std::uint16_t>(which);
  const ListenerSettings& settings = lent_.settings->listeners[which];
  const bool expects_proxy_header = any_contains(settings.proxy_protocol_from, accepted.peer);
  const Endpoint* client = expects_proxy_header ? nullptr : &accepted.peer;
  std::uint16_t counted_in = 0;
  Admission::Verdict verdict = admission_->admit(client, counted_in);
  for (int i = 0; verdict == Admission::Verdict::full && i < kEvictionsForOne && evict_longest_idle(); ++i) {
    verdict = admission_->admit(client, counted_in);
  }
  if (verdict != Admission::Verdict::admitted) {
    refuse(which, std::move(accepted), reject_reason_of(verdict));
    return;
  }
  const Connection::Origin origin{.id = {},
                                  .listener = listener,
                                  .is_tls = settings.is_tls,
                                  .expects_proxy_header = expects_proxy_header,
                                  .counted_in = counted_in,
                                  .peer = accepted.peer};
  std::unique_ptr<net::Transport> encrypted;
  if (settings.is_tls) {
    encrypted = std::make_unique<net::TlsTransport>(std::move(accepted.socket), settings.tls, &lent_.input_bytes);
  }
  Connection& connection = encrypted != nullptr ? table_.emplace(origin, std::move(encrypted), lent_)
                                                : table_.emplace(origin, std::move(accepted.socket), lent_);
  lent_.telemetry.stats().connections(table_.size());
  // Read at once: often the request is there already, and a connection that ends with it is never registered.
  lent_.telemetry.serving(connection.id());
  const Turn outcome = connection.run_again(lent_);
  handle(connection, outcome);
  if (outcome == Turn::finished) return;
  if (auto added = poller_.add(connection.descriptor(), connection.id().packed()); !added) {
    connection.abandon(lent_, CloseReason::network_error, added.error());
    finish(connection);
  }
}

void Reactor::refuse(std::size_t which, net::Accepted accepted, ConnectionRejectReason reason) {
  lent_.telemetry.stats().rejected(static_cast<std::uint16_t>(which), reason);
  const ListenerSettings& settings = lent_.settings->listeners[which];
  if (settings.is_tls) return;  // closed: a handshake is what could not be afforded
  const bool expects_proxy_header = any_contains(settings.proxy_protocol_from, accepted.peer);
  const auto slot = refusals_.take(std::move(accepted.socket), lent_.now, expects_proxy_header);
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

}  // namespace equinox::server
