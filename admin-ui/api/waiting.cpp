#include "admin-ui/api/waiting.hpp"

#include "admin-ui/api/json.hpp"

namespace equinox::admin {
namespace {

std::string handler_of(const ConnectionRecord& record, const Names& names) {
  std::string out = "the handler";
  if (record.hot.requests != 0) out.append(" of ").append(names.route(record.hot.route));
  if (record.hot.streams > 1) out.append(", one of ").append(std::to_string(record.hot.streams)).append(" streams");
  return out;
}

}  // namespace

ConnectionState phase_of(const ConnectionRecord& record) noexcept {
  if (record.hot.state != ConnectionState::draining) return record.hot.state;
  switch (record.hot.deadline) {
    case DeadlineKind::body: return ConnectionState::reading_body;
    case DeadlineKind::write: return ConnectionState::writing;
    case DeadlineKind::handler: return ConnectionState::handling;
    case DeadlineKind::head: return ConnectionState::reading_head;
    default: break;
  }
  // Another deadline is nearer, or none is armed: an answer that waits for neither client nor timer waits for its
  // source.
  if (record.hot.pending_bytes != 0) return ConnectionState::writing;
  return record.cold.limited_by == LimitedBy::client_upload ? ConnectionState::reading_body : ConnectionState::handling;
}

bool is_mid_request(const ConnectionRecord& record) noexcept {
  switch (record.hot.state) {
    case ConnectionState::handshake:
    case ConnectionState::idle:
    case ConnectionState::closing: return false;
    case ConnectionState::reading_head:
      // Before the first byte of a head the deadline is that of a first request, or in a drain that of the idle.
      return record.hot.received_bytes != 0 && record.hot.deadline != DeadlineKind::first_request &&
             record.hot.deadline != DeadlineKind::idle;
    case ConnectionState::reading_body:
    case ConnectionState::handling:
    case ConnectionState::writing:
    case ConnectionState::draining: return true;
  }
  return false;
}

std::optional<double> unused_seconds(const RecordHot& hot, const Moment& now) noexcept {
  if (hot.deadline == DeadlineKind::idle)
    return hot.deadline_total_ms / 1e3 - seconds(hot.deadline_due_ns - now.steady_ns);
  if (hot.state == ConnectionState::idle && hot.deadline == DeadlineKind::max_age) {
    // The record says nothing about the timeout that is not the nearest; the last byte is the best that is known.
    return seconds(now.steady_ns - hot.last_active_ns);
  }
  return std::nullopt;
}

std::string awaited(const ConnectionRecord& record, const Names& names) {
  switch (phase_of(record)) {
    case ConnectionState::handshake: return "the TLS handshake or the first bytes";
    case ConnectionState::reading_head:
      return is_mid_request(record) ? "the rest of a request head" : "the first request";
    case ConnectionState::reading_body: return "the client's upload, the rest of a request body";
    case ConnectionState::handling: return handler_of(record, names);
    case ConnectionState::writing:
      if (record.cold.limited_by == LimitedBy::h2_window) return "the client to open its HTTP/2 window";
      if (record.cold.limited_by == LimitedBy::handler && record.hot.pending_bytes == 0) {
        return "more of the body from " + handler_of(record, names);
      }
      return "the client to read what is ready";
    case ConnectionState::idle: return is_http2(record.hot.protocol) ? "the next stream" : "the next request";
    case ConnectionState::draining: break;  // phase_of() has found a better word
    case ConnectionState::closing:
      return record.hot.pending_bytes != 0 ? "the client to take what is left" : "the client to close as well";
  }
  return "something";
}

}  // namespace equinox::admin
