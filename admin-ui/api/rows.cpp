#include "admin-ui/api/rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace equinox::admin {
namespace {

template <Word E>
Json word_or_null(E word) {
  return index_of(word) == 0 ? Json{} : Json(to_string(word));
}

Json deadline_json(const RecordHot& hot, const Moment& now) {
  if (hot.deadline == DeadlineKind::none) return {};
  Json out{{"kind", to_string(hot.deadline)}, {"seconds_left", seconds(hot.deadline_due_ns - now.steady_ns)}};
  out["total_seconds"] = hot.deadline_total_ms != 0 ? Json(hot.deadline_total_ms / 1e3) : Json{};
  return out;
}

void add_request(Json& row, const ConnectionRecord& record, const RowContext& context) {
  const bool has_request = record.hot.requests != 0;
  row["method"] = has_request ? Json(method_label(record.hot.method)) : Json{};
  row["target"] = has_request ? text_or_null(shown_target(record.cold.target.view(), context.redaction)) : Json{};
  row["route"] = has_request ? text_or_null(context.names.route(record.hot.route)) : Json{};
}

void add_samples(Json& row, const ConnectionRecord& record, const RowContext& context) {
  const RecordCold& cold = record.cold;
  const bool is_sampled = cold.sampled_ns != 0;
  row["rtt_seconds"] = is_sampled ? Json(cold.rtt_us / 1e6) : Json{};
  row["retransmits"] = is_sampled ? Json(cold.retransmits) : Json{};
  row["sample_age_seconds"] = is_sampled ? Json(seconds(context.now.steady_ns - cold.sampled_ns)) : Json{};
  row["limited_by"] = word_or_null(cold.limited_by);
  const auto rate = context.rates != nullptr ? context.rates->of(record) : std::nullopt;
  row["received_bytes_per_second"] = rate ? Json(std::round(rate->received)) : Json{};
  row["sent_bytes_per_second"] = rate ? Json(std::round(rate->sent)) : Json{};
}

Json errno_name(int number) {
  const char* name = number != 0 ? ::strerrorname_np(number) : nullptr;
  return name != nullptr ? Json(name) : Json{};
}

/// A few words on which phase took the time. Of a request that was not slow none did: its longest phase is a few
/// microseconds of writing, and no slow reader.
Json because(const RequestRecord& record, std::int64_t slow_ns) {
  if (record.error != ErrorType::none && record.error != ErrorType::status) return Json(to_string(record.error));
  if (record.total_ns <= 0 || record.total_ns < slow_ns) return {};
  const auto most = std::max_element(record.phases_ns.begin(), record.phases_ns.end());
  if (*most * 2 < record.total_ns) return {};
  constexpr std::array<std::string_view, kCount<RequestPhase>> kWords{
      "slow head", "slow upload", "waited for its reactor", "handler", "slow reader"};
  return Json(kWords[static_cast<std::size_t>(most - record.phases_ns.begin())]);
}

}  // namespace

Json text_or_null(std::string_view text) { return text.empty() ? Json{} : Json(text); }

Json connection_row(const ConnectionRecord& record, const RowContext& context) {
  const RecordHot& hot = record.hot;
  const RecordCold& cold = record.cold;
  Json row = Json::object();
  row["id"] = to_string(record.id);
  row["peer"] = shown_peer(record.peer(), context.redaction);
  row["client"] = cold.client_known ? Json(shown_client(record.client(), context.redaction)) : Json{};
  row["listener"] = context.names.listener(cold.listener);
  row["protocol"] = to_string(hot.protocol);
  row["tls"] = word_or_null(cold.tls);
  row["sni"] = text_or_null(cold.sni.view());
  row["state"] = to_string(hot.state);
  row["reactor"] = record.id.reactor();
  row["slot"] = record.id.index();
  row["age_seconds"] = std::max(0.0, seconds(context.now.steady_ns - cold.opened_ns));
  row["idle_seconds"] = std::max(0.0, seconds(context.now.steady_ns - hot.last_active_ns));
  row["requests"] = hot.requests;
  row["received_bytes"] = hot.received_bytes;
  row["sent_bytes"] = hot.sent_bytes;
  row["streams"] = is_http2(hot.protocol) ? Json(hot.streams) : Json{};
  row["pending_bytes"] = hot.pending_bytes;
  row["memory_bytes"] = cold.memory_bytes;
  row["deadline"] = deadline_json(hot, context.now);
  add_request(row, record, context);
  add_samples(row, record, context);
  return row;
}

