#include "server/observer_rest.hpp"

#include <linux/membarrier.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace equinox::server {

namespace {

bool membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0U, 0) == 0; }

}  // namespace

ObserverRest::ObserverRest(net::Wakeup wakeup)
    : wakeup_{std::move(wakeup)}, can_order_{membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)} {}

bool ObserverRest::begin() noexcept {
  if (!can_order_) return false;
  is_resting_.store(true, std::memory_order_seq_cst);
  // A fence on every thread of the process that runs, paid by who wants to sleep and not by each turn (membarrier(2)).
  if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return true;
  can_order_ = false;
  end();
  return false;
}

void ObserverRest::sleep(std::chrono::nanoseconds most) noexcept {
  const std::int64_t ns = std::max<std::int64_t>(most.count(), 0);
  const timespec patience{static_cast<std::time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  pollfd event{wakeup_.descriptor(), POLLIN, 0};
  if (::ppoll(&event, 1, &patience, nullptr) > 0) wakeup_.acknowledge();
}

void ObserverRest::wake() noexcept {
  end();  // once is enough
  wakeup_.signal();
}

}  // namespace equinox::server
