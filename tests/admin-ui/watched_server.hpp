#pragma once

#include <equinox/admin.hpp>
#include <equinox/metrics.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/server_fixture.hpp"

namespace equinox::testing {

/// A server and beside it a second one that shows it: API below /admin, /metrics.
class WatchedServerTest : public ServerTest {
 protected:
  void watch() {
    ServerConfig admin;
    admin.listeners = {{.name = "admin", .address = "127.0.0.1:0"}};
    admin.reactors = 1;
    admin.log.target = "off";
    admin.observe = false;
    watching_ = std::make_unique<Server>(admin);
    watching_->mount("/admin", equinox::admin::routes(server().view(), {}));
    watching_->get("/metrics", equinox::metrics::exposition(server().view()));
    watching_->start();
  }
  void stop_watching() { watching_.reset(); }
  [[nodiscard]] std::uint16_t watching_port() const { return watching_->port(); }
  [[nodiscard]] static std::string asked(const std::string& target) {
    return "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
  }
  std::string shown(const std::string& target) const {
    RawClient client{watching_port()};
    client.send(asked(target));
    client.read_to_end();
    const std::string& all = client.received();
    return all.substr(all.find("\r\n\r\n") + 4);
  }

 private:
  std::unique_ptr<Server> watching_;
};

}  // namespace equinox::testing
