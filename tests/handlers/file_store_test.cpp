#include "handlers/file_store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>

#include "handlers/temporary_folder.hpp"

namespace equinox::handlers {
namespace {

using Limits = std::numeric_limits<std::int64_t>;

FileVersion modified_at(time_t seconds) {
  struct stat facts {};
  facts.st_mtim = {seconds, 5};
  facts.st_ctim = {seconds, 5};
  return FileVersion::of(facts);
}

TEST(FileVersion, ATimeThatDoesNotFitIsTheNearestThatDoes) {
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  constexpr time_t kYear2300 = 10'413'792'000;
  EXPECT_EQ(modified_at(7).modified_ns, 7 * kSecondNs + 5);
  EXPECT_EQ(modified_at(-7).modified_ns, -7 * kSecondNs + 5);
  EXPECT_GT(modified_at(kYear2300).modified_ns, Limits::max() - 2 * kSecondNs);
  EXPECT_EQ(modified_at(kYear2300).changed_ns, modified_at(kYear2300).modified_ns);
  EXPECT_LT(modified_at(-kYear2300).modified_ns, Limits::min() + 3 * kSecondNs);
  EXPECT_GT(modified_at(std::numeric_limits<time_t>::max()).modified_ns, 0);
  EXPECT_LT(modified_at(std::numeric_limits<time_t>::min()).modified_ns, 0);
}

TEST(FileStore, FindsAFileOfAFarFuture) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.txt", "0123456789");
  const std::array<timespec, 2> times{timespec{10'413'792'000, 0}, timespec{10'413'792'000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times.data(), 0), 0);
  FileStore store{folder.path().string(), 16};
  EXPECT_EQ(store.find("a.txt").status, LookupStatus::found);
}

/// Answers openat2 with `error` from now on, as old kernels and some container runtimes do.
bool deny_openat2(int error) {
  std::array<sock_filter, 4> lines{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog code{static_cast<unsigned short>(lines.size()), lines.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &code) == 0;
}

/// In a child, for there is no way back. @return the number of the first thing that is wrong, 0 when all is well
int finds_files_without_openat2(const std::string& root, int error) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!deny_openat2(error)) ::_exit(1);
    FileStore store{root, 16};
    if (store.find("a.txt").status != LookupStatus::found) ::_exit(2);
    if (store.find("docs").status != LookupStatus::folder) ::_exit(3);
    if (store.find("docs/b.txt").status != LookupStatus::found) ::_exit(4);
    if (!store.open_folder("") || !store.open_folder("docs")) ::_exit(5);
    if (store.find("link.txt").status != LookupStatus::missing) ::_exit(6);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST(FileStore, FindsFilesWhereOpenat2CannotBeHad) {
  const TemporaryFolder folder;
  folder.write("site/a.txt", "a");
  folder.write("site/docs/b.txt", "b");
  folder.write("outside.txt", "outside");
  std::filesystem::create_symlink("../outside.txt", folder.path() / "site/link.txt");
  const std::string root = (folder.path() / "site").string();
  EXPECT_EQ(finds_files_without_openat2(root, ENOSYS), 0);
  EXPECT_EQ(finds_files_without_openat2(root, EPERM), 0);
}

}  // namespace
}  // namespace equinox::handlers
