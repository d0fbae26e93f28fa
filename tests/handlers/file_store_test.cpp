#include "handlers/file_store.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <limits>

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

}  // namespace
}  // namespace equinox::handlers
