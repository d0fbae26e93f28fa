// What a running server answers about itself, as far as it is not in its cells.

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <utility>

#include "server/connection.hpp"
#include "server/server_internal.hpp"

namespace equinox {

namespace {

std::int64_t seconds_of(std::chrono::system_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}

}  // namespace

std::vector<ConfigFact> Server::Internal::config_facts() const {
  const std::lock_guard lock{mutex};
  return facts;
}

DrainState Server::Internal::shown_drain_state() const {
  const bool is_delay =
      drain_state == DrainState::draining && telemetry::wall_now_ns() - drain_started_wall_ns < drain_delay.count();
  return is_delay ? DrainState::delay : drain_state;
}

LiveFacts Server::Internal::live() const {
  LiveFacts out;
  const auto now = settings();
  std::int64_t certificates_loaded_ns = 0;
  {
    const std::lock_guard lock{mutex};
    out.ready = is_started && !is_stopped && drain_state == DrainState::none;
    out.drain = shown_drain_state();
    out.drain_started_wall_ns = drain_started_wall_ns;
    out.drain_delay_ns = Duration{config.drain.delay}.count();
    out.drain_timeout_ns = Duration{config.drain.timeout}.count();
    out.drain_by = drain_by;
    out.last_reload_wall_ns = last_reload_wall_ns;
    const auto& refusal = config_refusal ? config_refusal : certificates_refusal;
    out.last_reload_successful = !refusal;
    out.last_reload_error = refusal.value_or("");
    certificates_loaded_ns = certificates_wall_ns != 0 ? certificates_wall_ns : view->identity().started_wall_ns;
  }
  out.connections_limit = admission->limit();
  out.h2_concurrent_streams = now->limits.h2_concurrent_streams;
  out.slow_threshold_ns = static_cast<std::int64_t>(now->slow_ns);
  out.stall_threshold_ns = static_cast<std::int64_t>(now->stall_ns);
  for_each_word<DeadlineKind>([&](DeadlineKind kind) {
    if (kind == DeadlineKind::none) return;
    out.timeouts.push_back({kind, Duration{server::length_of(kind, now->timeouts)}.count()});
  });
  for (std::size_t i = 0; is_started && i < bound.size(); ++i) {
    ListenerFacts facts_of;
    facts_of.name = bound[i].name;
    facts_of.address = bound[i].address;
    facts_of.tls = now->listeners[i].is_tls;
    facts_of.connections_limit = admission->limit();
    for (const auto& [listener, socket] : queues) {
      const auto open = listener == i ? socket.lock() : nullptr;
      if (open == nullptr) continue;
      const net::AcceptQueue queue = open->accept_queue();
      facts_of.accept_queue_length = facts_of.accept_queue_length.value_or(0) + queue.length;
      facts_of.accept_queue_limit = facts_of.accept_queue_limit.value_or(0) + queue.limit;
    }
    out.listeners.push_back(std::move(facts_of));
    if (now->listeners[i].tls == nullptr) continue;
    for (const net::TlsCertificateFacts& certificate : now->listeners[i].tls->certificates()) {
      CertificateFacts shown;
      shown.name = certificate.name;
      shown.listener = bound[i].name;
      shown.names = certificate.names;
      shown.issuer = certificate.issuer;
      shown.key = certificate.key;
      shown.not_before_s = seconds_of(certificate.not_before);
      shown.not_after_s = seconds_of(certificate.not_after);
      shown.self_signed = certificate.issuer == certificate.subject;
      shown.loaded_wall_ns = certificates_loaded_ns;
      out.certificates.push_back(std::move(shown));
    }
  }
  for (std::size_t p = 0; p < kCount<BufferPool>; ++p) {
    PoolFacts pool;
    pool.name = to_string(static_cast<BufferPool>(p));
    for (std::uint32_t r = 0; r < reactor_count; ++r) {
      const telemetry::PoolCount count = view->reactor(r).pools().get(static_cast<BufferPool>(p));
      pool.used_bytes += count.used_bytes;
      pool.free_bytes += count.free_bytes;
      pool.hits += count.hits;
      pool.misses += count.misses;
    }
    out.pools.push_back(std::move(pool));
  }
  out.workers = workers.facts();
  for (std::size_t c = 0; c < kLogComponents; ++c) {
    const auto component = static_cast<LogComponent>(c);
    out.log_components.emplace_back(to_string(component));
    std::array<std::uint64_t, kLogLevels> counts{};
    for (std::size_t level = 0; level < kLogLevels; ++level)
      counts[level] = server_log.count(static_cast<LogLevel>(level), component);
    out.log_messages.push_back(counts);
  }
  return out;
}

std::optional<ConnectionInside> Server::Internal::inside(ConnectionId id, std::chrono::milliseconds timeout) const {
  if (!is_started || id.reactor() >= reactors.size()) return std::nullopt;
  auto promise = std::make_shared<std::promise<std::optional<ConnectionInside>>>();
  std::future<std::optional<ConnectionInside>> answer = promise->get_future();
  // The letter alone holds the promise, so that a reactor that ends without reading it breaks it.
  const bool posted =
      reactors[id.reactor()]->post(server::TaskMail{[promise = std::move(promise), id](server::Reactor& reactor) {
        server::Connection* connection = reactor.find(id);
        promise->set_value(connection == nullptr ? std::nullopt
                                                 : std::optional{connection->inside(reactor.lending().now)});
      }});
  if (!posted || answer.wait_for(std::min(timeout, server::kLongest)) != std::future_status::ready) return std::nullopt;
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return std::nullopt;
  }
}

}  // namespace equinox
