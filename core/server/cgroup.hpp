#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace equinox::server {

/// Limits of the cgroup this process is in (v2, else v1) and of those around it: the tightest counts. Nothing where
/// none is set, or where nothing can be read. `root` is what /proc and /sys are below.

/// CPUs that the quota pays for: 1.5 for 150 ms of every 100 ms.
std::optional<double> cgroup_cpus(const std::filesystem::path& root = "/");
/// Bytes of memory.
std::optional<std::uint64_t> cgroup_memory(const std::filesystem::path& root = "/");

}  // namespace equinox::server
