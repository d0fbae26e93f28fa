#include "admin-ui/api/drain.hpp"

#include <algorithm>
#include <cmath>

#include "admin-ui/api/overview.hpp"
#include "admin-ui/api/state.hpp"
#include "admin-ui/api/waiting.hpp"

namespace equinox::admin {
namespace {

constexpr std::size_t kMostHolders = 20;
/// Who has moved no byte for so long is not waited for with an estimate.
constexpr double kStalledSeconds = 2;
/// What an idle connection is given before a drain closes it, and HTTP/2 between its two GOAWAYs.
constexpr double kIdleSeconds = 1;

struct Holder {
  ConnectionRecord record;
  std::uint64_t weight{0};
  std::optional<double> age;  ///< of what it is at; nothing when the timeline no longer tells
  double silent{0};
  std::optional<double> left;    ///< until it is done
  std::string_view no_estimate;  ///< why there is no `left`
};

/// Since when a connection is at its requests without a pause.
std::optional<double> busy_seconds(const ServerView& view, ConnectionId id, const Moment& now) {
  std::optional<double> out;
  for (const StateChange& change : view.timeline(id, 8)) {
    if (change.state == ConnectionState::idle || change.state == ConnectionState::reading_head) break;
    out = std::max(0.0, seconds(now.wall_ns - change.at_wall_ns));
  }
  return out;
}

/// Those that run, the heaviest first: with bytes to send, then the longest silent.
std::vector<Holder> holders_of(const State& state, const Moment& now) {
  std::vector<Holder> out;
  const auto heavier = [](const Holder& a, const Holder& b) { return a.weight > b.weight; };
  state.view.for_each_record([&](const ConnectionRecord& record) {
    if (!is_mid_request(record)) return true;
    const auto silent =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, now.steady_ns - record.hot.last_active_ns));
    const std::uint64_t weight = (std::uint64_t{record.hot.pending_bytes} << 24U) + silent / 1'000'000;
    if (out.size() == kMostHolders && weight <= out.front().weight) return true;
    out.push_back({record, weight, {}, seconds(silent), {}, {}});
    std::push_heap(out.begin(), out.end(), heavier);
    if (out.size() > kMostHolders) {
      std::pop_heap(out.begin(), out.end(), heavier);
      out.pop_back();
    }
    return true;
  });
  std::sort(out.begin(), out.end(), heavier);
  for (Holder& holder : out) holder.age = busy_seconds(state.view, holder.record.id, now);
  return out;
}

/// Until now usual requests took so long; nothing when it is longer than that already, or nothing is usual.
std::optional<double> usual_left(const Holder& holder, const Json& usual) {
  const double waited = holder.age.value_or(holder.silent);
  if (!usual.is_number() || waited >= usual.get<double>()) return std::nullopt;
  return usual.get<double>() - waited;
}

void estimate(Holder& holder, const std::optional<Rate>& rate, const Json& usual, const Moment& now) {
  const RecordHot& hot = holder.record.hot;
  const bool is_stalled =
      rate ? rate->sent + rate->received <= 0 && holder.silent > kStalledSeconds / 2 : holder.silent > kStalledSeconds;
  switch (phase_of(holder.record)) {
    case ConnectionState::writing:
      if (rate && rate->sent > 0 && hot.pending_bytes != 0) {
        holder.left = hot.pending_bytes / rate->sent;
      } else if (is_stalled) {
        holder.no_estimate = "a client takes nothing";
      } else if (!(holder.left = usual_left(holder, usual))) {
        holder.no_estimate = "how fast a client reads is not known yet";
      }
      return;
    case ConnectionState::reading_head:
    case ConnectionState::reading_body:
      if (is_stalled) {
        holder.no_estimate = "a client sends nothing";
      } else if (!(holder.left = usual_left(holder, usual))) {
        holder.no_estimate = "an upload takes longer than requests usually do";
      }
      return;
    default: break;
  }
  holder.left = usual_left(holder, usual);
  if (holder.left) return;
  if (hot.deadline == DeadlineKind::handler) {
    holder.left = std::max(0.0, seconds(hot.deadline_due_ns - now.steady_ns));  // then it is answered with 503
  } else {
    holder.no_estimate = "an answer has no end in sight";
  }
}

struct Outlook {
  std::optional<double> seconds;
  std::string_view no_estimate;
};

