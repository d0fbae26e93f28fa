// A reactor whose clock says that the period of the TLS ticket keys is over.

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "net/tls_context.hpp"
#include "server/reactor.hpp"
#include "telemetry/server_telemetry.hpp"

namespace equinox::server {
namespace {

class TicketRotation : public testing::Test {
 protected:
  TicketRotation() {
    ServerConfig config;
    config.listeners = {{.name = "http", .address = "127.0.0.1:0"},
                        {.name = "https", .address = "127.0.0.1:0", .tls = TlsConfig{.self_signed = true}}};
    settings = make_settings(
        config, Routes{}, [](std::string_view) { return kRouteUnmatched; }, nullptr);
    keys().rotate_if_due(clock.now());
    first = keys().current();
  }
  net::TlsTicketKeys& keys() { return *settings->listeners[1].tls->ticket_keys(); }
  [[nodiscard]] bool is_still_current() {
    return std::memcmp(keys().current().name, first.name, sizeof first.name) == 0;
  }

  void turn_once() {
    telemetry::ServerTelemetry telemetry{{}, {}, {"http", "https"}, clock.clock()};
    Admission admission{10, 0};
    Reactor::Setup setup;
    setup.clock = clock.clock();
    setup.name = "reactor";
    setup.settings = settings;
    setup.admission = &admission;
    setup.telemetry = &telemetry.reactor(0);
    Reactor reactor{std::move(setup)};
    std::thread thread{[&] { reactor.run(); }};
    reactor.post(TaskMail{[](Reactor& self) { self.stop(CloseReason::drain); }});
    thread.join();
  }

  ManualClock clock;
  std::shared_ptr<const Settings> settings;
  net::TlsTicketKeys::Key first{};
};

TEST_F(TicketRotation, ComesWithTheEndOfThePeriodAndNotBefore) {
  clock.advance(net::TlsTicketKeys::kPeriod - std::chrono::nanoseconds{1});
  turn_once();
  EXPECT_TRUE(is_still_current());
  clock.advance(std::chrono::nanoseconds{1});
  turn_once();
  EXPECT_FALSE(is_still_current());
}

}  // namespace
}  // namespace equinox::server
