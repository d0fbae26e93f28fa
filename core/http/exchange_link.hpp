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
  using Shared = std::shared_ptr<ExchangeLink>;
  /// Set once at creation; shared by all links of one reactor. The link itself goes with the mail, as connection and
  /// stream may name another exchange by then: an upgrade to h2c begins to count streams anew.
  struct Mail {
    std::function<void(const Shared&, Response&&)> answer;
    std::function<void(const Shared&)> unanswered;  ///< nobody will answer any more
    std::function<void(const Shared&)> resume;
  };
  std::shared_ptr<const Mail> mail;
  ConnectionId connection;
  StreamId stream{0};
  std::atomic<bool> is_gone{false};
  std::atomic<bool> is_answered{false};
  std::atomic<bool> is_resume_queued{false};  ///< until the reactor takes that mail: one tells as much as many
};

}  // namespace equinox::http
