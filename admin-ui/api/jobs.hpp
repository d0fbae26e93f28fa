#pragma once

#include <cstdint>
#include <deque>
#include <equinox/admin.hpp>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin-ui/api/facts.hpp"
#include "admin-ui/api/json.hpp"

namespace equinox::admin {

/// One paced close of many connections.
struct Job {
  enum class State : std::uint8_t { running, finished, stopped };
  std::string id;
  State state{State::running};
  CloseReason reason{CloseReason::admin_close};
  std::optional<double> rate;  ///< per second; nothing: as fast as allowed
  std::string query;           ///< empty: a list of ids
  std::string why;
  std::string actor;
  std::vector<std::uint64_t> ids;  ///< given back at the end: a remembered job costs no more than its line
  std::size_t total{0};
  std::size_t next{0};
  std::uint64_t done{0};  ///< closed by this job
  std::uint64_t gone{0};  ///< ended by themselves before their turn
  double credit{0};       ///< how many may be closed now
  std::int64_t advanced_ns{0};
  std::int64_t started_wall_ns{0};
  std::int64_t finished_wall_ns{0};

  void end(State as, const Moment& now);
  [[nodiscard]] Json json() const;
  [[nodiscard]] std::string sentence() const;
};

/// Close jobs: a few at a time, the last 64 are remembered. Any thread.
class Jobs {
 public:
  static constexpr std::size_t kMost = 64;
  static constexpr double kFastest = 5000;  ///< per second, when no rate is given
  Jobs(const ServerView& view, const Actions& actions) : view_{view}, actions_{actions} {}

  /// @throws Problem 503 `busy` when 8 jobs run already
  Json start(Job job, const Moment& now);
  /// @throws Problem 404
  [[nodiscard]] Json find(std::string_view id) const;
  Json stop(std::string_view id, const Moment& now);

  /// Closes what is due; `on_end` is told of jobs that finished.
  void advance(const Moment& now, const std::function<void(const Moment&, const Job&)>& on_end);
  [[nodiscard]] bool is_running() const;
  /// Jobs that run or ended after a moment, for the event streams.
  [[nodiscard]] std::vector<Json> active_since(std::int64_t wall_ns) const;

 private:
  bool advance_one(Job& job, const Moment& now);

  const ServerView& view_;
  const Actions& actions_;
  mutable std::mutex mutex_;
  std::deque<Job> jobs_;
  std::uint64_t serial_{0};
};

}  // namespace equinox::admin
