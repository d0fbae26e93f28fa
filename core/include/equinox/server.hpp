#pragma once

#include <equinox/config.hpp>
#include <equinox/handler.hpp>
#include <equinox/hooks.hpp>
#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <equinox/routes.hpp>
#include <equinox/view.hpp>
#include <equinox/vocabulary.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace equinox {

/// One listening socket as it was bound.
struct BoundListener {
  std::string name;
  std::string address;  ///< with the real port
  std::uint16_t port{0};
};

/// How far a drain has come.
struct DrainProgress {
  bool is_draining{false};
  bool is_done{false};  ///< the delay is over and no request in flight
  std::uint64_t connections{0};
  std::uint64_t requests_in_flight{0};
};

/// An HTTP/1.1 and HTTP/2 server. Routes are added before start(); afterwards every member is safe from any thread, and
/// those that add routes or middleware throw std::logic_error.
/// No global state: several servers live in one process.
class Server : public Routes {
 public:
  /// @throws std::invalid_argument on a bad address, certificate or limit, std::system_error when a file of
  ///         `log.target` or `log.access` cannot be opened
  explicit Server(ServerConfig config = {});
  /// stop(): waits for handlers and offloaded work that run.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Opens the listeners and starts the reactors. Once: a server that was started or stopped does not start again.
  /// @throws std::invalid_argument for a duplicate route, std::system_error when a listener cannot be opened (the
  ///         message names address and errno), std::logic_error for a server that was started or stopped before
  void start();
  /// start(), then waits for SIGINT or SIGTERM, drains (a second signal ends at once), joins. Returns as well when the
  /// server ends otherwise: after drain() or stop() by a handler or another thread. Handlers and offloaded work that
  /// run are waited for; from the second signal on, or once the drain is over, SIGINT and SIGTERM are let through to
  /// the process, also where the caller had blocked them, so that a further one ends it. The caller's signal mask is as
  /// it was afterwards, also after an exception.
  /// @return the exit status: 0 after any drain or stop, 1 when a listener could not be opened (said on the log)
  /// @throws as start(), std::system_error aside
  int run();
  /// Begins a drain: the configured delay, then listeners close (unless `keep_listeners`), then what runs is finished.
  /// With `keep_listeners` it leaves a drain that runs alone. Of a server that was not started, or has ended, nothing.
  /// @param by  who asked for it, as the dashboard shows it; empty: "signal", or "admin" when listeners are kept
  void drain(bool keep_listeners = false, std::string_view by = {});
  /// Takes back a drain that kept its listeners; false when there is none.
  bool undrain();
  /// Ends at once: open connections close with reason `shutdown`. Joins the reactors and the workers: handlers and
  /// offloaded work that run are waited for, work that has not begun is dropped. From a handler or offloaded work,
  /// which would wait for itself, it only begins the end, and run(), wait() or the destructor joins.
  void stop();
  /// Returns when the reactors have ended (after drain or stop). @throws std::logic_error from a handler or a hook
  void wait();
  /// Like wait(), at most `timeout`; false when they still run.
  bool wait_for(std::chrono::milliseconds timeout);

  [[nodiscard]] const std::vector<BoundListener>& listeners() const noexcept;
  /// Port of the first listener.
  [[nodiscard]] std::uint16_t port() const noexcept;

  /// What may be seen; lives as long as the server.
  [[nodiscard]] const ServerView& view() const noexcept;
  /// Asks the owning reactor to close one connection; false when the id is stale.
  /// @param actor  who asked for it; kept with the closed connection, the first 16 bytes of it
  bool close(ConnectionId id, CloseReason reason = CloseReason::app_close, std::string_view actor = {});
  [[nodiscard]] DrainProgress drain_progress() const;

  /// Replaces at once, as one snapshot, while running exchanges keep the old one: routes, limits, timeouts, drain, both
  /// thresholds of `history`, log level, certificates and the other rules of TLS, of each listener `h2c` and
  /// `proxy_protocol_from`, `trusted_proxies`, `request_ids` and `redaction`. All else must be as the server was made
  /// with it; `inherited` and what a `log.sink` does are not looked at.
  /// @throws std::invalid_argument with nothing changed; what needs a restart is refused by name
  void reload(const ServerConfig& config, const Routes& routes);
  /// Reads the certificate files again. @throws std::invalid_argument with nothing changed
  void reload_certificates();
  void set_log_level(LogLevel level);
  /// Reopens log files (after rotation).
  void reopen_logs();

  /// What the dashboard's configuration screen shows; replaces what was told before.
  void set_config_facts(std::vector<ConfigFact> facts);
  /// A reload was refused before it came here: remembered for metrics and the dashboard.
  void note_reload_failure(std::string error);

  /// Before start() only: reactors read them. @throws std::logic_error afterwards
  void set_hooks(Hooks hooks);

  /// As the function equinox::offload.
  bool offload(std::function<void()> work);

  struct Internal;
  [[nodiscard]] Internal& internal() noexcept { return *internal_; }

 private:
  std::unique_ptr<Internal> internal_;
};

/// Runs `work` on the worker pool of `server`, for what would block a reactor. ServerConfig::workers bounds its threads
/// and its queue. An exception of `work` ends nothing: a Responder in it answers 500. Work that has not begun when the
/// server stops never runs, and nothing is answered: the connections are closed before it goes. From any thread while
/// the server lives.
/// @return false when the queue is full, or the pool has no threads or was stopped: `work` will not run
/// @throws std::invalid_argument when `work` is empty
inline bool offload(Server& server, std::function<void()> work) { return server.offload(std::move(work)); }

}  // namespace equinox
