#pragma once

#include <atomic>
#include <condition_variable>
#include <equinox/server.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "net/wakeup.hpp"
#include "server/log_excerpt.hpp"
#include "server/observer.hpp"
#include "server/reactor.hpp"
#include "server/worker_pool.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox {

/// What a Server is made of. Reactors are reached by mail only.
struct Server::Internal {
  /// The narrow door: telemetry, and what only the server knows.
  class View final : public telemetry::ServerTelemetry {
   public:
    View(const telemetry::TelemetryOptions& options, ServerIdentity identity, std::vector<std::string> listeners,
         const Internal& inner)
        : ServerTelemetry{options, std::move(identity), std::move(listeners)}, inner_{inner} {}
    [[nodiscard]] LiveFacts live() const override { return inner_.live(); }
    [[nodiscard]] ServerSnapshot snapshot() const override {
      ServerSnapshot out = ServerTelemetry::snapshot();
      out.ring_log = server::log_totals(inner_.server_log, inner_.access_log);
      return out;
    }
    [[nodiscard]] LogExcerpt log(ConnectionId id, std::size_t limit) const override {
      return server::log_excerpt(inner_.server_log, inner_.access_log, id, limit);
    }
    [[nodiscard]] std::optional<ConnectionInside> inside(ConnectionId id,
                                                         std::chrono::milliseconds timeout) const override {
      return inner_.inside(id, timeout);
    }
    [[nodiscard]] std::vector<ConfigFact> config() const override { return inner_.config_facts(); }

   private:
    const Internal& inner_;
  };

  Internal(ServerConfig given, Server& owner);
  ~Internal();

  /// @throws std::logic_error started or stopped before; std::system_error no socket, descriptor or thread. Nothing is
  ///         left of a start that failed: it may be tried again.
  void start();
  void stop(CloseReason reason);
  void drain(bool keep_listeners, std::string_view by);
  bool undrain();
  bool wait(std::optional<std::chrono::milliseconds> timeout);

  /// A reload of which everything that can fail is done.
  struct PreparedReload {
    ServerConfig config;
    Routes routes;
    std::shared_ptr<const server::Settings> settings;
    bool is_of_certificates{false};  ///< says nothing of a configuration that was refused before
  };
  /// Reads and checks; changes nothing. @throws std::invalid_argument
  [[nodiscard]] PreparedReload prepare(ServerConfig next, Routes next_routes) const;
  /// The certificate files again, all else as it is. @throws std::invalid_argument
  [[nodiscard]] PreparedReload prepare_certificates() const;
  void commit(PreparedReload prepared);
  /// Both steps; a failure is remembered for metrics and the dashboard, as `refusal`.
  void reload(const std::function<PreparedReload()>& prepared, std::optional<std::string> Internal::*refusal);
  /// A configuration's is over with the next one that is in force, a certificate's with the next ones as well.
  void note_refusal(std::optional<std::string> Internal::*refusal, std::string error);

  void join();
  [[nodiscard]] bool is_one_of_mine() const noexcept;
  void post_all(const std::function<void(server::Reactor&)>& task) const;

  /// How far a drain has come, its delay apart. The caller holds `mutex`.
  [[nodiscard]] DrainState shown_drain_state() const;
  [[nodiscard]] LiveFacts live() const;
  [[nodiscard]] std::optional<ConnectionInside> inside(ConnectionId id, std::chrono::milliseconds timeout) const;
  [[nodiscard]] std::vector<ConfigFact> config_facts() const;
  [[nodiscard]] std::shared_ptr<const server::Settings> settings() const;

  /// Sockets that are open and nobody's yet.
  struct OpenedListeners {
    std::vector<std::vector<server::Reactor::Listening>> by_reactor;
    std::vector<BoundListener> bound;
    std::vector<std::pair<std::size_t, std::weak_ptr<net::Listener>>> queues;
  };
  [[nodiscard]] OpenedListeners open_listeners() const;
  [[nodiscard]] server::Reactor::Setup reactor_setup(std::uint32_t index, std::uint64_t request_id_process) const;
  void start_all_or_nothing();
  void serve(server::Reactor& reactor);
  void log(LogLevel level, std::string_view message) const;

  ServerConfig config;
  Routes& routes;  ///< the server's own; guarded by `mutex` once it runs
  Hooks hooks;
  LogWriter writer;
  Log server_log;
  Log access_log;
  std::uint32_t reactor_count{1};
  std::unique_ptr<View> view;
  std::unique_ptr<server::Admission> admission;
  server::WorkerPool workers;

  /// What start() has made: all of it or nothing. Read by any thread that has seen `is_started`, and never changed.
  std::unique_ptr<server::ObserverRest> observer_rest;  ///< none unless `config.observe`
  std::vector<std::unique_ptr<server::Reactor>> reactors;
  std::vector<BoundListener> bound;
  /// Every accept queue with the listener it belongs to; gone once its reactor has closed it.
  std::vector<std::pair<std::size_t, std::weak_ptr<net::Listener>>> queues;
  std::optional<net::Wakeup> over;  ///< readable once the reactors have ended
  std::unique_ptr<server::Observer> observer;
  std::vector<std::thread> threads;  ///< guarded by `joining`
  std::atomic<bool> is_started{false};

  std::atomic<bool> holds_sockets_alone{false};  ///< the inherited ones; whoever opened them says so before a drain

  std::mutex reloading;      ///< one reload after the other, its mail included
  std::mutex draining;       ///< one change of the drain after the other, its mail included
  std::mutex joining;        ///< whoever waits for threads; never taken by one of them
  mutable std::mutex mutex;  ///< guards what follows; never taken by a reactor
  std::condition_variable ended;
  std::shared_ptr<const server::Settings> current;
  std::vector<ConfigFact> facts;
  std::size_t running{0};
  bool is_starting{false};
  bool is_stopped{false};
  DrainState drain_state{DrainState::none};
  std::int64_t drain_started_wall_ns{0};
  Duration drain_delay{0};  ///< of the drain that runs
  std::string drain_by;
  bool drain_keeps_listeners{false};
  std::int64_t last_reload_wall_ns{0};
  std::int64_t certificates_wall_ns{0};  ///< when they were loaded last; 0: at the start
  std::optional<std::string> config_refusal;
  std::optional<std::string> certificates_refusal;
};

}  // namespace equinox