Json closed_row(const ClosedRecord& record, const RowContext& context) {
  const std::string_view route = record.requests != 0 ? context.names.route(record.route) : std::string_view{};
  const std::string_view listener = context.names.listener(record.listener);
  Json row = Json::object();
  row["id"] = to_string(record.id());
  row["sequence"] = record.sequence;
  row["peer"] = shown_peer(record.peer(), context.redaction);
  row["client"] = record.client_known ? Json(shown_client(record.client(), context.redaction)) : Json{};
  row["listener"] = listener;
  row["protocol"] = to_string(record.protocol);
  row["reason"] = to_string(record.reason);
  row["family"] = to_string(family_of(record.reason));
  row["initiator"] = to_string(initiator_of(record.reason));
  // The sentence quotes the last target: it gets the one that may be shown.
  ClosedRecord shown = record;
  shown.target.assign(shown_target(record.target.view(), context.redaction));
  row["sentence"] = sentence(shown, route, listener);
  row["detail"] = text_or_null(detail(shown));
  row["closed_at"] = seconds(record.closed_wall_ns);
  row["age_seconds"] = seconds(record.age_ns);
  row["requests"] = record.requests;
  row["received_bytes"] = record.received_bytes;
  row["sent_bytes"] = record.sent_bytes;
  row["pending_bytes"] = record.pending_bytes;
  row["state"] = to_string(record.state);
  row["reactor"] = record.id().reactor();
  row["tls"] = word_or_null(record.tls);
  row["sni"] = text_or_null(record.sni.view());
  row["method"] = has_request(record) ? Json(method_label(record.method)) : Json{};
  row["target"] = text_or_null(shown.target.view());
  row["route"] = text_or_null(route);
  row["status"] = record.status != 0 ? Json(record.status) : Json{};
  row["timer"] = word_or_null(record.timer);
  row["timer_seconds"] = record.timer_ms != 0 ? Json(record.timer_ms / 1e3) : Json{};
  row["errno"] = record.os_errno != 0 ? Json(record.os_errno) : Json{};
  row["errno_name"] = errno_name(record.os_errno);
  row["tls_alert"] = record.tls_alert >= 0 ? Json(tls_alert_name(record.tls_alert)) : Json{};
  row["h2_error_code"] = record.has_h2_error ? Json(h2_error_label(record.h2_error_code)) : Json{};
  row["last_stream_id"] = record.last_stream != 0 ? Json(record.last_stream) : Json{};
  row["actor"] = text_or_null(record.actor.view());
  row["rtt_seconds"] = record.rtt_us != 0 ? Json(record.rtt_us / 1e6) : Json{};
  row["retransmits"] = record.rtt_us != 0 ? Json(record.retransmits) : Json{};
  row["limited_by"] = word_or_null(record.limited_by);
  return row;
}

Json ended_row(ConnectionId id, const ClosedRecord* record, const RowContext& context) {
  Json row{{"id", to_string(id)}, {"peer", "unknown"}, {"listener", ""},      {"protocol", "unknown"},
           {"state", "closing"},  {"age_seconds", 0},  {"idle_seconds", 0},   {"requests", 0},
           {"received_bytes", 0}, {"sent_bytes", 0},   {"deadline", nullptr}, {"closed", nullptr}};
  if (record == nullptr) return row;  // its closing record has left the ring already
  const Json full = closed_row(*record, context);
  for (const char* name :
       {"peer", "client", "listener", "protocol", "state", "age_seconds", "requests", "received_bytes", "sent_bytes",
        "tls", "sni", "reactor", "method", "target", "route", "pending_bytes"}) {
    row[name] = full[name];
  }
  row["idle_seconds"] = record->silent_ms / 1e3;
  row["closed"] = {{"reason", to_string(record->reason)}, {"closed_at", seconds(record->closed_wall_ns)}};
  return row;
}

