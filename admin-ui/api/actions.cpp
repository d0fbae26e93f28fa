// What the API may change. Everything here is audited, refused or not.

#include <algorithm>
#include <cmath>

#include "admin-ui/api/audit_actions.hpp"
#include "admin-ui/api/drain.hpp"
#include "admin-ui/api/lists.hpp"
#include "admin-ui/api/log_levels.hpp"
#include "admin-ui/api/overview.hpp"
#include "admin-ui/api/routes.hpp"
#include "admin-ui/api/selection.hpp"
#include "admin-ui/api/waiting.hpp"
#include "base/log_record.hpp"

namespace equinox::admin {
namespace {

constexpr std::size_t kReasonMost = 200;

AuditLine line_of(const Session& session, const AuditAction& action, std::string what, std::string reason = {}) {
  return {session.actor,    std::string{to_string(session.role)}, std::string{action.name}, std::move(what), "done",
          std::move(reason)};
}

/// Checks role and origin; a refusal is audited and thrown on.
Session change(State& state, const Request& request, const AuditAction& action, const Moment& now) {
  try {
    return state.access.require_change(request, action.role, now);
  } catch (const Problem& problem) {
    AuditLine line{"unknown", "", std::string{action.name}, std::string{request.path()}, "refused", problem.what()};
    try {
      const Session session = state.access.session_of(request, now);
      line.actor = session.actor;
      line.role = to_string(session.role);
    } catch (const Problem&) {
      line.actor = to_string(request.peer());
    }
    state.audit.add(now, std::move(line));
    throw;
  }
}

void need(bool has, std::string_view what) {
  if (!has)
    throw Problem{409, "unavailable", "This server cannot do that", std::string{what} + " is not wired up here."};
}

/// What a close is about to hit.
struct Targets {
  std::vector<std::uint64_t> ids;
  std::array<std::uint64_t, kCount<ConnectionState>> by_state{};
  std::uint64_t mid_request{0};
  Query query{};  ///< that named them; without terms when a list of ids did

