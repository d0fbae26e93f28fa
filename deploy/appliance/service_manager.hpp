#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace equinox::appliance {

/// Tells the service manager how things are (sd_notify(3)) by a datagram to NOTIFY_SOCKET; does nothing without one.
class ServiceManager {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment.
  ServiceManager();

  void ready(std::string_view status) const;
  void reloading() const;
  void stopping() const;
  void alive() const;
  /// Another process is the main one from here on; nothing further is said by this one.
  void retire(int successor);
  /// How often alive() must be called; nothing when no watchdog waits. Already half of what the manager allows.
  [[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval() const noexcept { return interval_; }

 private:
  void send(const std::string& text) const;
  std::string socket_;
  std::optional<std::chrono::milliseconds> interval_;
};

}  // namespace equinox::appliance
