#include "server/cgroup.hpp"

#include <gtest/gtest.h>

#include "handlers/temporary_folder.hpp"

namespace equinox::server {
namespace {

class Cgroup : public testing::Test {
 protected:
  void proc(std::string_view lines) { root_.write("proc/self/cgroup", lines); }
  void group(const std::string& file, std::string_view text) { root_.write("sys/fs/cgroup/" + file, text); }
  [[nodiscard]] std::optional<double> cpus() const { return cgroup_cpus(root_.path()); }
  [[nodiscard]] std::optional<std::uint64_t> memory() const { return cgroup_memory(root_.path()); }

 private:
  TemporaryFolder root_;
};

TEST_F(Cgroup, OfVersion2IsFoundBelowTheRoot) {
  proc("0::/system.slice/equinox.service\n");
  group("system.slice/equinox.service/cpu.max", "150000 100000\n");
  group("system.slice/equinox.service/memory.max", "268435456\n");
  EXPECT_EQ(cpus(), 1.5);
  EXPECT_EQ(memory(), 268'435'456u);
}

TEST_F(Cgroup, IsBoundByThoseAroundIt) {
  proc("0::/a/b/c\n");
  group("a/b/c/cpu.max", "400000 100000\n");
  group("a/b/cpu.max", "max 100000\n");
  group("a/cpu.max", "100000 50000\n");
  group("a/b/c/memory.max", "max\n");
  group("a/b/memory.max", "1000000\n");
  group("a/memory.max", "2000000\n");
  EXPECT_EQ(cpus(), 2);
  EXPECT_EQ(memory(), 1'000'000u);
}

TEST_F(Cgroup, WithoutALimitHasNone) {
  proc("0::/a\n");
  group("a/cpu.max", "max 100000\n");
  group("a/memory.max", "max\n");
  EXPECT_FALSE(cpus());
  EXPECT_FALSE(memory());
}

TEST_F(Cgroup, ThatCannotBeReadHasNone) {
  EXPECT_FALSE(cpus());
  EXPECT_FALSE(memory());
  proc("0::/gone (deleted)\nnonsense\n");
  EXPECT_FALSE(cpus());
  EXPECT_FALSE(memory());
}

TEST_F(Cgroup, OfAContainerIsTheRootOfWhatIsMounted) {
  proc("0::/docker/0123\n");
  group("cpu.max", "50000 100000\n");
  group("memory.max", "1000000\n");
  EXPECT_EQ(cpus(), 0.5);
  EXPECT_EQ(memory(), 1'000'000u);
}

TEST_F(Cgroup, OutsideOfItsNamespaceIsNotLookedFor) {
  proc("0::/../../other\n");
  group("../../other/cpu.max", "50000 100000\n");
  EXPECT_FALSE(cpus());
}

TEST_F(Cgroup, OfVersion1HasAPathForEachController) {
  proc("12:cpuset:/x\n5:memory:/user.slice/m\n4:cpu,cpuacct:/user.slice/c\n0::/user.slice/unified\n");
  group("cpuset/x/cpu.cfs_quota_us", "1");
  group("cpu/user.slice/c/cpu.cfs_quota_us", "250000\n");
  group("cpu/user.slice/c/cpu.cfs_period_us", "100000\n");
  group("cpu/user.slice/cpu.cfs_quota_us", "-1\n");
  group("cpu/user.slice/cpu.cfs_period_us", "100000\n");
  group("memory/user.slice/m/memory.limit_in_bytes", "9223372036854771712\n");
  group("memory/user.slice/memory.limit_in_bytes", "3000000\n");
  group("memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(cpus(), 2.5);
  EXPECT_EQ(memory(), 3'000'000u);
}

}  // namespace
}  // namespace equinox::server
