#include "admin-ui/api/routes.hpp"

#include <algorithm>
#include <exception>
#include <unordered_map>

#include "admin-ui/api/assets.hpp"
#include "admin-ui/api/audit_actions.hpp"
#include "admin-ui/api/lists.hpp"
#include "admin-ui/api/log_levels.hpp"
#include "admin-ui/api/overview.hpp"
#include "admin-ui/api/selection.hpp"
#include "admin-ui/api/series.hpp"

namespace equinox::admin {
namespace {

using Look = std::function<Json(State&, const Request&, const Moment&)>;

/// A look: needs the role viewer, answers JSON.
SyncHandler look(const std::shared_ptr<State>& state, Look what) {
  return guarded(state, [what = std::move(what)](State& s, const Request& request, const Moment& now) {
    s.access.require(request, Role::viewer, now);
    return answer(what(s, request, now));
  });
}

/// Rows of ids, hydrated now. One that ended since is shown with its reason.
Json rows_of(const State& state, const std::vector<std::uint64_t>& ids, std::size_t offset, std::size_t limit,
             const std::vector<std::string>& columns, const Moment& now) {
  const RowContext context = state.row_context(now);
  std::unordered_map<std::uint64_t, std::optional<ClosedRecord>> ended;
  const std::size_t end = std::min(ids.size(), offset + limit);
  std::vector<std::optional<ConnectionRecord>> live;
  for (std::size_t i = offset; i < end; ++i) {
    live.push_back(state.view.record(ConnectionId::unpack(ids[i])));
    if (!live.back()) ended.emplace(ids[i], std::nullopt);
  }
  std::size_t missing = ended.size();
  if (missing != 0) {
    state.view.closed([&](const ClosedRecord& record) {
      const auto found = ended.find(record.connection);
      if (found == ended.end() || found->second) return true;
      found->second = record;
      return --missing != 0;
    });
  }
  Json rows = Json::array();
  for (std::size_t i = offset; i < end; ++i) {
    const auto& record = live[i - offset];
    Json row;
    if (record) {
      row = connection_row(*record, context);
    } else {
      const auto& closed = ended[ids[i]];
      row = ended_row(ConnectionId::unpack(ids[i]), closed ? &*closed : nullptr, context);
    }
    keep_columns(row, columns);
    rows.push_back(std::move(row));
  }
  return rows;
}

void want_rates(State& state, const Query& query, Sorting sorting, const Moment& now) {
  const bool by_rate = sorting.field == QueryField::in_rate || sorting.field == QueryField::out_rate;
  if (query.needs_rate() || by_rate) state.rates.want(now);
}

Json list_connections(State& state, const Request& request, const Moment& now) {
  const Query query{parameter(request, "query").value_or(""), Names::of(state.view), state.redaction, now};
  const Sorting sorting = sorting_of(parameter(request, "sort").value_or(""), parameter(request, "order").value_or(""));
  const std::size_t limit = limit_of(request);
  want_rates(state, query, sorting, now);
  const Selection found = select(state.view, query, sorting, state.rates, now, limit);
  return {{"total", found.total},
          {"offset", 0},
          {"taken_at", seconds(now.wall_ns)},
          {"rows", rows_of(state, found.ids, 0, limit, {}, now)}};
}

/// A name that no row has would be left out without a word.
void check_columns(const std::vector<std::string>& columns, const RowContext& context) {
  const Json row = connection_row(ConnectionRecord{}, context);
  for (const std::string& column : columns) {
    if (column == "closed" || row.contains(column)) continue;
    std::string known = "closed";
    for (const auto& [name, value] : row.items()) known.append(", ").append(name);
    throw bad_request("columns: there is no \"" + column.substr(0, 40) + "\"; there are " + known);
  }
}

std::vector<std::string> columns_of(const Json& body, const RowContext& context) {
  const auto list = body.find("columns");
  if (list == body.end() || list->is_null()) return {};
  const bool is_texts = list->is_array() && list->size() <= 40 &&
                        std::all_of(list->begin(), list->end(), [](const Json& name) { return name.is_string(); });
  if (!is_texts) throw bad_request("columns is a list of at most 40 names");
  auto columns = list->get<std::vector<std::string>>();
  check_columns(columns, context);
  return columns;
}

Json query_connections(State& state, const Request& request, const Moment& now) {
  Access::require_json(request);
  const Json body = body_of(request, {"query", "sort", "order", "columns"});
  Query query{text_member(body, "query"), Names::of(state.view), state.redaction, now};
  const Sorting sorting = sorting_of(text_member(body, "sort", "", 40), text_member(body, "order", "", 10));
  std::vector<std::string> columns = columns_of(body, state.row_context(now));
  want_rates(state, query, sorting, now);
  Selection found = select(state.view, query, sorting, state.rates, now);
  Json out{{"total", found.total},
           {"by_state", by_state_json(found.by_state)},
           {"by_protocol", by_protocol_json(found.by_protocol)},
           {"taken_at", seconds(now.wall_ns)}};
  if (found.total == 0 && !query.terms().empty()) {
    Json without = Json::array();
    for (std::size_t i = 0; i < query.terms().size(); ++i) {
      without.push_back({{"term", query.terms()[i].raw}, {"total", found.total_without[i]}});
    }
    out["total_without"] = std::move(without);
  }
  auto kept = std::make_shared<KeptAnswer>(KeptAnswer{std::move(found.ids), std::move(query), std::move(columns), now});
  out["handle"] = state.handles.keep(std::move(kept), now);
  return out;
}

Json connection_page(State& state, const Request& request, const Moment& now) {
  const auto offset = static_cast<std::size_t>(integer_parameter(request, "offset", 0, 0, 100'000'000));
  const std::size_t limit = limit_of(request);
  const auto kept = state.handles.find(request.parameter("handle"), now);
  if (kept == nullptr) {
    throw Problem{410, "handle-expired", "This list was let go",
                  "A list is kept for 30 s after it was last seen. Ask again."};
  }
  return {{"total", kept->ids.size()},
          {"offset", offset},
          {"taken_at", seconds(kept->taken.wall_ns)},
          {"rows", rows_of(state, kept->ids, std::min(offset, kept->ids.size()), limit, kept->columns, now)}};
}

Response status(State& state, const Request& request, const Moment& now) {
  const Session session = state.access.require(request, Role::viewer, now);
  Json out = status_json(state, Sample::of(state.view, now), session);
  out["process"] = process_json();
  return answer(out);
}

/// Who it was once that is known, and from where.
AuditLine session_line(const Request& request, std::string_view action, const std::optional<Session>& session) {
  const std::string peer = to_string(request.peer());
  if (!session) return {peer, "", std::string{action}, "dashboard", "done", ""};
  return {
      session->actor, std::string{to_string(session->role)}, std::string{action}, "dashboard from " + peer, "done", ""};
}

Response sign_in(State& state, const Request& request, const Moment& now) {
  try {
    Access::Signed in = state.access.sign_in(request, now);
    state.audit.add(now, session_line(request, kSignInAction, in.session));
    return std::move(in.response);
  } catch (const Problem& problem) {
    AuditLine line = session_line(request, kSignInAction, std::nullopt);
    line.result = "refused";
    line.reason = problem.what();
    state.audit.add(now, std::move(line));
    throw;
  }
}

Response sign_out(State& state, const Request& request, const Moment& now) {
  Access::Signed out = state.access.sign_out(request, now);
  if (out.session) state.audit.add(now, session_line(request, kSignOutAction, out.session));
  return std::move(out.response);
}

void add_session_calls(Calls& calls, const std::shared_ptr<State>& state) {
  calls.get("/api/v1/session", guarded(state, [](State& s, const Request& request, const Moment& now) {
              return answer(session_json(s.access.require(request, Role::viewer, now)));
            }));
  calls.post("/api/v1/session", guarded(state, sign_in));
  calls.del("/api/v1/session", guarded(state, sign_out));
}

void add_connection_calls(Calls& calls, const std::shared_ptr<State>& state) {
  calls.get("/api/v1/connections", look(state, list_connections));
  calls.post("/api/v1/connections/query", look(state, query_connections));
  calls.get("/api/v1/connections/{handle}", look(state, connection_page));
  calls.get("/api/v1/connection/{id}", look(state, [](State& s, const Request& request, const Moment& now) {
              return connection_json(s, parse_connection_id(request.parameter("id")), now);
            }));
  calls.get("/api/v1/jobs/{id}", look(state, [](State& s, const Request& request, const Moment&) {
              return s.jobs.find(request.parameter("id"));
            }));
  calls.get("/api/v1/closed", look(state, closed_json));
  calls.get("/api/v1/requests/slow", look(state, slow_requests_json));
  calls.get("/api/v1/requests/by-bucket", look(state, cell_requests_json));
}

void add_live_calls(Calls& calls, const std::shared_ptr<State>& state) {
  calls.get("/api/v1/series", look(state, [](State& s, const Request& request, const Moment& now) {
              return series_json(s.view, request, now);
            }));
  calls.get("/api/v1/strip", look(state, [](State& s, const Request& request, const Moment& now) {
              const auto cells = static_cast<std::size_t>(integer_parameter(request, "cells", 38, 8, 128));
              return strip_json(s.view, cells, now);
            }));
  calls.get("/api/v1/deadlines",
            look(state, [](State& s, const Request&, const Moment& now) { return deadlines_json(s.view, now); }));
  calls.get("/api/v1/events", guarded(state, [](State& s, const Request& request, const Moment& now) {
              // No link: a window that a page opens would hold a viewer's place.
              const Session session = s.access.require(request, Role::viewer, now, Access::Links::refused);
              return s.streams.open(s, request, session, now);
            }));
  calls.put("/api/v1/events/{stream}/viewport", guarded(state, [](State& s, const Request& request, const Moment& now) {
              s.access.require(request, Role::viewer, now);
              Access::require_json(request);
              s.streams.set_viewport(s, request.parameter("stream"), body_of(request, {"ids", "handle"}));
              return Response::empty().with("Cache-Control", "no-store");
            }));
}

void add_server_calls(Calls& calls, const std::shared_ptr<State>& state) {
  calls.get("/api/v1/status", guarded(state, status));
  calls.get("/api/v1/routes",
            look(state, [](State& s, const Request&, const Moment& now) { return routes_json(s, now); }));
  calls.get("/api/v1/http2",
            look(state, [](State& s, const Request&, const Moment& now) { return http2_json(s, now); }));
  calls.get("/api/v1/reactors",
            look(state, [](State& s, const Request&, const Moment& now) { return reactors_json(s, now); }));
  calls.get("/api/v1/stalls", look(state, [](State& s, const Request& request, const Moment& now) {
              return stalls_json(s, limit_of(request), now);
            }));
  calls.get("/api/v1/config", look(state, [](State& s, const Request&, const Moment&) { return config_json(s); }));
  calls.get("/api/v1/certificates",
            look(state, [](State& s, const Request&, const Moment&) { return certificates_json(s.view); }));
  calls.get("/api/v1/audit", look(state, [](State& s, const Request& request, const Moment&) {
              return s.audit.page(limit_of(request));
            }));
  calls.get("/api/v1/log-level", look(state, [](State& s, const Request&, const Moment&) {
              return log_levels_json(s.actions.log_levels ? s.actions.log_levels->levels() : LogLevels::Levels{});
            }));
}

Response page_or_asset(const Request& request) {
  Response response = Response::error(404);
  // Mounted at "/admin", the pattern "/" is "/admin": relative links need the slash.
  if (!request.path().ends_with('/') && request.parameter("*").empty()) {
    response = Response::redirect(std::string{request.path()} + "/");
  } else {
    response = serve_asset(request, request.parameter("*"));
  }
  add_security_fields(response);
  return response;
}

/// Before a handler: what a check throws is the answer.
std::optional<Response> refusal_of(const std::function<void()>& check) {
  try {
    check();
  } catch (const Problem& problem) {
    Response response = problem.response();
    add_security_fields(response);
    return response;
  }
  return std::nullopt;
}

}  // namespace

SyncHandler guarded(const std::shared_ptr<State>& state, ApiHandler handler) {
  return [state, handler = std::move(handler)](const Request& request) {
    Response response{500};
    try {
      response = handler(*state, request, Moment::now());
    } catch (const Problem& problem) {
      response = problem.response();
    } catch (const std::exception& error) {
      response = Problem{500, "internal", "The admin surface failed", error.what()}.response();
    }
    add_security_fields(response);
    return response;
  };
}

Routes routes_over(const std::shared_ptr<State>& state) {
  Routes routes;
  routes.before([state](const Request& request) { return refusal_of([&] { state->access.check_host(request); }); });
  Calls calls;
  add_session_calls(calls, state);
  add_connection_calls(calls, state);
  add_live_calls(calls, state);
  add_server_calls(calls, state);
  add_action_calls(calls, state);
  calls.add_to(routes, state);
  any_method(routes, "/api/*", guarded(state, [](State&, const Request& request, const Moment&) -> Response {
               throw Problem{404, "not-found", "There is no such call",
                             std::string{request.method_name()} + " " + std::string{request.path()}};
             }));
  routes.get("/", page_or_asset);
  routes.get("/*", page_or_asset);
  return routes;
}

Before viewers_only(Options options) {
  struct Door {
    explicit Door(Options chosen) : options{std::move(chosen)} {}
    Options options;
    Access access{options};
  };
  return [door = std::make_shared<Door>(std::move(options))](const Request& request) {
    return refusal_of([&] {
      door->access.check_host(request);
      door->access.require(request, Role::viewer, Moment::now());
    });
  };
}

Routes routes(const ServerView& view, Actions actions, Options options) {
  auto state = std::make_shared<State>(view, std::move(actions), std::move(options));
  state->start_ticking();
  return routes_over(state);
}

}  // namespace equinox::admin
