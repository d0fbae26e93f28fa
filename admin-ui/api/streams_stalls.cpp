// Stalls as the event streams tell them: while they run, and once more when they are over.

#include <algorithm>

#include "admin-ui/api/state.hpp"
#include "admin-ui/api/streams.hpp"

namespace equinox::admin {
namespace {

/// A stall that was seen running and then neither runs nor is in the ring.
constexpr std::int64_t kForgottenNs = 3 * kSecondNs;

}  // namespace

void Streams::send_stalls(State& state, Viewer& viewer, const std::vector<StallRecord>& stalls,
                          const RowContext& context) {
  if (!viewer.wants(Topic::stalls)) return;
  for (const StallRecord& stall : stalls) {
    if (!stall.running) continue;
    viewer.stalls.insert_or_assign(stall_id(stall), RunningStall{stall, context.now.steady_ns});
    send(state, viewer, "stall", stall_row(stall, context), context.now);
  }
  send_ended_stalls(state, viewer, stalls, context);
}

/// What was told as running is told once more when it is over. A stall is a turn's when it is over and a handler's
/// while it runs, which may have begun later in the turn: it is the same one, and keeps the id that the viewer knows.
void Streams::send_ended_stalls(State& state, Viewer& viewer, const std::vector<StallRecord>& stalls,
                                const RowContext& context) {
  std::erase_if(viewer.stalls, [&](const auto& entry) {
    const auto& id = entry.first;
    const RunningStall& told = entry.second;
    if (told.seen_ns == context.now.steady_ns) return false;
    const auto ended = std::find_if(stalls.begin(), stalls.end(), [&told](const StallRecord& stall) {
      return !stall.running && stall.reactor == told.record.reactor && stall.started_ns <= told.record.started_ns &&
             told.record.started_ns <= stall.started_ns + stall.duration_ns;
    });
    // It enters the ring with the reactor's next turn, or never: it may be overwritten already.
    if (ended == stalls.end() && context.now.steady_ns - told.seen_ns < kForgottenNs) return false;
    StallRecord record = ended != stalls.end() ? *ended : told.record;
    record.running = false;
    Json row = stall_row(record, context);
    row["id"] = id;
    send(state, viewer, "stall", row, context.now);
    return true;
  });
}

void Streams::send_new_stalls(State& state, const Moment& now) {
  std::vector<StallRecord> running;
  for (const ReactorFacts& reactor : state.view.reactors()) {
    if (reactor.stall) running.push_back(*reactor.stall);
  }
  if (running.empty()) return;
  const RowContext context = state.row_context(now);
  const std::lock_guard lock{mutex_};
  for (const auto& viewer : viewers_) {
    if (!viewer->wants(Topic::stalls) || !viewer->stream->is_open()) continue;
    for (const StallRecord& stall : running) {
      if (!viewer->stalls.emplace(stall_id(stall), RunningStall{stall, now.steady_ns}).second) continue;
      send(state, *viewer, "stall", stall_row(stall, context), now);
    }
  }
}

bool Streams::are_stalls_wanted() const {
  const std::lock_guard lock{mutex_};
  return std::any_of(viewers_.begin(), viewers_.end(),
                     [](const auto& viewer) { return viewer->wants(Topic::stalls) && viewer->stream->is_open(); });
}

}  // namespace equinox::admin