Json request_row(const RequestRecord& record, const RowContext& context) {
  const ConnectionId connection = record.connection_id();
  Json phases = Json::object();
  for_each_word<RequestPhase>([&](RequestPhase phase) {
    phases[std::string{to_string(phase)} + "_seconds"] = seconds(record.phases_ns[index_of(phase)]);
  });
  Json row = Json::object();
  row["id"] = record.request_id.view().empty() ? to_string(connection) + "." + std::to_string(record.stream)
                                               : std::string{record.request_id.view()};
  row["connection"] = to_string(connection);
  row["connection_live"] = context.view.record(connection).has_value();
  row["stream_id"] = is_http2(record.protocol) ? Json(record.stream) : Json{};
  row["started_at"] = seconds(record.started_wall_ns);
  row["method"] = method_label(record.method);
  row["target"] = shown_target(record.target.view(), context.redaction);
  row["route"] = text_or_null(context.names.route(record.route));
  row["status"] = record.status != 0 ? Json(record.status) : Json{};
  row["protocol"] = to_string(record.protocol);
  row["total_seconds"] = seconds(record.total_ns);
  row["first_byte_seconds"] = record.first_byte_ns >= 0 ? Json(seconds(record.first_byte_ns)) : Json{};
  row["phases"] = std::move(phases);
  row["because"] = because(record, context.slow_ns);
  row["received_bytes"] = record.received_bytes;
  row["sent_bytes"] = record.sent_bytes;
  row["reactor"] = connection.reactor();
  row["trace_id"] = text_or_null(record.trace_id.view());
  row["error_type"] =
      record.error == ErrorType::status ? Json(std::to_string(record.status)) : word_or_null(record.error);
  return row;
}

std::string stall_id(const StallRecord& record) {
  return std::string{"r"}.append(std::to_string(record.reactor)).append("-").append(std::to_string(record.started_ns));
}

Json stall_row(const StallRecord& record, const RowContext& context) {
  const ConnectionId connection = ConnectionId::unpack(record.connection);
  const bool has_connection = static_cast<bool>(connection);
  const auto live = has_connection ? context.view.record(connection) : std::nullopt;
  Json row = Json::object();
  row["id"] = stall_id(record);
  row["reactor"] = record.reactor;
  row["started_at"] = seconds(record.started_wall_ns);
  row["duration_seconds"] = seconds(record.duration_ns);
  row["running"] = record.running;
  row["cause"] = to_string(record.cause);
  row["method"] = record.has_route ? Json(method_label(record.method)) : Json{};
  row["target"] = text_or_null(shown_target(record.target.view(), context.redaction));
  row["route"] = record.has_route ? text_or_null(context.names.route(record.route)) : Json{};
  row["connection"] = has_connection ? Json(to_string(connection)) : Json{};
  row["peer"] = live ? Json(shown_peer(live->peer(), context.redaction)) : Json{};
  row["cpu_seconds"] = record.cpu_ns >= 0 ? Json(seconds(record.cpu_ns)) : Json{};
  row["delayed_connections"] = record.delayed_connections;
  return row;
}

void keep_columns(Json& row, const std::vector<std::string>& columns) {
  if (columns.empty()) return;
  for (auto member = row.begin(); member != row.end();) {
    const bool is_kept = member.key() == "id" || member.key() == "closed" ||
                         std::find(columns.begin(), columns.end(), member.key()) != columns.end();
    member = is_kept ? std::next(member) : row.erase(member);
  }
}

}  // namespace equinox::admin
