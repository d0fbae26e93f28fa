#include "server/worker_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <system_error>

#include "base/signals_elsewhere.hpp"
#include "server/thrown.hpp"

namespace equinox::server {
namespace {

thread_local const WorkerPool* t_pool = nullptr;

}  // namespace

bool WorkerPool::submit(std::function<void()> work) {
  {
    const std::lock_guard lock{mutex_};
    if (is_stopped_ || thread_count_ == 0 || queue_.size() >= queue_max_) return false;
    const bool wants_thread = threads_.size() < thread_count_ && busy_ + queue_.size() + 1 > threads_.size();
    if (wants_thread && !add_thread() && threads_.empty()) return false;  // with others there it only waits longer
    queue_.push_back({std::move(work), Clock{}.now()});
  }
  wake_.notify_one();
  return true;
}

/// False when the machine has no thread left.
bool WorkerPool::add_thread() {
  try {
    const SignalsElsewhere masked;  // whoever offloads before run() must not end up with a thread that SIGTERM ends
    threads_.emplace_back([this] { this->work(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void WorkerPool::work() {
  ::pthread_setname_np(::pthread_self(), "eqx-worker");
  t_pool = this;
  std::unique_lock lock{mutex_};
  for (;;) {
    wake_.wait(lock, [&] { return is_stopped_ || !queue_.empty(); });
    if (is_stopped_) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    const auto waited = static_cast<std::uint64_t>((Clock{}.now() - job.queued_at).count());
    const auto edge = std::lower_bound(kDurationEdges.begin(), kDurationEdges.end(), waited);
    ++waits_.buckets[static_cast<std::size_t>(edge - kDurationEdges.begin())];
    waits_.sum += waited;
    ++busy_;
    lock.unlock();
    try {
      job.work();
    } catch (...) {  // what was to be answered answers 500 as its Responder dies
      log_thrown(log_, "offloaded work threw", std::current_exception());
    }
    job.work = nullptr;
    lock.lock();
    --busy_;
  }
}

void WorkerPool::stop() {
  std::deque<Job> dropped;
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock{mutex_};
    is_stopped_ = true;
    dropped.swap(queue_);
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

bool WorkerPool::is_one_of_mine() const noexcept { return t_pool == this; }

WorkerFacts WorkerPool::facts() const {
  const std::lock_guard lock{mutex_};
  WorkerFacts out;
  out.busy = busy_;
  out.idle = threads_.size() > busy_ ? threads_.size() - busy_ : 0;
  out.queue_length = queue_.size();
  out.queue_wait = waits_;
  return out;
}

}  // namespace equinox::server
