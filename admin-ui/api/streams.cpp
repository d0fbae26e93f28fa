#include "admin-ui/api/streams.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "admin-ui/api/secrets.hpp"
#include "admin-ui/api/selection.hpp"
#include "admin-ui/api/series.hpp"
#include "admin-ui/api/state.hpp"

namespace equinox::admin {
namespace {

/// A stream that was closed without a word is noticed when something is sent to it, and takes a viewer's place till
/// then.
constexpr std::int64_t kQuietNs = 5 * kSecondNs;
/// Samples of two threads may be a second or two apart.
constexpr std::int64_t kClockBackNs = 2 * kSecondNs;
/// How far back a stream resumes: as far as the series reach.
constexpr std::int64_t kResumeNs = kSeriesSeconds * kSecondNs;
constexpr std::size_t kQueueBytes = 256 * 1024;
/// Seconds that were missed come in parts, a tick each: together they would push each other out of the queue.
constexpr std::size_t kSecondsAtOnce = 60;
constexpr std::size_t kViewportMost = 200;

std::array<bool, kTopics.size()> topics_of(const Request& request) {
  std::array<bool, kTopics.size()> out{};
  const auto text = parameter(request, "topics");
  if (!text || text->empty()) {
    out.fill(true);
    return out;
  }
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    const auto found = std::find(kTopics.begin(), kTopics.end(), rest.substr(0, end));
    if (found == kTopics.end()) {
      throw bad_request("topics are overview, series, connections, changes, stalls and jobs");
    }
    out[static_cast<std::size_t>(found - kTopics.begin())] = true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

/// The topic whose list of clients an event goes to.
std::size_t topic_of(std::string_view event) noexcept {
  constexpr std::array<std::pair<std::string_view, Topic>, 5> kEvents{{{"series", Topic::series},
                                                                       {"rows", Topic::connections},
                                                                       {"change", Topic::changes},
                                                                       {"stall", Topic::stalls},
                                                                       {"job", Topic::jobs}}};
  for (const auto& [name, topic] : kEvents) {
    if (name == event) return static_cast<std::size_t>(topic);
  }
  return static_cast<std::size_t>(Topic::overview);
}

struct EventId {
  std::string_view boot;
  std::int64_t series_wall_ns{0};
  std::uint64_t change{0};
};

/// "boot/second/change": what the viewer has of each ring.
std::optional<EventId> parse_event_id(std::string_view text) noexcept {
  const std::size_t last = text.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const std::size_t middle = text.rfind('/', last - 1);
  if (middle == std::string_view::npos) return std::nullopt;
  EventId id;
  id.boot = text.substr(0, middle);
  const char* const end = text.data() + text.size();
  const auto second = std::from_chars(text.data() + middle + 1, text.data() + last, id.series_wall_ns);
  const auto change = std::from_chars(text.data() + last + 1, end, id.change);
  constexpr std::int64_t kLatest = std::int64_t{1} << 33U;
  if (second.ec != std::errc{} || change.ec != std::errc{} || id.series_wall_ns < 0 || id.series_wall_ns > kLatest) {
    return std::nullopt;
  }
  id.series_wall_ns *= kSecondNs;
  return id;
}

Json hello_json(const ServerView& view, const std::string& stream, const Session& session, const Moment& now) {
  const ServerIdentity identity = view.identity();
  return {{"stream", stream},
          {"boot_id", identity.boot_id},
          {"instance", identity.instance},
          {"version", identity.version},
          {"started_at", seconds(identity.started_wall_ns)},
          {"now_at", seconds(now.wall_ns)},
          {"interval_seconds", 1},
          {"session", session_json(session)}};
}

/// Seconds after `sent_wall_ns` that can never be told: beyond the reach of the series, or not recorded, as while the
/// process stood still. The last one or two may yet come.
std::int64_t missed_seconds(const ServerView& view, const Sample& sample, std::int64_t sent_wall_ns) {
  const std::int64_t newest = sample.minute.empty() ? 0 : sample.minute.back().at_wall_ns;
  const std::int64_t end = std::max(newest, sample.now.wall_ns - 2 * kSecondNs) / kSecondNs;
  const std::int64_t begin = sent_wall_ns / kSecondNs;
  if (end <= begin) return 0;
  const std::vector<SeriesPoint> points = view.series((begin + 1) * kSecondNs);
  const auto told =
      std::count_if(points.begin(), points.end(), [](const SeriesPoint& point) { return point.recorded; });
  return std::max<std::int64_t>(0, end - begin - told);
}

}  // namespace

std::size_t Streams::size() const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(
      std::count_if(viewers_.begin(), viewers_.end(), [](const auto& viewer) { return viewer->stream->is_open(); }));
}

Response Streams::open(State& state, const Request& request, const Session& session, const Moment& now) {
  auto viewer = std::make_unique<Viewer>();
  viewer->topics = topics_of(request);
  viewer->id = "v" + random_hex(8);
  viewer->session = session;
  const Sample sample = Sample::of(state.view, now);
  const Json overview = overview_json(state, sample);
  const std::string last_id{request.field("last-event-id").value_or("")};
  const std::lock_guard lock{mutex_};
  if (boot_id_.empty()) boot_id_ = state.view.identity().boot_id;
  std::erase_if(viewers_, [](const auto& other) { return !other->stream->is_open(); });
  if (viewers_.size() >= most_) {
    throw Problem{503, "viewers-full", "Too many dashboards are connected",
                  "At most " + std::to_string(most_) + " event streams are served at the same time."};
  }
  viewer->changes_sent = state.changes.last();
  viewer->series_sent_wall_ns = sample.minute.empty() ? 0 : sample.minute.back().at_wall_ns;
  Response response =
      Response::events([&](EventStream stream) { viewer->stream = std::move(stream); },
                       {.queue_max_bytes = kQueueBytes, .overflow = Overflow::drop_oldest, .retry_ms = 0});
  const auto resumed = parse_event_id(last_id);
  const bool is_same_boot = resumed && resumed->boot == boot_id_;
  const std::int64_t gap = is_same_boot ? viewer->series_sent_wall_ns - resumed->series_wall_ns : 0;
  Json hello = hello_json(state.view, viewer->id, session, now);
  const std::int64_t missed = is_same_boot ? missed_seconds(state.view, sample, resumed->series_wall_ns) : 0;
  hello["resumed"] = is_same_boot && missed == 0 && state.changes.reaches(resumed->change);
  hello["missed_seconds"] = is_same_boot ? Json(missed) : Json{};
  if (is_same_boot) {
    // Before the first event: its id must not claim what has yet to be sent.
    viewer->changes_sent = std::min(viewer->changes_sent, resumed->change);
    viewer->series_sent_wall_ns -= std::clamp<std::int64_t>(gap, 0, kResumeNs);
  }
  send(state, *viewer, "hello", hello, now);
  send_overview(state, *viewer, overview, now);
  viewers_.push_back(std::move(viewer));
  state.wake();  // from now on stalls are looked for between the seconds
  return response;
}

void Streams::set_viewport(State& state, std::string_view stream, const Json& body) {
  const auto ids = body.find("ids");
  if (ids == body.end() || !ids->is_array() || ids->size() > kViewportMost) {
    throw bad_request("ids is a list of at most 200 ids");
  }
  std::vector<ConnectionId> wanted;
  for (const Json& id : *ids) {
    if (!id.is_string()) throw bad_request("an id is text");
    if (const ConnectionId parsed = parse_connection_id(id.get<std::string>())) wanted.push_back(parsed);
  }
  std::string handle = text_member(body, "handle", "", 100);
  if (!wanted.empty()) state.rates.want(Moment::now());
  const std::lock_guard lock{mutex_};
  for (const auto& viewer : viewers_) {
    if (viewer->id != stream) continue;
    std::erase_if(viewer->rows, [&wanted](const auto& entry) {
      return std::find(wanted.begin(), wanted.end(), ConnectionId::unpack(entry.first)) == wanted.end();
    });
    viewer->viewport = std::move(wanted);
    viewer->handle = std::move(handle);
    return;
  }
  throw Problem{404, "not-found", "There is no such event stream"};
}

bool Streams::send(State& state, Viewer& viewer, std::string_view event, const Json& data, const Moment& now) {
  EventStream::Event out;
  out.data = dump(data);
  out.event = event;
  out.id = boot_id_ + "/" + std::to_string(viewer.series_sent_wall_ns / kSecondNs) + "/" +
           std::to_string(viewer.changes_sent);
  viewer.sent_ns = now.steady_ns;
  const std::uint64_t dropped_before = viewer.stream->dropped();
  const bool is_sent = viewer.stream->send(out);
  const std::uint64_t dropped = viewer.stream->dropped() - dropped_before;
  if (dropped != 0 && state.options.usage != nullptr) state.options.usage->add_dropped(topic_of(event), dropped);
  return is_sent;
}

void Streams::tell_usage(const State& state) const {
  if (state.options.usage == nullptr) return;
  for (std::size_t topic = 0; topic < kTopics.size(); ++topic) {
    const auto wants = [topic](const auto& viewer) { return viewer->stream->is_open() && viewer->topics[topic]; };
    const auto clients = std::count_if(viewers_.begin(), viewers_.end(), wants);
    state.options.usage->set_clients(topic, static_cast<std::uint64_t>(clients));
  }
}

void Streams::send_overview(State& state, Viewer& viewer, const Json& overview, const Moment& now) {
  if (!viewer.wants(Topic::overview)) return;
  if (viewer.overview.is_null()) {
    send(state, viewer, "overview", {{"full", true}, {"data", overview}}, now);
  } else {
    send(state, viewer, "overview", {{"full", false}, {"data", merge_difference(viewer.overview, overview)}}, now);
  }
  viewer.overview = overview;
}

void Streams::send_series(State& state, Viewer& viewer, const Sample& sample) {
  if (sample.minute.empty()) return;
  if (!viewer.wants(Topic::series)) {
    viewer.series_sent_wall_ns = sample.minute.back().at_wall_ns;  // nothing of it will ever be missing
    return;
  }
  const std::int64_t newest = sample.minute.back().at_wall_ns;
  // The wall clock was set back: the viewer is told from here on, not only when it has caught up.
  if (newest < viewer.series_sent_wall_ns - kClockBackNs) viewer.series_sent_wall_ns = newest - kSecondNs;
  const bool is_behind = sample.minute.front().at_wall_ns > viewer.series_sent_wall_ns;
  std::vector<SeriesPoint> missed;
  if (is_behind && viewer.series_sent_wall_ns != 0) missed = state.view.series(viewer.series_sent_wall_ns);
  std::size_t sent = 0;
  for (const SeriesPoint& point : missed.empty() ? sample.minute : missed) {
    if (!point.recorded || point.at_wall_ns <= viewer.series_sent_wall_ns) continue;
    viewer.series_sent_wall_ns = point.at_wall_ns;
    send(state, viewer, "series", series_event(point), sample.now);
    if (++sent == kSecondsAtOnce) return;
  }
}

void Streams::send_changes(State& state, Viewer& viewer, const Moment& now) {
  if (!viewer.wants(Topic::changes)) {
    viewer.changes_sent = state.changes.last();
    return;
  }
  for (const auto& [number, change] : state.changes.since(viewer.changes_sent)) {
    viewer.changes_sent = number;
    send(state, viewer, "change", change, now);
  }
}

void Streams::send_sampling(State& state, Viewer& viewer, std::uint64_t sampling, const Moment& now) {
  if (viewer.sampling == sampling) return;
  viewer.sampling = sampling;
  Json data{{"sampling", sampling}};
  if (sampling > 1) data["why"] = "More requests end than are kept one by one.";
  send(state, viewer, "degraded", data, now);
}

Json Streams::changed_row(Viewer& viewer, const ConnectionRecord& record, const RowContext& context) {
  Seen seen{connection_row(record, context), record.hot.last_active_ns,
            record.has_deadline() ? record.hot.deadline_due_ns : 0, record.cold.sampled_ns};
  const auto found = viewer.rows.find(record.id.packed());
  if (found == viewer.rows.end()) {
    // The page that showed it is at most a second old; its changes start here.
    Json whole = seen.row;
    viewer.rows.emplace(record.id.packed(), std::move(seen));
    return whole;
  }
  Seen& old = found->second;
  Json changed = Json::object();
  for (const auto& [name, value] : seen.row.items()) {
    if (name == "age_seconds" || (name == "idle_seconds" && old.last_active_ns == seen.last_active_ns)) continue;
    if (name == "sample_age_seconds" && old.sampled_ns == seen.sampled_ns) continue;
    if (name == "deadline" && old.deadline_due_ns == seen.deadline_due_ns) continue;
    if (old.row[name] != value) changed[name] = value;
  }
  old = std::move(seen);
  if (!changed.empty()) changed["id"] = old.row["id"];
  return changed;
}

void Streams::send_rows(State& state, Viewer& viewer, const RowContext& context) {
  // A list none of whose rows is left, or that never had one, can still drift.
  if (!viewer.wants(Topic::connections) || (viewer.viewport.empty() && viewer.handle.empty())) return;
  Json changed = Json::array();
  std::vector<std::uint64_t> ended;
  for (const ConnectionId id : viewer.viewport) {
    if (const auto record = state.view.record(id)) {
      Json row = changed_row(viewer, *record, context);
      if (!row.empty()) changed.push_back(std::move(row));
    } else {
      ended.push_back(id.packed());
    }
  }
  Json gone = Json::array();
  if (!ended.empty()) {
    std::size_t looked = 0;
    state.view.closed([&](const ClosedRecord& record) {
      const auto found = std::find(ended.begin(), ended.end(), record.connection);
      if (found != ended.end()) {
        gone.push_back({{"id", to_string(record.id())},
                        {"reason", to_string(record.reason)},
                        {"closed_at", seconds(record.closed_wall_ns)}});
        ended.erase(found);
        std::erase(viewer.viewport, record.id());
        viewer.rows.erase(record.connection);
      }
      return !ended.empty() && ++looked < 20'000;
    });
    // Without a closing record there is nothing to tell: it is asked no more.
    for (const std::uint64_t id : ended) std::erase(viewer.viewport, ConnectionId::unpack(id));
  }
  const Json drift = drift_json(state, viewer.handle, context.now);
  if (changed.empty() && gone.empty() && drift.is_null()) return;
  send(state, viewer, "rows",
       {{"at", seconds(context.now.wall_ns)},
        {"changed", std::move(changed)},
        {"gone", std::move(gone)},
        {"drift", drift}},
       context.now);
}

Json Streams::drift_json(State& state, const std::string& handle, const Moment& now) {
  if (handle.empty()) return {};
  const auto kept = state.handles.find(handle, now);
  if (kept == nullptr) return {};
  auto drift = std::find_if(drifts_.begin(), drifts_.end(), [&](const Drift& d) { return d.handle == handle; });
  if (drift == drifts_.end()) drift = drifts_.insert(drifts_.end(), Drift{handle, 0, 0, 0, 0});
  // Looking for drift is a scan: it may cost a fiftieth of one processor, not more.
  if (drift->at_ns == 0 || now.steady_ns - drift->at_ns >= 50 * drift->cost_ns) {
    Query query = kept->query;
    query.set_now(now);
    std::vector<std::uint64_t> matching = matching_ids(state.view, query, state.rates);
    std::vector<std::uint64_t> before = kept->ids;
    std::sort(before.begin(), before.end());
    std::sort(matching.begin(), matching.end());
    std::vector<std::uint64_t> common;
    std::set_intersection(before.begin(), before.end(), matching.begin(), matching.end(), std::back_inserter(common));
    drift->added = matching.size() - common.size();
    drift->removed = before.size() - common.size();
    drift->at_ns = now.steady_ns;
    drift->cost_ns = Moment::now().steady_ns - now.steady_ns;
  }
  return {{"added", drift->added}, {"removed", drift->removed}};
}

void Streams::send_all(State& state, const Moment& now) {
  const std::size_t open = size();
  if (open == 0) {
    const std::lock_guard lock{mutex_};
    viewers_.clear();
    drifts_.clear();
    tell_usage(state);
    return;
  }
  const Sample sample = Sample::of(state.view, now);
  const Json overview = overview_json(state, sample);
  std::vector<StallRecord> stalls;
  state.view.stalls([&stalls](const StallRecord& stall) {
    stalls.push_back(stall);
    return stalls.size() < 64;
  });
  const std::vector<Json> jobs = state.jobs.active_since(now.wall_ns - 2 * kSecondNs);
  const RowContext context = state.row_context(now);
  const std::lock_guard lock{mutex_};
  // A stream outlives the request that was let in: without this look a token taken away would go on showing everything.
  std::erase_if(viewers_, [&](const auto& viewer) {
    return !viewer->stream->is_open() || !state.access.is_valid(viewer->session, now);
  });
  tell_usage(state);
  const std::uint64_t sampling = sampling_.look(sample.snapshot);
  std::erase_if(drifts_, [&](const Drift& drift) { return now.steady_ns - drift.at_ns > 60 * kSecondNs; });
  for (const auto& viewer : viewers_) {
    if (const std::uint64_t dropped = viewer->stream->dropped(); dropped != viewer->dropped) {
      // Differences were lost: from here on whole states again.
      viewer->dropped = dropped;
      viewer->overview = nullptr;
      viewer->rows.clear();
      viewer->sampling = 0;
    }
    send_overview(state, *viewer, overview, now);
    send_series(state, *viewer, sample);
    send_changes(state, *viewer, now);
    send_stalls(state, *viewer, stalls, context);
    send_sampling(state, *viewer, sampling, now);
    if (!viewer->viewport.empty()) state.rates.want(now);
    send_rows(state, *viewer, context);
    if (viewer->wants(Topic::jobs)) {
      for (const Json& job : jobs) send(state, *viewer, "job", job, now);
    }
    if (now.steady_ns - viewer->sent_ns >= kQuietNs) {
      viewer->stream->comment("still here");
      viewer->sent_ns = now.steady_ns;
    }
  }
}

}  // namespace equinox::admin
