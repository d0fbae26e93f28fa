#pragma once

#include <cstdint>
#include <string>

namespace equinox::server {

/// CPUs this process may use: affinity, then the cgroup's quota, rounded up; at least 1.
std::uint32_t usable_cpus();
/// Raises RLIMIT_NOFILE to its hard limit. @return what it is then
std::uint64_t raise_descriptor_limit();
/// "localhost" when it is not known.
std::string host_name();
/// As it is.
std::uint64_t descriptor_limit() noexcept;
/// How far that could be raised.
std::uint64_t hard_descriptor_limit() noexcept;

}  // namespace equinox::server
