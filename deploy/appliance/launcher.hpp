#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "listening_sockets.hpp"

namespace equinox::appliance {

/// A process of its own, made before the sandbox is entered and before any thread exists, which waits to start the
/// program again: the same path (by then perhaps a newer binary), arguments, environment and working folder. It ends
/// with the process that made it. Main thread only.
class Launcher {
 public:
  /// @throws std::system_error when there can be no further process
  Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  ~Launcher() = default;

  /// Starts the program with these sockets (LISTEN_FDS). @return the end of a pipe: readable once the new process
  /// said its number and is ready, closed without that when it failed; empty when the launcher is gone
  UniqueFd start(const std::vector<NamedSocket>& sockets);
  /// Ends what start() began, at once.
  void cancel();

 private:
  UniqueFd channel_;
};

/// The new process's end: whether somebody waits for it to become ready, and telling them.
class HandOverReceiver {
 public:
  /// Reads EQUINOX_READY_FD and removes it from the environment.
  HandOverReceiver();
  /// @return false when nobody waits any longer: the old process has given up and serves on
  bool ready();

 private:
  UniqueFd pipe_;
};

}  // namespace equinox::appliance
