#pragma once

#include <chrono>
#include <equinox/endpoint.hpp>
#include <equinox/ids.hpp>
#include <equinox/request.hpp>
#include <equinox/status.hpp>
#include <equinox/vocabulary.hpp>
#include <functional>

namespace equinox {

/// What an embedding program is told; noexcept, on the connection's reactor, must not block. `target` lives for the
/// call.
struct Hooks {
  struct RequestDone {
    ConnectionId connection;
    StreamId stream{0};
    Method method{Method::get};
    Status status;
    std::string_view target;  ///< as received, at most its first 96 bytes
    std::chrono::nanoseconds duration{0};
  };
  std::function<void(ConnectionId, const Endpoint& peer)> opened;
  std::function<void(ConnectionId, CloseReason)> closed;
  std::function<void(const RequestDone&)> request_done;
};

}  // namespace equinox
