#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log_state.hpp"

namespace equinox {
namespace {

// Records that come close together leave in one write, and producers ring the bell at most once per nap.
constexpr int kNapMilliseconds = 10;

bool has_records(LogState& log) {
  const auto rings = log.current_rings();
  return std::any_of(rings.begin(), rings.end(), [](const auto& ring) { return !ring->is_empty(); });
}

bool is_clean(LogState& log) { return log.output.is_idle() && !has_records(log); }

void emit(LogState& log, const LogRecord& record, std::string& line) {
  // First, so that a target that hangs or fails keeps nobody from looking.
  log.history.add(record);
  const LogTarget& target = log.options.target;
  if (target.kind == LogTarget::Kind::none) return;
  if (target.kind != LogTarget::Kind::function) {
    format_line(log.options, log.output.is_journal(), record, log.output.pending());
    return;
  }
  line.clear();
  format_line(log.options, false, record, line);
  line.pop_back();
  try {
    target.sink(record.level(), line);
  } catch (...) {
    log.drop(1);  // a sink of the program's own: its failure is a lost line, not the end of the process
  }
}

}  // namespace

LogBell::LogBell() noexcept : event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {}

void LogBell::ring() const noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_.get(), &one, sizeof one));
}

void LogBell::silence() const noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(event_.get(), &count, sizeof count));
}

struct LogWriterState::Turn {
  std::vector<std::shared_ptr<LogState>> logs;
  std::uint64_t flush_wanted{0};
  bool is_flushing{false};
  std::optional<std::chrono::steady_clock::time_point> stop_at;
};

LogWriterState::Turn LogWriterState::begin_turn() {
  const std::lock_guard lock{mutex};
  return {logs, flush_wanted, flush_wanted != flush_done, stop_at};
}

bool LogWriterState::move_lines(LogState& log) {
  {
    const std::lock_guard lock{log.mutex};
    if (log.next_file) static_cast<void>(log.output.replace(log.next_file));
  }
  bool has_moved = false;
  LogRecord record = LogRing::blank();
  std::string line;
  for (const auto& ring : log.current_rings()) {
    while (log.output.has_room() && ring->pop(record)) {
      emit(log, record, line);
      has_moved = true;
    }
  }
  if (!log.output.is_idle()) log.drop(log.output.write_out());
  // What is stuck in a blocked target is no progress: waiting for POLLOUT is.
  return has_moved && !log.output.is_blocked();
}

void LogWriterState::finish_flush(std::uint64_t wanted) {
  {
    const std::lock_guard lock{mutex};
    flush_done = wanted;
  }
  changed.notify_all();
}

void LogWriterState::sleep(const Turn& turn, bool has_moved) {
  std::vector<pollfd> waited_for{{bell->descriptor(), POLLIN, 0}};
  for (const auto& log : turn.logs) {
    if (log->output.is_blocked()) waited_for.push_back({log->output.descriptor(), POLLOUT, 0});
  }
  int timeout_ms = has_moved ? kNapMilliseconds : -1;
  if (!has_moved) {
    for (const auto& log : turn.logs) {
      // A blocked target has the writer woken as long as lines may wait for it: they are looked for meanwhile.
      if (log->output.is_blocked() && !log->output.has_room()) continue;
      log->wants_bell.store(true);
      if (has_records(*log)) timeout_ms = 0;  // came between the last look and the flag
    }
  }
  if (turn.stop_at) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*turn.stop_at - std::chrono::steady_clock::now());
    const int left_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    timeout_ms = timeout_ms < 0 ? left_ms : std::min(timeout_ms, left_ms);
  }
  // A target that is broken rather than blocked (POLLERR without POLLOUT) is found out by the next write.
  static_cast<void>(::poll(waited_for.data(), waited_for.size(), timeout_ms));
  bell->silence();
  for (const auto& log : turn.logs) log->wants_bell.store(false);
}

void LogWriterState::run() {
  while (true) {
    const Turn turn = begin_turn();
    bool has_moved = false;
    for (const auto& log : turn.logs) has_moved = move_lines(*log) || has_moved;
    const bool all_out =
        std::all_of(turn.logs.begin(), turn.logs.end(), [](const auto& log) { return is_clean(*log); });
    if (turn.is_flushing && all_out) finish_flush(turn.flush_wanted);
    if (turn.stop_at && (all_out || std::chrono::steady_clock::now() >= *turn.stop_at)) break;
    if (has_moved && (turn.is_flushing || turn.stop_at)) continue;
    sleep(turn, has_moved);
  }
  {
    const std::lock_guard lock{mutex};
    is_finished = true;
    for (const auto& log : logs) {
      for (const auto& ring : log->current_rings()) {
        LogRecord record = LogRing::blank();
        while (ring->pop(record)) log->drop(1);
      }
      log->drop(static_cast<std::size_t>(std::count(log->output.pending().begin(), log->output.pending().end(), '\n')));
    }
  }
  changed.notify_all();
}

}  // namespace equinox
