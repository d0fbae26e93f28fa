#pragma once

#include <chrono>
#include <equinox/config.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/log_record.hpp"
#include "server/exchange.hpp"

namespace equinox::server {

/// One record of the access log. Bytes from the wire are in its fields as they came; the log writer escapes them.
LogRecord access_line(const Exchange& exchange, Protocol protocol, std::chrono::nanoseconds total);

/// What is known of a request that was refused before it was understood; empty: it cannot be told.
struct RefusedRequest {
  std::string_view method;
  std::string_view target;
  std::string_view version;
  std::string_view request_id;  ///< the client's own, then the one it is answered with
  StreamId stream{0};
};

/// The parts of a request line, as far as it is there.
RefusedRequest refused_request(std::string_view head) noexcept;

struct RefusalFacts {
  RefusedRequest request;
  Endpoint client;
  ConnectionId connection;
  Protocol protocol{Protocol::unknown};
  std::uint16_t status{0};
  std::optional<RequestRejectReason> reason;
  std::uint64_t sent_bytes{0};
  std::chrono::nanoseconds duration{0};
};

/// The same for such a request.
LogRecord refusal_line(const RefusalFacts& facts, const RedactionConfig& redaction);

/// Such a record in the "combined" format (the layout of an access log).
void append_combined(std::string& out, const LogRecord& record);

}  // namespace equinox::server
