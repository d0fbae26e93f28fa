#pragma once

#include <cstdint>

namespace equinox::server {

/// CPUs this process may use: affinity, then the cgroup's quota, rounded up; at least 1.
std::uint32_t usable_cpus();
/// RLIMIT_NOFILE as it is, after raising it to its hard limit.
std::uint64_t descriptor_limit();

}  // namespace equinox::server
