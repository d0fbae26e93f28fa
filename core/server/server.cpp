#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <equinox/server.hpp>
#include <stdexcept>
#include <system_error>

#include "server/server_internal.hpp"

namespace equinox {
namespace {

/// SIGINT and SIGTERM as something to wait for; the thread's mask is as it was when this goes.
class BlockedSignals {
 public:
  /// @throws std::system_error  no descriptor is left
  BlockedSignals() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    // Opened once: when a drain is to be ended, the last descriptor may have gone to a connection.
    descriptor_ = UniqueFd{::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!descriptor_) throw std::system_error{errno, std::generic_category(), "signalfd"};
    ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  /// From now on they do what they do without a server, which is to end the process. Those that have come are taken:
  /// the end they ask for is under way.
  void let_through() const noexcept {
    while (take()) {
    }
    ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  }

  /// Waits for one of them or for `end`, and takes it. @return whether it was a signal
  [[nodiscard]] bool arrive_before(const net::Wakeup& end) const {
    std::array<pollfd, 2> ready{pollfd{descriptor_.get(), POLLIN, 0}, pollfd{end.descriptor(), POLLIN, 0}};
    ::poll(ready.data(), ready.size(), -1);
    return take();
  }

 private:
  [[nodiscard]] bool take() const noexcept {
    signalfd_siginfo info{};
    return ::read(descriptor_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  }

  sigset_t signals_{};
  sigset_t before_{};
  UniqueFd descriptor_;
};

}  // namespace

Server::Server(ServerConfig config) : internal_{std::make_unique<Internal>(std::move(config), *this)} {}

Server::~Server() { stop(); }

void Server::start() {
  internal_->start();
  seal();
}

int Server::run() {
  try {
    // Blocked before any thread exists, so that only the descriptor tells of them.
    const BlockedSignals signals;
    start();
    bool is_second = false;
    while (!wait_for(std::chrono::milliseconds{0})) {
      if (!signals.arrive_before(*internal_->over)) continue;
      if (is_second) {
        signals.let_through();  // handlers and offloaded work are waited for, however long they take
        stop();
      } else {
        drain();
      }
      is_second = true;
    }
    signals.let_through();
    stop();  // offloaded work ends, too, before what it uses may go
  } catch (const std::system_error& failure) {
    internal_->log(LogLevel::error, failure.what());
    return 1;
  }
  return 0;
}

void Server::drain(bool keep_listeners, std::string_view by) { internal_->drain(keep_listeners, by); }
bool Server::undrain() { return internal_->undrain(); }
void Server::stop() { internal_->stop(CloseReason::shutdown); }
void Server::wait() { static_cast<void>(internal_->wait(std::nullopt)); }
bool Server::wait_for(std::chrono::milliseconds timeout) { return internal_->wait(timeout); }

const std::vector<BoundListener>& Server::listeners() const noexcept {
  static const std::vector<BoundListener> kNone;
  return internal_->is_started ? internal_->bound : kNone;
}
std::uint16_t Server::port() const noexcept {
  return listeners().empty() ? std::uint16_t{0} : listeners().front().port;
}
const ServerView& Server::view() const noexcept { return *internal_->view; }

bool Server::close(ConnectionId id, CloseReason reason, std::string_view actor) {
  if (!internal_->is_started || id.reactor() >= internal_->reactors.size() || !internal_->view->record(id))
    return false;
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
  // During the delay requests still come as before.
  out.is_done = out.is_draining && out.requests_in_flight == 0 && internal_->shown_drain_state() != DrainState::delay;
  return out;
}

void Server::reload(const ServerConfig& config, const Routes& routes) {
  internal_->reload([&] { return internal_->prepare(config, routes); }, &Internal::config_refusal);
}
void Server::reload_certificates() {
  internal_->reload([&] { return internal_->prepare_certificates(); }, &Internal::certificates_refusal);
}
void Server::set_log_level(LogLevel level) {
  const std::lock_guard lock{internal_->mutex};
  internal_->config.log.level = level;  // or the next reload of certificates would take it back
  internal_->server_log.set_level(level);
}
void Server::reopen_logs() {
  for (const Log* log : {&internal_->server_log, &internal_->access_log}) {
    if (!*log) continue;
    if (auto reopened = log->reopen(); !reopened) internal_->log(LogLevel::error, "a log file cannot be reopened");
  }
}
void Server::set_hooks(Hooks hooks) {
  {
    const std::lock_guard lock{internal_->mutex};
    if (internal_->is_starting || internal_->is_started)
      throw std::logic_error{"the server was started: reactors read its hooks"};
  }
  internal_->hooks = std::move(hooks);
}
void Server::set_config_facts(std::vector<ConfigFact> facts) {
  const std::lock_guard lock{internal_->mutex};
  internal_->facts = std::move(facts);
}
void Server::note_reload_failure(std::string error) {
  internal_->note_refusal(&Internal::config_refusal, std::move(error));
}
bool Server::offload(std::function<void()> work) {
  if (!work) throw std::invalid_argument{"offload: an empty function"};
  return internal_->workers.submit(std::move(work));
}

}  // namespace equinox
