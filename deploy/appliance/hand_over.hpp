#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "config.hpp"
#include "launcher.hpp"

namespace equinox::appliance {

/// From SIGUSR2 to a new process that serves on the same sockets, or to the reason why there is none. Main thread only.
class HandOver {
 public:
  /// Makes the launcher, when the configuration wants one: before the sandbox, before any thread.
  explicit HandOver(const HandOverConfig& config);

  /// Starts the new process. @return empty, or why it is not started
  std::string begin(const std::vector<NamedSocket>& sockets);

  enum class Outcome : std::uint8_t {
    none,    ///< nothing to tell: nothing under way, or still waiting
    ready,   ///< the new process serves: successor() is its number
    failed,  ///< reason() says why; it has been ended
  };
  /// Readable when look() has something to tell; -1 when nothing is under way.
  [[nodiscard]] int descriptor() const noexcept { return answer_.get(); }
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept;
  Outcome look();
  /// Ends what is under way: this process has been told to stop, and a new one must not stay behind.
  void abandon();

  [[nodiscard]] int successor() const noexcept { return successor_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  Outcome fail(std::string reason);

  std::chrono::milliseconds timeout_;
  std::optional<Launcher> launcher_;
  UniqueFd answer_;
  std::chrono::steady_clock::time_point deadline_{};
  int successor_{0};
  std::string reason_;
};

}  // namespace equinox::appliance
