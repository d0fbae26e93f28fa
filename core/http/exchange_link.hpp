#pragma once

#include <atomic>
#include <equinox/ids.hpp>
#include <equinox/response.hpp>
#include <functional>
#include <memory>

namespace equinox::http {

/// What stands between an exchange and the threads that may still answer or resume it. Made only for exchanges that
/// need it. The reactor that owns the exchange marks it gone; the functions lead to that reactor's mailbox and do
/// nothing once it is closed. Thread-safe.
struct ExchangeLink {
  /// Set once at creation; shared by all links of one reactor.
  struct Mail {
    std::function<void(ConnectionId, StreamId, Response&&)> answer;
    std::function<void(ConnectionId, StreamId)> unanswered;  ///< nobody will answer any more
    std::function<void(ConnectionId, StreamId)> resume;
  };
  std::shared_ptr<const Mail> mail;
  ConnectionId connection;
  StreamId stream{0};
  std::atomic<bool> is_gone{false};
  std::atomic<bool> is_answered{false};
};

}  // namespace equinox::http
