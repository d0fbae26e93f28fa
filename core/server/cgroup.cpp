#include "server/cgroup.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

namespace equinox::server {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kNoLimit = 1ULL << 60U;  // v1 writes "no limit" as the largest multiple of a page

/// The path of a line of /proc/self/cgroup, "4:cpu,cpuacct:/a/b", that has this controller; "0::/a/b" has the empty
/// one.
std::optional<std::string> path_of(std::string_view line, std::string_view controller) {
  const auto first = line.find(':');
  const auto second = first == line.npos ? first : line.find(':', first + 1);
  if (second == line.npos) return std::nullopt;
  std::string_view names = line.substr(first + 1, second - first - 1);
  bool is_it = names == controller;
  while (!is_it && !controller.empty() && !names.empty()) {
    const auto comma = names.find(',');
    is_it = names.substr(0, comma) == controller;
    names = comma == names.npos ? std::string_view{} : names.substr(comma + 1);
  }
  return is_it ? std::optional{std::string{line.substr(second + 1)}} : std::nullopt;
}

std::string own_path(const fs::path& root, std::string_view controller) {
  std::ifstream file{root / "proc/self/cgroup"};
  for (std::string line; std::getline(file, line);) {
    if (auto path = path_of(line, controller)) return *path;
  }
  return "/";
}

template <class Value>
using Reader = std::function<std::optional<Value>(const fs::path& folder)>;

/// From the process's own group up to the mount's root. A container may see its group as that root although its path
/// names more: folders that are not there hold no limit.
template <class Value>
std::optional<Value> tightest(const fs::path& mount, const std::string& own, const Reader<Value>& read) {
  std::optional<Value> least;
  // A group outside of the process's namespace is shown as "/..": no folder of the mount is meant.
  std::string path = own.find("/..") == own.npos ? own : "/";
  while (true) {
    while (path.ends_with('/')) path.pop_back();
    if (const auto found = read(fs::path{mount.string() + path}); found && (!least || *found < *least)) least = found;
    if (path.empty()) return least;
    path.resize(path.rfind('/') == path.npos ? 0 : path.rfind('/'));
  }
}

std::optional<double> cpus_v2(const fs::path& folder) {
  double quota = 0;
  double period = 0;
  std::ifstream file{folder / "cpu.max"};  // "max 100000" stops at its first word
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

std::optional<double> cpus_v1(const fs::path& folder) {
  double quota = 0;
  double period = 0;
  std::ifstream quota_file{folder / "cpu.cfs_quota_us"};  // -1: none
  std::ifstream period_file{folder / "cpu.cfs_period_us"};
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

Reader<std::uint64_t> bytes_in(const char* name) {
  return [name](const fs::path& folder) -> std::optional<std::uint64_t> {
    std::uint64_t limit = 0;
    std::ifstream file{folder / name};
    if (!(file >> limit) || limit == 0 || limit >= kNoLimit) return std::nullopt;
    return limit;
  };
}

template <class Value>
std::optional<Value> limit_of(const fs::path& root, const std::string& controller, const Reader<Value>& v2,
                              const Reader<Value>& v1) {
  const fs::path mount = root / "sys/fs/cgroup";
  const auto found = tightest<Value>(mount, own_path(root, ""), v2);
  return found ? found : tightest<Value>(mount / controller, own_path(root, controller), v1);
}

}  // namespace

std::optional<double> cgroup_cpus(const fs::path& root) { return limit_of<double>(root, "cpu", cpus_v2, cpus_v1); }

std::optional<std::uint64_t> cgroup_memory(const fs::path& root) {
  return limit_of<std::uint64_t>(root, "memory", bytes_in("memory.max"), bytes_in("memory.limit_in_bytes"));
}

}  // namespace equinox::server
