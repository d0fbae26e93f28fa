#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox::server {

/// The thread that looks at the reactors so that they need not look at themselves: it notices stalls while they last
/// and writes the one-second series.
class Observer {
 public:
  Observer(telemetry::ServerTelemetry& telemetry, Log log) : telemetry_{telemetry}, log_{std::move(log)} {}
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  ~Observer() { stop(); }
  void start();
  void stop();

 private:
  void run();
  void report(const StallRecord& stall) const;

  telemetry::ServerTelemetry& telemetry_;
  Log log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_{false};
  std::thread thread_;
};

}  // namespace equinox::server
