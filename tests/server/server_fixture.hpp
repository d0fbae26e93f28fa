#pragma once

#include <gtest/gtest.h>

#include <equinox/server.hpp>
#include <memory>
#include <optional>
#include <string>

#include "support/raw_client.hpp"

namespace equinox::testing {

/// A server on a free loopback port, with one reactor unless a test says otherwise.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    config.listeners = {{.name = "http", .address = "127.0.0.1:0"}};
    config.reactors = 1;
    config.log.target = "off";
  }

  Server& make() {
    server_ = std::make_unique<Server>(config);
    return *server_;
  }
  Server& server() { return *server_; }
  void start() { server_->start(); }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  [[nodiscard]] ServerSnapshot snapshot() const { return server_->view().snapshot(); }
  [[nodiscard]] std::uint64_t closed(CloseReason reason) const { return snapshot().closed(reason); }
  /// Of the connection there is; none when there is none.
  [[nodiscard]] std::optional<ConnectionRecord> only_record() const {
    std::optional<ConnectionRecord> found;
    server_->view().for_each_record([&](const ConnectionRecord& record) {
      found = record;
      return false;
    });
    return found;
  }
  /// Waits until exactly one connection was closed, for this reason and no other.
  ::testing::AssertionResult closed_once_for(CloseReason reason) const {
    if (!eventually([&] { return snapshot().closed() >= 1; }))
      return ::testing::AssertionFailure() << "nothing was closed";
    const ServerSnapshot now = snapshot();
    ClosedRecord newest;
    server_->view().closed([&](const ClosedRecord& record) {
      newest = record;
      return false;
    });
    if (now.closed() != 1 || now.closed(reason) != 1 || newest.reason != reason) {
      return ::testing::AssertionFailure() << now.closed() << " closed, newest for " << to_string(newest.reason)
                                           << " instead of " << to_string(reason);
    }
    return ::testing::AssertionSuccess();
  }

  /// One request and its whole answer on a connection of its own.
  std::string exchange(std::string_view request) {
    RawClient client{port()};
    client.send(request);
    client.finish();
    client.read_to_end();
    return client.received();
  }

  ServerConfig config;

 private:
  std::unique_ptr<Server> server_;
};

inline constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace equinox::testing
