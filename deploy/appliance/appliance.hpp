#pragma once

#include <chrono>
#include <cstdint>
#include <equinox/server.hpp>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_record.hpp"
#include "base/unique_fd.hpp"
#include "config.hpp"
#include "environment.hpp"
#include "file_watch.hpp"
#include "hand_over.hpp"
#include "listening_sockets.hpp"
#include "reload_outcome.hpp"
#include "service_manager.hpp"

namespace equinox::appliance {

/// The running process: one traffic server, the two surfaces that look at it, and the main thread's loop over signals,
/// changed files and the service manager. Main thread only, except for reload() and what the admin surface calls.
class Appliance {
 public:
  /// As early as possible: until run() those that end the process do so with status 0, because nothing is served yet.
  /// Without it they would be lost where the process is a container's first. The others wait for run().
  static void expect_signals();

  /// @param configuration  watches its file since before it was read
  /// @throws std::invalid_argument for a mistake that only the sockets handed over show
  Appliance(ApplianceConfig config, ConfigFlags flags, FileWatch configuration);

  /// Serves until it is told to stop. @return the exit status
  /// @throws std::system_error when a listener cannot be opened, std::invalid_argument for a mistake in the
  /// configuration
  int run();

  /// Has the main thread read configuration and certificates again, as SIGHUP does, and waits for what came of it.
  /// Any thread but the main one.
  ReloadOutcome request_reload();

 private:
  enum class Phase : std::uint8_t { serving, draining, over };

  void block_signals();
  void enter_sandbox();
  void start();
  void loop();
  ReloadOutcome reload();
  ReloadOutcome read_again();
  void take_signal();
  void take_requests();
  void take_file_events();
  void look_at_files();
  void feed_watchdog();
  void begin_drain();
  void begin_hand_over();
  void look_at_hand_over();
  void finish();
  [[nodiscard]] std::chrono::milliseconds next_wake() const;
  [[nodiscard]] bool is_healthy() const;
  void reload_certificates();
  ReloadOutcome apply(ApplianceConfig next);
  [[nodiscard]] std::string unusable_files(const ApplianceConfig& next) const;
  ReloadOutcome refuse(std::string error);
  void log(LogLevel level, std::string_view message, std::string_view detail = {}) const;

  ApplianceConfig config_;
  const ConfigFlags flags_;
  HandOver hand_over_;  ///< before what follows takes its variables out of the environment
  HandOverReceiver predecessor_;
  ServiceManager manager_;
  std::vector<InheritedSocket> sockets_;
  ListeningSockets listening_;
  std::vector<std::string> warnings_;
  std::unique_ptr<Server> traffic_;
  std::unique_ptr<Server> ops_;
  std::unique_ptr<Server> admin_;
  std::function<void(LogLevel)> log_level_reloaded_;
  UniqueFd signals_;
  FileWatch certificates_;
  FileWatch configuration_;
  UniqueFd wake_;
  std::mutex requests_mutex_;  ///< guards the next two
  std::vector<std::promise<ReloadOutcome>> requests_;
  bool takes_requests_{true};
  Phase phase_{Phase::serving};
  std::chrono::steady_clock::time_point next_poll_{};
  std::chrono::steady_clock::time_point next_alive_{};
  std::string refusal_;  ///< why the configuration read last is not in force; empty: it is
  std::optional<std::chrono::steady_clock::time_point> settle_at_;  ///< files changed: look once they have come to rest
};

}  // namespace equinox::appliance
