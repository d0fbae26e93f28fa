#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/ids.hpp>
#include <equinox/log_level.hpp>
#include <equinox/routes.hpp>
#include <equinox/view.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The dashboard and the Admin API of one server, as routes for another one.
namespace equinox::admin {

/// An error text (empty: done) and the configuration keys whose value changed.
using ReloadOutcome = std::pair<std::string, std::vector<std::string>>;

struct Moment;

/// The watched server's log level: as configured, and as set through the API. The program makes one, gives it to the
/// routes, which set it and take it back in time, and tells it of every reload. Any thread.
class LogLevels {
 public:
  struct Levels {
    LogLevel level{LogLevel::info};  ///< in force
    LogLevel configured{LogLevel::info};
    std::int64_t reverts_wall_ns{0};  ///< 0: for good
  };
  /// @param apply  puts a level in force; called under a lock; never empty
  LogLevels(LogLevel configured, std::function<void(LogLevel)> apply);
  /// A reload has put this one in force. One that was set for a time is put back and falls back to this one.
  void reload(LogLevel configured);
  [[nodiscard]] Levels levels() const;

  // By the routes.
  void set(LogLevel level, std::optional<double> for_seconds, const Moment& now);
  void revert(const Moment& now);

 private:
  Levels levels_;
  std::function<void(LogLevel)> apply_;
  std::int64_t reverts_ns_{0};  ///< of the steady clock; 0: for good
  mutable std::mutex mutex_;
};

/// What the API may do. Each is called from any thread and must not wait for the watched server; one that is empty is
/// answered 409 `unavailable`. `actor` and `by` name who asked: a token's name, or "local".
struct Actions {
  /// Asks for the end of one connection (reason admin_close or admin_drain); false when the id is stale.
  std::function<bool(ConnectionId, CloseReason, std::string actor)> close;
  std::function<void(std::string by)> drain;
  /// Takes a drain back; false when there is none that could be.
  std::function<bool()> undrain;
  std::function<ReloadOutcome()> reload;
  std::shared_ptr<LogLevels> log_levels;
};

/// One line of the audit trail, for a log that outlives the ring.
struct AuditLine {
  std::string actor;
  std::string role;
  std::string action;
  std::string what;
  std::string result;  ///< "done", "refused", "failed"
  std::string reason;
};

/// What the surface counts about itself. The program makes one, gives it to the routes, which fill it, and reads it for
/// its metrics. Any thread; never waits for longer than a copy.
class Usage {
 public:
  struct Topic {
    std::string topic;
    std::uint64_t clients{0};         ///< event streams that want it, now
    std::uint64_t dropped_events{0};  ///< lost to make room for one of this topic
  };
  struct Action {
    std::string action;
    std::string result;  ///< "done", "refused", "failed"
    std::string role;    ///< empty when nobody was known
    std::uint64_t count{0};
  };
  Usage();
  [[nodiscard]] std::vector<Topic> topics() const;
  [[nodiscard]] std::vector<Action> actions() const;

  // By the routes.
  void set_clients(std::size_t topic, std::uint64_t clients);
  void add_dropped(std::size_t topic, std::uint64_t events);
  void add_action(const AuditLine& line);

 private:
  mutable std::mutex mutex_;
  std::vector<Topic> topics_;
  std::vector<Action> actions_;
};

struct Options {
  /// JSON: {"tokens": [{"name", "role", "sha256"}]}; read again when it changes. Empty: no tokens.
  std::string tokens_file{};
  /// Without tokens, peers on loopback are operators. False: nobody is anything without a token.
  bool loopback{true};
  /// Nobody is more than a viewer.
  bool read_only{false};
  /// Allowed in Host besides the loopback names: "admin.example.net", "*.example.net", "10.0.0.5", "*".
  std::vector<std::string> hosts{};
  bool show_query_values{false};        ///< else "?token=***"
  bool truncate_client_address{false};  ///< the last octet, or all behind the first 48 bits
  std::size_t stream_clients_max{16};   ///< event streams at the same time
  std::size_t handles_max{16};          ///< kept answers of queries, 8 bytes for each connection in them
  std::string config_file{};
  /// Versions of what this program was built from, shown by /status: {"revision", …}, {"tls", …}.
  std::vector<std::pair<std::string, std::string>> build{};
  std::function<void(const AuditLine&)> on_audit{};
  std::shared_ptr<Usage> usage{};  ///< filled while the routes live
};

/// The dashboard at "/" and "/assets/", the API below "/api/v1/"; to be mounted on a server of its own:
///     admin.mount("/admin", equinox::admin::routes(server.view(), actions));
/// One thread ticks once a second for the event streams; it ends with the last copy of the routes. `view` must outlive
/// that. @throws nothing; an unreadable tokens file lets nobody in and is tried again.
Routes routes(const ServerView& view, Actions actions, Options options = {});

/// The surface's own rules for a page beside the API, such as its metrics: names allowed in Host, no page of another
/// origin, and a viewer's bearer token where tokens are needed.
///     admin.group("/metrics", [&](equinox::Routes& page) {
///       page.before(equinox::admin::viewers_only(options)).get("/", equinox::metrics::exposition(server.view()));
///     });
Before viewers_only(Options options);

}  // namespace equinox::admin
