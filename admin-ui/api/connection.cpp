// Everything about one connection.

#include <algorithm>
#include <cmath>

#include "admin-ui/api/lists.hpp"
#include "admin-ui/api/log_lines.hpp"
#include "admin-ui/api/state.hpp"
#include "admin-ui/api/waiting.hpp"

namespace equinox::admin {
namespace {

std::string duration_text(double seconds) {
  if (seconds < 1) return std::to_string(static_cast<int>(std::lround(seconds * 1000))) + " ms";
  if (seconds < 120) return std::to_string(static_cast<int>(std::lround(seconds))) + " s";
  return std::to_string(static_cast<int>(std::lround(seconds / 60))) + " min";
}

Json waiting_json(const ConnectionRecord& record, const std::optional<ConnectionInside>& inside,
                  const RowContext& context) {
  const Moment& now = context.now;
  const double silent = std::max(0.0, seconds(now.steady_ns - record.hot.last_active_ns));
  const double left = record.has_deadline() ? seconds(record.hot.deadline_due_ns - now.steady_ns) : 1e9;
  const bool is_calm = record.hot.state == ConnectionState::idle;
  Json out{{"sentence", awaited(record, context.names)}, {"seconds", silent}};
  out["stressed"] = !is_calm && (silent > 5 || left < record.hot.deadline_total_ms / 4e3);
  std::string detail;
  if (record.hot.pending_bytes != 0) detail = std::to_string(record.hot.pending_bytes) + " bytes are ready to be sent.";
  if (inside && is_http2(record.hot.protocol) && inside->send_window_bytes <= 0) {
    detail.append(detail.empty() ? "" : " ").append("The connection's HTTP/2 window is shut.");
  }
  out["detail"] = text_or_null(detail);
  return out;
}

Json effect_json(const RecordHot& hot) {
  if (hot.deadline == DeadlineKind::none) return {};
  const std::string total = duration_text(hot.deadline_total_ms / 1e3);
  switch (hot.deadline) {
    case DeadlineKind::handshake: return "Nothing moves it: the handshake must be over " + total + " after the accept.";
    case DeadlineKind::first_request: return "A complete first request head within " + total + " ends it.";
    case DeadlineKind::head: return "Nothing moves it: the head must be complete " + total + " after its first byte.";
    case DeadlineKind::body: return "Bytes of the body move it, if they keep the least rate.";
    case DeadlineKind::handler: return "The handler's answer ends it; else 503 after " + total + ".";
    case DeadlineKind::write:
      return "Bytes taken by the client move it back to " + total + ", if they keep the least rate.";
    case DeadlineKind::idle: return "The next request ends it; nothing else moves it.";
    case DeadlineKind::ping: return "The client's answer to the ping ends it.";
    case DeadlineKind::max_age: return "Nothing moves it: a connection is asked to end " + total + " after the accept.";
    case DeadlineKind::none: break;
  }
  return {};
}

Json tls_json(const ConnectionRecord& record, const std::optional<ConnectionInside>& inside) {
  const RecordCold& cold = record.cold;
  if (cold.tls == TlsVersion::none) return {};
  Json out{{"version", to_string(cold.tls)},
           {"cipher", to_string(cold.cipher)},
           {"resumed", cold.tls_resumed},
           {"handshake_seconds", cold.handshake_us / 1e6}};
  out["alpn"] = cold.alpn == Alpn::none ? Json{} : Json(to_string(cold.alpn));
  out["sni"] = text_or_null(cold.sni.view());
  out["certificate"] = inside ? text_or_null(inside->certificate) : Json{};
  return out;
}

Json stream_json(const StreamFacts& stream, const Redaction& redaction) {
  const char* state = stream.local_closed ? "half_closed_local" : stream.remote_closed ? "half_closed_remote" : "open";
  return {{"id", stream.stream},
          {"state", state},
          {"priority", "u=" + std::to_string(stream.urgency) + (stream.incremental ? ",i" : "")},
          {"method", method_label(stream.method)},
          {"target", shown_target(stream.target, redaction)},
          {"send_window_bytes", stream.send_window_bytes},
          {"receive_window_bytes", stream.receive_window_bytes},
          {"blocked_seconds", seconds(stream.blocked_ns)},
          {"ready_bytes", stream.pending_bytes}};
}

Json http2_json(const ConnectionRecord& record, const ConnectionInside& inside, const RowContext& context) {
  Json streams = Json::array();
  for (const StreamFacts& stream : inside.streams) {
    if (streams.size() == 256) break;
    streams.push_back(stream_json(stream, context.redaction));
  }
  Json out{{"open", record.hot.streams},
           {"peak", record.cold.streams_peak},
           {"limit", context.view.live().h2_concurrent_streams},
           {"send_window_bytes", inside.send_window_bytes},
           {"receive_window_bytes", inside.receive_window_bytes},
           {"blocked_seconds", seconds(inside.blocked_ns)},
           {"streams", std::move(streams)}};
  out["ping_rtt_seconds"] = inside.ping_rtt_ns != 0 ? Json(seconds(inside.ping_rtt_ns)) : Json{};
  return out;
}

Json tcp_json(const TcpFacts& tcp) {
  return {{"rtt_seconds", tcp.rtt_us / 1e6},
          {"rtt_variance_seconds", tcp.rtt_variance_us / 1e6},
          {"congestion_window_segments", tcp.congestion_window_segments},
          {"receiver_window_bytes", tcp.receiver_window_bytes},
          {"retransmits", tcp.retransmits},
          {"segments_sent", tcp.segments_sent},
          {"unacknowledged_bytes", tcp.unacknowledged_bytes},
          {"not_sent_bytes", tcp.not_sent_bytes},
          {"delivery_bytes_per_second", tcp.delivery_bytes_per_second},
          {"mss_bytes", tcp.mss_bytes},
          {"limited_receiver_ratio", tcp.limited_receiver_ratio},
          {"limited_send_buffer_ratio", tcp.limited_send_buffer_ratio}};
}

Json memory_json(const ConnectionInside& inside) {
  const ConnectionMemory& memory = inside.memory;
  return {{"total_bytes", memory.total()},
          {"connection_bytes", memory.connection_bytes},
          {"input_bytes", memory.input_bytes},
          {"output_bytes", memory.output_bytes},
          {"requests_bytes", memory.requests_bytes},
          {"codec_bytes", memory.codec_bytes},
          {"tls_bytes", memory.tls_bytes}};
}

Json busy_json(ConnectionId id, const RowContext& context) {
  Json out{{"route", nullptr}, {"since_at", seconds(context.now.wall_ns)}};
  for (const ReactorFacts& reactor : context.view.reactors()) {
    if (reactor.reactor != id.reactor()) continue;
    out["since_at"] = seconds(context.now.wall_ns - reactor.last_iteration_ns_ago);
    if (reactor.stall && reactor.stall->has_route) out["route"] = context.names.route(reactor.stall->route);
  }
  return out;
}

void add_history(Json& out, ConnectionId id, const RowContext& context, std::int64_t opened_wall_ns) {
  Json timeline = Json::array();
  auto changes = context.view.timeline(id, 64);
  std::reverse(changes.begin(), changes.end());
  for (const StateChange& change : changes) {
    timeline.push_back({{"at", seconds(change.at_wall_ns)}, {"state", to_string(change.state)}});
  }
  const std::int64_t reach = context.view.timeline_reach_wall_ns(id.reactor());
  out["timeline"] = std::move(timeline);
  out["timeline_from_at"] = reach > opened_wall_ns ? Json(seconds(reach)) : Json{};
  constexpr std::size_t kMost = 20;
  std::vector<RequestRecord> found;
  const auto take = [&](const RequestRecord& record) {
    const auto same = [&record](const RequestRecord& other) {
      return other.stream == record.stream && other.started_wall_ns == record.started_wall_ns;
    };
    if (record.connection == id.packed() && std::none_of(found.begin(), found.end(), same)) found.push_back(record);
    return found.size() < 4 * kMost;
  };
  context.view.recent_requests(take);
  context.view.slow_requests(take);
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.started_wall_ns > b.started_wall_ns; });
  Json requests = Json::array();
  RowContext shown = context;
  shown.slow_ns = context.view.live().slow_threshold_ns;
  for (std::size_t i = 0; i < found.size() && i < kMost; ++i) requests.push_back(request_row(found[i], shown));
  out["requests"] = std::move(requests);
}