  void add(const ConnectionRecord& record) {
    ids.push_back(record.id.packed());
    ++by_state[index_of(record.hot.state)];
    mid_request += is_mid_request(record) ? 1 : 0;
  }
};

/// Those of a preview, or of any list that is kept: nobody that nobody has seen counted.
Targets targets_of_handle(State& state, const std::string& handle, const Moment& now) {
  const auto kept = state.handles.find(handle, now);
  if (kept == nullptr) {
    throw Problem{410, "handle-expired", "This list was let go",
                  "A list is kept for 30 s after it was last seen. Preview again."};
  }
  Targets out;
  out.query = kept->query;
  for (const std::uint64_t packed : kept->ids) {
    if (const auto record = state.view.record(ConnectionId::unpack(packed))) out.add(*record);
  }
  return out;
}

Targets targets_of_ids(const State& state, const Json& list) {
  if (!list.is_array() || list.empty() || list.size() > 1000) throw bad_request("ids is a list of 1 to 1000 ids.");
  Targets out;
  for (const Json& text : list) {
    const ConnectionId id = text.is_string() ? parse_connection_id(text.get<std::string>()) : ConnectionId{};
    if (!id) throw bad_request("An id is not one.");
    const auto record = state.view.record(id);
    if (!record || std::find(out.ids.begin(), out.ids.end(), id.packed()) != out.ids.end()) continue;
    out.add(*record);
  }
  return out;
}

Targets targets_of_query(State& state, const std::string& text, const Moment& now) {
  Query query{text, Names::of(state.view), state.redaction, now};
  if (query.needs_rate()) state.rates.want(now);
  Selection selection = select(state.view, query, {}, state.rates, now);
  return {std::move(selection.ids), selection.by_state, selection.mid_request, std::move(query)};
}

Targets targets_of(State& state, const Json& body, const Moment& now) {
  const int ways = static_cast<int>(body.contains("ids")) + static_cast<int>(body.contains("query")) +
                   static_cast<int>(body.contains("handle"));
  if (ways != 1) throw bad_request("Exactly one of query, ids and handle is needed.");
  if (const auto ids = body.find("ids"); ids != body.end()) return targets_of_ids(state, *ids);
  // An empty query names every connection; one that was forgotten must not.
  if (body.contains("query")) return targets_of_query(state, needed_text(body, "query"), now);
  return targets_of_handle(state, needed_text(body, "handle"), now);
}

std::string text_of(const Query& query) {
  std::string out;
  for (const Query::Term& term : query.terms()) out.append(out.empty() ? "" : " ").append(term.raw);
  return out;
}

/// The count, and the handle under which exactly those that were counted can be closed.
Json preview_of(State& state, Targets targets, std::optional<double> rate, const Moment& now) {
  Json out{{"count", targets.ids.size()},
           {"by_state", by_state_json(targets.by_state)},
           {"mid_request", targets.mid_request},
           {"seconds", static_cast<double>(targets.ids.size()) / rate.value_or(Jobs::kFastest)}};
  auto kept = std::make_shared<KeptAnswer>(KeptAnswer{std::move(targets.ids), std::move(targets.query), {}, now});
  out["handle"] = state.handles.keep(std::move(kept), now);
  return out;
}

CloseReason mode_of(const Json& body) {
  const std::string mode = text_member(body, "mode", "close", 20);
  if (mode == "close") return CloseReason::admin_close;
  if (mode == "drain") return CloseReason::admin_drain;
  throw bad_request("mode is close or drain");
}

Response close_connections(State& state, const Request& request, const Moment& now) {
  const Session session = change(state, request, kCloseAction, now);
  need(static_cast<bool>(state.actions.close), "Closing connections");
  const Json body = body_of(request, {"query", "ids", "handle", "mode", "rate", "reason", "dry_run"});
  const CloseReason reason = mode_of(body);
  const auto rate = number_member(body, "rate", 1e-3, 1e6);
  const std::string why = text_member(body, "reason", "", kReasonMost);
  Targets targets = targets_of(state, body, now);
  if (flag_member(body, "dry_run", false)) return answer(preview_of(state, std::move(targets), rate, now));
  Job job;
  job.reason = reason;
  job.rate = rate;
  job.query = text_of(targets.query);
  job.why = why;
  job.actor = session.actor;
  const std::size_t count = targets.ids.size();
  job.ids = std::move(targets.ids);
  const Json started = state.jobs.start(std::move(job), now);
  const std::string what =
      (body.contains("ids") ? std::string{"ids"} : "\"" + text_of(targets.query) + "\"") + ": " + std::to_string(count);
  state.audit.add(
      now, line_of(session, reason == CloseReason::admin_drain ? kDrainConnectionsAction : kCloseAction, what, why));
  state.wake();
  Response out = answer(started, 202);
  return out;
}

Response stop_job(State& state, const Request& request, const Moment& now) {
  const Session session = change(state, request, kStopJobAction, now);
  body_of(request, {});
  Json job = state.jobs.stop(request.parameter("id"), now);
  state.audit.add(now, line_of(session, kStopJobAction, std::string{request.parameter("id")}));
  return answer(job);
}

Response drain(State& state, const Request& request, const Moment& now) {
  const Session session = change(state, request, kDrainAction, now);
  const Json body = body_of(request, {"dry_run", "reason"});
  const std::string why = text_member(body, "reason", "", kReasonMost);
  if (!flag_member(body, "dry_run", false)) {
    need(static_cast<bool>(state.actions.drain), "A drain");
    state.actions.drain(session.actor);
    state.audit.add(now, line_of(session, kDrainAction, "server", why));
  }
  return answer(drain_json(state, Sample::of(state.view, now), true));
}

Response undrain(State& state, const Request& request, const Moment& now) {
  const Session session = change(state, request, kUndrainAction, now);
  body_of(request, {});
  need(static_cast<bool>(state.actions.undrain), "Taking a drain back");
  const bool is_done = state.actions.undrain();
  AuditLine line = line_of(session, kUndrainAction, "server");
  if (!is_done) line.result = "failed";
  state.audit.add(now, line);
  if (!is_done) {
    throw Problem{409, "not-draining", "There is no drain to take back",
                  "Only a drain that kept its listeners can be taken back."};
  }
  return answer(drain_json(state, Sample::of(state.view, now), true));
}

Response reload(State& state, const Request& request, const Moment& now) {
  const Session session = change(state, request, kReloadAction, now);
  body_of(request, {});
  need(static_cast<bool>(state.actions.reload), "A reload");
  const auto [error, changed] = state.actions.reload();
  AuditLine line = line_of(session, kReloadAction, "configuration");
  if (!error.empty()) {
    line.result = "failed";
    line.reason = error;
  }
  state.audit.add(now, line);
  if (!error.empty()) throw Problem{422, "reload-refused", "The configuration was not taken", error};
  return answer({{"reloaded_at", seconds(now.wall_ns)}, {"changed", changed}});
}

Response set_log_level(State& state, const Request& request, const Moment& now) {
  const Session session = change(state, request, kLogLevelAction, now);
  need(state.actions.log_levels != nullptr, "The log level");
  const Json body = body_of(request, {"component", "level", "for_seconds"});
  const std::string component = text_member(body, "component", "all", 40);
  if (component != "all") {
    throw Problem{400, "bad-request", "There is no such component",
                  "The server has one level for all components: all."};
  }
  const std::string name = text_member(body, "level", "", 20);
  const auto level = parse_log_level(name);
  if (!level) {
    throw Problem{400, "bad-request", "There is no such level", "level is debug, info, warn, error or off"};
  }
  const auto length = number_member(body, "for_seconds", 1, 86400);
  state.actions.log_levels->set(*level, length, now);
  std::string what = "all → " + std::string{level_name(*level)};
  if (length) what += " for " + std::to_string(static_cast<std::int64_t>(std::lround(*length))) + " s";
  state.changes.add(now, "log_level", "Log level: " + what);
  state.audit.add(now, line_of(session, kLogLevelAction, what));
  return answer(log_levels_json(state.actions.log_levels->levels()));
}

}  // namespace

void add_action_calls(Calls& calls, const std::shared_ptr<State>& state) {
  calls.post("/api/v1/connections/close", guarded(state, close_connections));
  calls.del("/api/v1/jobs/{id}", guarded(state, stop_job));
  calls.post("/api/v1/drain", guarded(state, drain));
  calls.post("/api/v1/undrain", guarded(state, undrain));
  calls.post("/api/v1/reload", guarded(state, reload));
  calls.put("/api/v1/log-level", guarded(state, set_log_level));
}

}  // namespace equinox::admin
