#include "admin-ui/api/watch.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "admin-ui/api/state.hpp"

namespace equinox::admin {
namespace {

/// A burst is told once, then not again for this long.
constexpr std::int64_t kQuietNs = 60 * kSecondNs;

std::string milliseconds_text(std::int64_t ns) { return std::to_string(ns / 1'000'000) + " ms"; }

/// The reason with the most closes of a second, among those `wanted` says yes to.
template <typename F>
std::pair<CloseReason, std::uint32_t> most_common(const SeriesPoint& point, F wanted) {
  std::pair<CloseReason, std::uint32_t> most{CloseReason::client_fin_idle, 0};
  for_each_word<CloseReason>([&](CloseReason reason) {
    const std::uint32_t count = point.closed_by_reason[index_of(reason)];
    if (count > most.second && wanted(reason)) most = {reason, count};
  });
  return most;
}

/// What most evictions of a second will be closed for. By phase, because some close a second later than their timer
/// fires, those by age among them.
CloseReason most_evicted(const SeriesPoint& point) {
  const auto most = std::max_element(point.evicted_by_phase.begin(), point.evicted_by_phase.end());
  switch (static_cast<EvictionPhase>(most - point.evicted_by_phase.begin())) {
    case EvictionPhase::handshake: return CloseReason::handshake_timeout;
    case EvictionPhase::first_request: return CloseReason::first_request_timeout;
    case EvictionPhase::head: return CloseReason::header_timeout;
    case EvictionPhase::body: return CloseReason::body_timeout;
    case EvictionPhase::handler: return CloseReason::handler_timeout;
    case EvictionPhase::between_requests: return CloseReason::keep_alive_timeout;
    case EvictionPhase::write_stall: return CloseReason::write_stall;
    case EvictionPhase::h2_no_streams: return CloseReason::h2_idle_timeout;
    case EvictionPhase::max_age: return CloseReason::max_age;
    case EvictionPhase::pressure: return CloseReason::connection_limit;
  }
  return CloseReason::keep_alive_timeout;
}

/// What tells one set of certificates from another; that they were read again is no change.
std::string identity_of(const std::vector<CertificateFacts>& certificates) {
  std::string identity;
  for (const CertificateFacts& certificate : certificates) {
    identity += certificate.listener + '\n' + certificate.name + '\n' + certificate.issuer + '\n' +
                std::to_string(certificate.not_before_s) + '-' + std::to_string(certificate.not_after_s) + '\n';
    for (const std::string& name : certificate.names) identity += name + '\n';
  }
  return identity;
}

}  // namespace

void Watch::look(State& state, const Moment& now) {
  const LiveFacts live = state.view.live();
  look_at_life(state, now, live);
  look_at_stalls(state, now);
  look_at_series(state, now);
  has_looked_ = true;
}

void Watch::look_at_life(State& state, const Moment& now, const LiveFacts& live) {
  std::string certificates = identity_of(live.certificates);
  if (!has_looked_) {
    const ServerIdentity identity = state.view.identity();
    state.changes.add({now.steady_ns, identity.started_wall_ns != 0 ? identity.started_wall_ns : now.wall_ns}, "start",
                      "Started");
  } else {
    if (live.last_reload_wall_ns != reloaded_wall_ns_ || live.last_reload_error != reload_error_) {
      if (live.last_reload_successful) {
        state.changes.add(now, "reload", "Configuration reloaded");
      } else {
        state.changes.add(now, "reload_refused", "Reload refused: " + live.last_reload_error, "bad");
      }
    }
    if (live.is_draining() && drain_ == DrainState::none) {
      state.changes.add(now, "drain", "Drain started" + (live.drain_by.empty() ? "" : " by " + live.drain_by), "warn");
    }
    if (!live.is_draining() && drain_ != DrainState::none)
      state.changes.add(now, "undrain", "The drain was taken back");
    // A server that is still starting shows none yet: its first ones are no change.
    if (!certificates_.empty() && !certificates.empty() && certificates != certificates_) {
      state.changes.add(now, "certificate", "Certificates loaded anew");
    }
  }
  reloaded_wall_ns_ = live.last_reload_wall_ns;
  reload_error_ = live.last_reload_error;
  drain_ = live.drain;
  if (!certificates.empty()) certificates_ = std::move(certificates);
}

void Watch::look_at_stalls(State& state, const Moment& now) {
  const Names names = Names::of(state.view);
  std::int64_t newest = stalls_until_ns_;
  int told = 0;
  state.view.stalls([&](const StallRecord& stall) {
    const bool is_known = stall.started_ns <= stalls_until_ns_;
    newest = std::max(newest, stall.started_ns);
    if (!has_looked_ || (is_known && !stall.running)) return stall.running;
    if (is_known || ++told > 8) return true;
    const std::string where =
        stall.has_route ? std::string{names.route(stall.route)} : std::string{to_string(stall.cause)};
    Json more{{"reactor", stall.reactor}};
    if (stall.has_route) more["route"] = where;
    if (ConnectionId::unpack(stall.connection)) more["connection"] = to_string(ConnectionId::unpack(stall.connection));
    state.changes.add(now, "stall",
                      "Stall, " + milliseconds_text(stall.duration_ns) + (stall.running ? " so far" : "") +
                          ". Reactor " + std::to_string(stall.reactor) + " in " + where,
                      "bad", std::move(more));
    return true;
  });
  stalls_until_ns_ = newest;
}

void Watch::look_at_series(State& state, const Moment& now) {
  second_wall_ns_ = std::min(second_wall_ns_, now.wall_ns - kSecondNs);  // behind it only if the clock was set back
  for (const SeriesPoint& point : state.view.series(now.wall_ns - 4 * kSecondNs)) {
    if (!point.recorded || point.at_wall_ns <= second_wall_ns_) continue;
    second_wall_ns_ = point.at_wall_ns;
    if (!has_looked_) continue;
    const auto abuse = most_common(point, [](CloseReason r) { return family_of(r) == CloseFamily::abuse; });
    if (abuse.second > 0 && now.steady_ns >= abuse_quiet_until_ns_) {
      abuse_quiet_until_ns_ = now.steady_ns + kQuietNs;
      state.changes.add(now, "abuse",
                        "Abuse: " + std::string{to_string(abuse.first)} + " ×" + std::to_string(abuse.second), "warn",
                        {{"reason", to_string(abuse.first)}, {"count", abuse.second}, {"query", "family:abuse"}});
    }
    if (point.evictions >= 20 && point.evictions * 20 >= point.connections &&
        now.steady_ns >= evictions_quiet_until_ns_) {
      evictions_quiet_until_ns_ = now.steady_ns + kQuietNs;
      const std::string reason{to_string(most_evicted(point))};
      state.changes.add(now, "evictions", std::to_string(point.evictions) + " evictions in a second, most " + reason,
                        "warn", {{"reason", reason}, {"count", point.evictions}, {"query", "reason:" + reason}});
    }
    if (point.rejected > 0 && now.steady_ns >= rejected_quiet_until_ns_) {
      rejected_quiet_until_ns_ = now.steady_ns + kQuietNs;
      state.changes.add(now, "rejected", std::to_string(point.rejected) + " connections refused in a second", "bad",
                        {{"count", point.rejected}});
    }
  }
}

}  // namespace equinox::admin
