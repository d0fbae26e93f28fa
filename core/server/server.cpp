#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <equinox/server.hpp>
#include <random>
#include <system_error>

#include "server/server_internal.hpp"

namespace equinox {

Server::Server(ServerConfig config) : internal_{std::make_unique<Internal>(std::move(config), *this)} {}

Server::~Server() { stop(); }

void Server::start() { internal_->start(); }

int Server::run() {
  // Blocked before any thread exists, so that only sigwait() below sees them.
  sigset_t signals;
  sigset_t before;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  int status = 0;
  try {
    start();
    int signal_number = 0;
    ::sigwait(&signals, &signal_number);
    drain();
    const timespec tick{.tv_sec = 0, .tv_nsec = 50'000'000};
    while (!wait_for(std::chrono::milliseconds{0})) {
      if (::sigtimedwait(&signals, nullptr, &tick) > 0) stop();
    }
  } catch (const std::system_error& failure) {
    internal_->log(LogLevel::error, failure.what());
    status = 1;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return status;
}

void Server::drain(bool keep_listeners, std::string_view by) { internal_->drain(keep_listeners, by); }
bool Server::undrain() { return internal_->undrain(); }
void Server::stop() { internal_->stop(CloseReason::shutdown); }
void Server::wait() { static_cast<void>(internal_->wait(std::nullopt)); }
bool Server::wait_for(std::chrono::milliseconds timeout) { return internal_->wait(timeout); }

const std::vector<BoundListener>& Server::listeners() const noexcept { return internal_->bound; }
std::uint16_t Server::port() const noexcept {
  return internal_->bound.empty() ? std::uint16_t{0} : internal_->bound.front().port;
}
const ServerView& Server::view() const noexcept { return *internal_->view; }

bool Server::close(ConnectionId id, CloseReason reason, std::string_view actor) {
  if (id.reactor() >= internal_->reactors.size() || !internal_->view->record(id)) return false;
  server::CloseMail mail{id, reason, {}};
  mail.actor.assign(actor);
  return internal_->reactors[id.reactor()]->post(mail);
}

DrainProgress Server::drain_progress() const {
  DrainProgress out;
  const ServerSnapshot snapshot = internal_->view->snapshot();
  const std::lock_guard lock{internal_->mutex};
  out.is_draining = internal_->drain_state != DrainState::none;
  out.connections = snapshot.connections();
  out.requests_in_flight = snapshot.requests_in_flight();
  out.is_done = out.is_draining && out.requests_in_flight == 0;
  return out;
}

void Server::reload(const ServerConfig& config, const Routes& routes) {
  internal_->reload([&] { return internal_->prepare(config, routes); });
}
void Server::reload_certificates() {
  internal_->reload([&] { return internal_->prepare_certificates(); });
}
void Server::set_log_level(LogLevel level) { internal_->server_log.set_level(level); }
void Server::reopen_logs() {
  for (const Log* log : {&internal_->server_log, &internal_->access_log}) {
    if (!*log) continue;
    if (auto reopened = log->reopen(); !reopened) internal_->log(LogLevel::error, "a log file cannot be reopened");
  }
}
void Server::set_hooks(Hooks hooks) { internal_->hooks = std::move(hooks); }
void Server::set_config_facts(std::vector<ConfigFact> facts) {
  const std::lock_guard lock{internal_->mutex};
  internal_->facts = std::move(facts);
}
void Server::note_reload_failure(std::string error) {
  const std::lock_guard lock{internal_->mutex};
  internal_->last_reload_successful = false;
  internal_->last_reload_error = std::move(error);
}
bool Server::offload(std::function<void()> work) { return internal_->workers.submit(std::move(work)); }

}  // namespace equinox
