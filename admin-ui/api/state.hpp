#pragma once

#include <atomic>
#include <condition_variable>
#include <equinox/admin.hpp>
#include <memory>
#include <mutex>
#include <thread>

#include "admin-ui/api/access.hpp"
#include "admin-ui/api/frame_rates.hpp"
#include "admin-ui/api/handles.hpp"
#include "admin-ui/api/jobs.hpp"
#include "admin-ui/api/journal.hpp"
#include "admin-ui/api/rates.hpp"
#include "admin-ui/api/rows.hpp"
#include "admin-ui/api/streams.hpp"
#include "admin-ui/api/watch.hpp"

namespace equinox::admin {

/// Everything the routes share. Handlers run on the admin server's threads, ticks on one thread of this object.
struct State {
  State(const ServerView& watched, Actions allowed, Options chosen);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// One thread from here on: jobs ten times a second, stalls fifty times while somebody watches them, everything else
  /// once a second.
  void start_ticking();
  /// One turn of that thread. @param is_whole_second  else only jobs and stalls that are new
  void tick(const Moment& now, bool is_whole_second);
  /// There is work before the next second (a job has begun).
  void wake();

  [[nodiscard]] RowContext row_context(const Moment& now) const {
    return {view, Names::of(view), redaction, now, &rates};
  }

  const ServerView& view;
  const Actions actions;
  const Options options;
  const Redaction redaction;
  Access access;
  Audit audit;
  Changes changes;
  Handles handles;
  Rates rates;
  FrameRates frame_rates;
  Jobs jobs;
  Streams streams;
  Watch watch;  ///< finds what goes into `changes`

 private:
  void run(const std::stop_token& stop);
  void look_at_tokens(const Moment& now);

  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool is_woken_{false};
  std::string tokens_error_;
  std::jthread thread_;  ///< last: ends before what it uses
};

}  // namespace equinox::admin
