// A reload in two steps: everything that can be wrong is found before anything changes.

#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>

#include "server/connection_table.hpp"
#include "server/server_internal.hpp"

namespace equinox {

namespace {

/// What the server was made with and cannot change: another value would be left out without a word.
void refuse_changes_for_a_restart(const ServerConfig& was, const ServerConfig& now) {
  const HistoryConfig& had = was.history;
  const HistoryConfig& has = now.history;
  const std::initializer_list<std::pair<const char*, bool>> changes{
      {"reactors", was.reactors != now.reactors},
      {"history.closed", had.closed != has.closed},
      {"history.slow", had.slow != has.slow},
      {"history.samples", had.samples != has.samples},
      {"history.recent", had.recent != has.recent},
      {"history.stalls", had.stalls != has.stalls},
      {"history.events", had.events != has.events},
      {"history.log", had.log != has.log},
      {"history.series", had.series != has.series},
      {"history.body_sizes", had.body_sizes != has.body_sizes},
      {"workers.threads", was.workers.threads != now.workers.threads},
      {"workers.queue", was.workers.queue != now.workers.queue},
      {"log.format", was.log.format != now.log.format},
      {"log.target", was.log.target != now.log.target},
      {"log.access", was.log.access != now.log.access},
      {"log.access_format", was.log.access_format != now.log.access_format},
      {"log.sink", static_cast<bool>(was.log.sink) != static_cast<bool>(now.log.sink)},
      {"observe", was.observe != now.observe},
      {"server_field", was.server_field != now.server_field},
      {"instance", was.instance != now.instance},
      {"name", was.name != now.name},
  };
  for (const auto& [key, is_another] : changes) {
    if (is_another) throw std::invalid_argument{std::string{key} + ": a change needs a restart"};
  }
}

}  // namespace

Server::Internal::PreparedReload Server::Internal::prepare(ServerConfig next, Routes next_routes) const {
  if (next.listeners.size() != config.listeners.size()) {
    throw std::invalid_argument{"listeners: their number needs a restart"};
  }
  for (std::size_t i = 0; i < next.listeners.size(); ++i) {
    const ListenerConfig& was = config.listeners[i];
    const ListenerConfig& now = next.listeners[i];
    if (was.address != now.address || server::listener_name(was) != server::listener_name(now) ||
        was.tls.has_value() != now.tls.has_value() || was.defer_accept != now.defer_accept) {
      throw std::invalid_argument{"listener \"" + server::listener_name(now) +
                                  "\": name, address, TLS and defer_accept need a restart"};
    }
  }
  if (const std::size_t room = view->records_per_reactor() - server::ConnectionTable::kChunk;
      server::connection_limit(next.limits) > room) {
    throw std::invalid_argument{"limits.connections: more than " + std::to_string(room) +
                                ", for which there is room since the start, needs a restart"};
  }
  refuse_changes_for_a_restart(config, next);
  next = server::with_bounded_times(std::move(next));
  PreparedReload out{std::move(next), std::move(next_routes), nullptr};
  out.settings = server::make_settings(
      out.config, out.routes, [&](std::string_view name) { return view->intern_route(name); }, settings().get());
  return out;
}

Server::Internal::PreparedReload Server::Internal::prepare_certificates() const {
  std::unique_lock lock{mutex};
  ServerConfig same = config;
  Routes same_routes = routes;
  lock.unlock();
  PreparedReload out = prepare(std::move(same), std::move(same_routes));
  out.is_of_certificates = true;
  return out;
}

void Server::Internal::commit(PreparedReload prepared) {
  const ServerConfig& next = prepared.config;
  admission->set_limits(server::connection_limit(next.limits), next.limits.connections_per_client);
  admission->set_memory_limit(next.limits.memory);
  {
    const std::lock_guard lock{mutex};
    current = prepared.settings;
    certificates_refusal.reset();
    if (!prepared.is_of_certificates) config_refusal.reset();
    certificates_wall_ns = telemetry::wall_now_ns();
    if (!config_refusal) last_reload_wall_ns = certificates_wall_ns;
    // All that makes settings: the next reload of certificates starts from it.
    config.timeouts = next.timeouts;
    config.limits = next.limits;
    config.drain = next.drain;
    config.listeners = next.listeners;
    config.trusted_proxies = next.trusted_proxies;
    config.redaction = next.redaction;
    config.request_ids = next.request_ids;
    config.history.slow_threshold = next.history.slow_threshold;
    config.history.stall_threshold = next.history.stall_threshold;
    config.log.level = next.log.level;
    server_log.set_level(next.log.level);
    std::swap(routes, prepared.routes);
  }
  post_all([settings = prepared.settings](server::Reactor& reactor) { reactor.apply(settings); });
}

void Server::Internal::note_refusal(std::optional<std::string> Internal::*refusal, std::string error) {
  const std::lock_guard lock{mutex};
  this->*refusal = std::move(error);
}

void Server::Internal::reload(const std::function<PreparedReload()>& prepared,
                              std::optional<std::string> Internal::*refusal) {
  const std::lock_guard one_after_the_other{reloading};
  try {
    commit(prepared());
  } catch (const std::invalid_argument& mistake) {
    note_refusal(refusal, mistake.what());
    throw;
  }
}

std::shared_ptr<const server::Settings> Server::Internal::settings() const {
  const std::lock_guard lock{mutex};
  return current;
}

}  // namespace equinox
