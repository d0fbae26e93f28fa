#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <equinox/view.hpp>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace equinox::server {

/// A bounded queue and a few threads for work that would block a reactor. Threads start with the first work.
/// Thread-safe.
class WorkerPool {
 public:
  /// `log` outlives the pool and may be opened until the first work.
  WorkerPool(std::uint32_t threads, std::uint32_t queue, const Log& log)
      : thread_count_{threads}, queue_max_{queue}, log_{log} {}
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  /// Work not yet begun is dropped. Its Responders go with it; by then there is no reactor to answer for them.
  ~WorkerPool() { stop(); }

  /// False when the queue is full, or the pool has no threads, can have none or was stopped. An exception of `work`
  /// is logged and ends nothing.
  bool submit(std::function<void()> work);
  /// Not from work of this pool, which would wait for itself.
  void stop();
  /// Whether the calling thread is one of this pool.
  [[nodiscard]] bool is_one_of_mine() const noexcept;
  [[nodiscard]] WorkerFacts facts() const;

 private:
  struct Job {
    std::function<void()> work;
    TimePoint queued_at;
  };
  void work();
  bool add_thread();

  std::uint32_t thread_count_;
  std::uint32_t queue_max_;
  const Log& log_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  std::vector<std::thread> threads_;
  std::uint64_t busy_{0};
  HistogramValue<kDurationEdges.size()> waits_;
  bool is_stopped_{false};
};

}  // namespace equinox::server
