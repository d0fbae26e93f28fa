// The state strip and the deadlines: one scan of the live records each.

#include <algorithm>
#include <map>

#include "admin-ui/api/lists.hpp"
#include "admin-ui/api/waiting.hpp"

namespace equinox::admin {
namespace {

using StateCounts = std::array<std::uint32_t, kCount<ConnectionState>>;

constexpr std::array kUrgency{ConnectionState::closing,      ConnectionState::handshake, ConnectionState::reading_head,
                              ConnectionState::reading_body, ConnectionState::handling,  ConnectionState::writing,
                              ConnectionState::draining,     ConnectionState::idle};

/// The most urgent state of at least `least` connections; else the most common one; a space without any.
char cell_letter(const StateCounts& counts, std::uint32_t least) noexcept {
  for (const ConnectionState state : kUrgency) {
    if (counts[index_of(state)] >= least) return letter_of(state);
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  return *most == 0 ? ' ' : letter_of(static_cast<ConnectionState>(most - counts.begin()));
}

struct Elapsed {
  std::vector<std::uint32_t> counts;
  std::uint64_t over{0};
};

struct KindCounts {
  std::uint64_t total{0};
  std::vector<std::uint32_t> left;
  std::uint64_t beyond{0};
  Elapsed elapsed;
};

constexpr std::size_t kWindow = 60;
constexpr std::size_t kElapsedMost = 600;

void count_elapsed(Elapsed& elapsed, double waited) {
  const auto whole = static_cast<std::size_t>(std::max(0.0, waited));
  if (whole >= kElapsedMost) {
    ++elapsed.over;
    return;
  }
  if (elapsed.counts.size() <= whole) elapsed.counts.resize(whole + 1);
  ++elapsed.counts[whole];
}

void count_deadline(KindCounts& counts, const RecordHot& hot, const Moment& now) {
  const double left = seconds(hot.deadline_due_ns - now.steady_ns);
  ++counts.total;
  counts.left.resize(kWindow);
  const auto second = static_cast<std::size_t>(std::max(0.0, left));
  if (second < kWindow) {
    ++counts.left[second];
  } else {
    ++counts.beyond;
  }
  if (hot.deadline != DeadlineKind::idle) count_elapsed(counts.elapsed, hot.deadline_total_ms / 1e3 - left);
}

}  // namespace

Json strip_json(const ServerView& view, std::size_t cells, const Moment& now) {
  const std::size_t reactors = view.reactor_count();
  std::vector<std::vector<StateCounts>> seen(reactors, std::vector<StateCounts>(cells));
  std::vector<std::uint32_t> per_cell(reactors, 1);
  std::vector<std::uint64_t> connections(reactors);
  for (std::size_t r = 0; r < reactors; ++r) {
    const auto extent = static_cast<std::uint32_t>(view.record_extent(r));
    per_cell[r] = std::max<std::uint32_t>(
        1, (extent + static_cast<std::uint32_t>(cells) - 1) / static_cast<std::uint32_t>(cells));
  }
  view.for_each_record([&](const ConnectionRecord& record) {
    const std::size_t r = record.id.reactor();
    if (r >= reactors) return true;
    ++connections[r];
    const std::size_t cell = std::min<std::size_t>(record.id.index() / per_cell[r], cells - 1);
    ++seen[r][cell][index_of(record.hot.state)];
    return true;
  });
  // A single handshake must not paint a run of thousands.
  const std::uint32_t widest = reactors == 0 ? 1 : *std::max_element(per_cell.begin(), per_cell.end());
  const std::uint32_t least = widest >= 16 ? 2 : 1;
  const auto facts = view.reactors();
  Json rows = Json::array();
  for (std::size_t r = 0; r < reactors; ++r) {
    std::string letters;
    for (const StateCounts& counts : seen[r]) letters += cell_letter(counts, least);
    const bool stalled = std::any_of(facts.begin(), facts.end(),
                                     [r](const ReactorFacts& f) { return f.reactor == r && f.stall.has_value(); });
    rows.push_back({{"reactor", r},
                    {"connections", connections[r]},
                    {"slots_per_cell", per_cell[r]},
                    {"cells", std::move(letters)},
                    {"stalled", stalled}});
  }
  return {{"taken_at", seconds(now.wall_ns)}, {"at_least", least}, {"rows", std::move(rows)}};
}

Json deadlines_json(const ServerView& view, const Moment& now) {
  std::map<DeadlineKind, KindCounts> kinds;
  std::uint64_t total = 0;
  std::uint64_t none = 0;
  view.for_each_record([&](const ConnectionRecord& record) {
    ++total;
    if (record.has_deadline()) {
      count_deadline(kinds[record.hot.deadline], record.hot, now);
      // As the query field `unused` has it, so that a list of those counted here holds the same ones.
      const auto unused = unused_seconds(record.hot, now);
      if (unused) count_elapsed(kinds[DeadlineKind::idle].elapsed, *unused);
    } else {
      ++none;
    }
    return true;
  });
  Json out{{"taken_at", seconds(now.wall_ns)}, {"total", total}, {"none", none}, {"window_seconds", kWindow}};
  for (const char* name : {"by_kind", "left", "beyond", "elapsed"}) out[name] = Json::object();
  const LiveFacts live = view.live();
  for (auto& [kind, counts] : kinds) {
    const std::string name{to_string(kind)};
    double timeout = 0;
    for (const TimeoutFacts& fact : live.timeouts) {
      if (fact.kind == kind) timeout = seconds(fact.timeout_ns);
    }
    out["by_kind"][name] = counts.total;
    counts.left.resize(kWindow);
    out["left"][name] = counts.left;
    out["beyond"][name] = counts.beyond;
    // The slider runs up to the timeout: the array reaches as far.
    const auto wanted = std::min(kElapsedMost, static_cast<std::size_t>(std::max(0.0, timeout)));
    if (counts.elapsed.counts.size() < wanted) counts.elapsed.counts.resize(wanted);
    out["elapsed"][name] = {
        {"timeout_seconds", timeout}, {"counts", counts.elapsed.counts}, {"over", counts.elapsed.over}};
  }
  return out;
}

}  // namespace equinox::admin