void add_log(Json& out, ConnectionId id, const RowContext& context, std::int64_t opened_wall_ns) {
  const LogExcerpt log = context.view.log(id, 50);
  out["log"] = log_lines_json(log, id, context.redaction);
  out["log_from_at"] = log.from_wall_ns > opened_wall_ns ? Json(seconds(log.from_wall_ns)) : Json{};
}

void add_live(Json& out, const ConnectionRecord& record, const RowContext& context) {
  using namespace std::chrono_literals;
  const auto inside = context.view.inside(record.id, 100ms);
  out["connection"] = connection_row(record, context);
  out["waiting_for"] = waiting_json(record, inside, context);
  out["deadline_effect"] = effect_json(record.hot);
  out["tls"] = tls_json(record, inside);
  if (!inside) {
    // Without an answer the connection is gone, or its reactor is busy with something else.
    if (context.view.record(record.id)) out["reactor_busy"] = busy_json(record.id, context);
    return;
  }
  if (is_http2(record.hot.protocol)) out["http2"] = http2_json(record, *inside, context);
  if (inside->tcp) out["tcp"] = tcp_json(*inside->tcp);
  out["memory"] = memory_json(*inside);
}

}  // namespace

Json connection_json(const State& state, ConnectionId id, const Moment& now) {
  const RowContext context = state.row_context(now);
  Json out{{"id", to_string(id)}, {"taken_at", seconds(now.wall_ns)}};
  for (const char* name :
       {"connection", "closed", "waiting_for", "deadline_effect", "tls", "http2", "tcp", "memory", "reactor_busy"}) {
    out[name] = nullptr;
  }
  const auto record = id ? state.view.record(id) : std::nullopt;
  out["live"] = record.has_value();
  if (record) {
    add_live(out, *record, context);
    const std::int64_t opened_wall_ns = now.wall_ns - (now.steady_ns - record->cold.opened_ns);
    add_history(out, id, context, opened_wall_ns);
    add_log(out, id, context, opened_wall_ns);
    return out;
  }
  std::optional<ClosedRecord> closed;
  state.view.closed([&](const ClosedRecord& candidate) {
    if (candidate.connection != id.packed()) return true;
    closed = candidate;
    return false;
  });
  if (!id || !closed) {
    throw Problem{404, "not-found", "There is no such connection",
                  "It never was, or its closing record has left the ring."};
  }
  out["closed"] = closed_row(*closed, context);
  const std::int64_t opened_wall_ns = closed->closed_wall_ns - closed->age_ns;
  add_history(out, id, context, opened_wall_ns);
  add_log(out, id, context, opened_wall_ns);
  return out;
}

}  // namespace equinox::admin
