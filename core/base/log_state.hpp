#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.hpp"
#include "base/log_history.hpp"
#include "base/log_output.hpp"
#include "base/log_ring.hpp"
#include "base/unique_fd.hpp"

namespace equinox {

/// How the writer thread is woken.
class LogBell {
 public:
  LogBell() noexcept;
  void ring() const noexcept;
  void silence() const noexcept;
  [[nodiscard]] int descriptor() const noexcept { return event_.get(); }

 private:
  UniqueFd event_;
};

/// What a log, its producers and the writer share.
struct LogState {
  explicit LogState(LogOptions chosen, std::shared_ptr<LogBell> writer_bell);

  /// Any thread with a ring of its own (or a lock around it).
  void put(LogRing& ring, const LogRecord& record) noexcept;
  std::shared_ptr<LogRing> add_ring();
  /// Writer thread.
  [[nodiscard]] std::vector<std::shared_ptr<LogRing>> current_rings();
  void drop(std::size_t lines) noexcept { dropped.fetch_add(lines, std::memory_order_relaxed); }

  const LogOptions options;
  const std::shared_ptr<LogBell> bell;
  std::atomic<LogLevel> level;
  std::atomic<bool> is_stopped{false};
  std::atomic<bool> wants_bell{false};  ///< the writer sleeps: the next record must ring
  std::atomic<std::uint64_t> dropped{0};
  std::array<std::array<std::atomic<std::uint64_t>, kLogComponents>, kLogLevels> counts{};

  std::mutex mutex;  ///< guards rings and next_file
  std::vector<std::shared_ptr<LogRing>> rings;
  UniqueFd next_file;

  std::mutex shared_mutex;  ///< held for one push by threads without a ring of their own
  std::shared_ptr<LogRing> shared_ring;

  LogOutput output;  ///< writer thread
  LogHistory history;
};

/// Appends the finished line of `record`, '\n' included. Writer thread.
void format_line(const LogOptions& options, bool is_journal, const LogRecord& record, std::string& out);

/// The writer thread's own.
struct LogWriterState {
  /// The thread's function.
  void run();

  const std::shared_ptr<LogBell> bell = std::make_shared<LogBell>();
  std::thread thread;

  std::mutex mutex;  ///< guards all below
  std::condition_variable changed;
  std::vector<std::shared_ptr<LogState>> logs;
  std::uint64_t flush_wanted{0};
  std::uint64_t flush_done{0};
  std::optional<std::chrono::steady_clock::time_point> stop_at;
  bool is_finished{false};

 private:
  struct Turn;
  Turn begin_turn();
  bool move_lines(LogState& log);
  void finish_flush(std::uint64_t wanted);
  void sleep(const Turn& turn, bool has_moved);
};

}  // namespace equinox
