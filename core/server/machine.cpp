#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "server/server_internal.hpp"

namespace equinox::server {

namespace {

/// Whole CPUs a quota pays for, rounded up; 0: no quota.
std::uint32_t quota_cpus() {
  std::string quota;
  double period = 0;
  if (std::ifstream v2{"/sys/fs/cgroup/cpu.max"}; v2 >> quota >> period) {
    if (quota == "max" || period <= 0) return 0;
    return static_cast<std::uint32_t>((std::stod(quota) + period - 1) / period);
  }
  double v1_quota = 0;
  double v1_period = 0;
  std::ifstream quota_file{"/sys/fs/cgroup/cpu/cpu.cfs_quota_us"};
  std::ifstream period_file{"/sys/fs/cgroup/cpu/cpu.cfs_period_us"};
  if (quota_file >> v1_quota && period_file >> v1_period && v1_quota > 0 && v1_period > 0) {
    return static_cast<std::uint32_t>((v1_quota + v1_period - 1) / v1_period);
  }
  return 0;
}

}  // namespace

std::uint32_t usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::uint32_t cpus = 1;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) cpus = static_cast<std::uint32_t>(CPU_COUNT(&set));
  if (const std::uint32_t quota = quota_cpus(); quota != 0) cpus = std::min(cpus, quota);
  return std::clamp(cpus, 1U, 255U);
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return raised.rlim_cur;
  }
  return limit.rlim_cur;
}

}  // namespace equinox::server
