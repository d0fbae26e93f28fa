#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "base/log.hpp"
#include "server/observer_rest.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox::server {

/// The thread that looks at the reactors so that they need not look at themselves: it notices stalls while they last
/// and writes the one-second series.
class Observer {
 public:
  /// @param rest  the one that the reactors of `telemetry` tell of their turns; must live as long as this
  Observer(telemetry::ServerTelemetry& telemetry, ObserverRest& rest, Log log)
      : telemetry_{telemetry}, rest_{rest}, log_{std::move(log)} {}
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer() { stop(); }
  void start();
  void stop();

 private:
  void run();
  /// How long nothing need be looked at; announces a long sleep.
  [[nodiscard]] std::chrono::nanoseconds patience(std::chrono::nanoseconds until_second);
  void report(const StallRecord& stall) const;

  telemetry::ServerTelemetry& telemetry_;
  ObserverRest& rest_;
  Log log_;
  std::atomic<bool> is_stopping_{false};
  std::thread thread_;
};

}  // namespace equinox::server