double passed_seconds(const Sample& sample) {
  const LiveFacts& live = sample.live;
  if (!live.is_draining() || live.drain_started_wall_ns == 0) return 0;
  return std::max(0.0, seconds(sample.now.wall_ns - live.drain_started_wall_ns));
}

/// How long it takes from now: the delay, the second that the idle get, and the last of what runs; cut by the timeout.
Outlook outlook_of(const Sample& sample, const std::vector<Holder>& holders, const Json& usual) {
  if (sample.live.drain == DrainState::drained) return {0.0, {}};
  const double delay = seconds(sample.live.drain_delay_ns);
  const double passed = passed_seconds(sample);
  const double settled = sample.snapshot.connections() == 0 ? delay : std::max(delay, kIdleSeconds);
  double whole = std::max(0.0, settled - passed);
  for (const Holder& holder : holders) {
    if (!holder.left) return {{}, holder.no_estimate};
    whole = std::max(whole, *holder.left);
  }
  if (sample.snapshot.requests_in_flight() > holders.size() && usual.is_number()) {
    whole = std::max(whole, usual.get<double>());
  }
  const double limit = delay + seconds(sample.live.drain_timeout_ns) - passed;
  return {limit > 0 ? std::min(whole, limit) : whole, {}};
}

Json holder_json(const Holder& holder, const Names& names, const Redaction& redaction) {
  const RecordHot& hot = holder.record.hot;
  Json row{{"id", to_string(holder.record.id)}, {"waiting_for", awaited(holder.record, names)}};
  const bool has_request = hot.requests != 0;
  row["route"] = has_request ? Json(names.route(hot.route)) : Json{};
  row["target"] = has_request && holder.record.target_is_newest()
                      ? text_or_null(shown_target(holder.record.cold.target.view(), redaction))
                      : Json{};
  row["age_seconds"] = holder.age ? Json(*holder.age) : Json{};
  row["silent_seconds"] = holder.silent;
  row["left_bytes"] = hot.pending_bytes != 0 ? Json(hot.pending_bytes) : Json{};
  row["estimate_seconds"] = holder.left ? Json(*holder.left) : Json{};
  return row;
}

Json delay_left(const Sample& sample) {
  if (!sample.live.is_draining()) return {};
  return std::max(0.0, seconds(sample.live.drain_delay_ns) - passed_seconds(sample));
}

}  // namespace

Json drain_json(const State& state, const Sample& sample, bool with_holders) {
  const LiveFacts& live = sample.live;
  const Json usual = quantile_json(sample.minute, 60, 0.99);
  std::vector<Holder> holders;
  // Half-sent heads and answers whose request is over hold it too: only who has to say names them.
  if (with_holders || sample.snapshot.requests_in_flight() != 0) {
    state.rates.want(sample.now);
    holders = holders_of(state, sample.now);
    for (Holder& holder : holders) estimate(holder, state.rates.of(holder.record), usual, sample.now);
  }
  const Outlook outlook = outlook_of(sample, holders, usual);
  Json out = Json::object();
  out["state"] = to_string(live.drain);
  out["started_at"] = live.drain_started_wall_ns != 0 ? Json(seconds(live.drain_started_wall_ns)) : Json{};
  out["delay_seconds"] = seconds(live.drain_delay_ns);
  out["delay_left_seconds"] = delay_left(sample);
  out["timeout_seconds"] = seconds(live.drain_timeout_ns);
  out["connections_left"] = sample.snapshot.connections();
  out["requests_in_flight"] = sample.snapshot.requests_in_flight();
  out["idle"] = sample.snapshot.connections(ConnectionState::idle);
  out["h2"] = sample.snapshot.connections(Protocol::h2) + sample.snapshot.connections(Protocol::h2c);
  out["estimate_seconds"] = outlook.seconds ? Json(std::round(*outlook.seconds * 10) / 10) : Json{};
  out["no_estimate"] = text_or_null(outlook.no_estimate);
  out["by"] = live.drain_by.empty() ? Json{} : Json(live.drain_by);
  if (!with_holders) return out;
  const Names names = Names::of(state.view);
  Json rows = Json::array();
  for (const Holder& holder : holders) rows.push_back(holder_json(holder, names, state.redaction));
  out["holders"] = std::move(rows);
  return out;
}

}  // namespace equinox::admin
