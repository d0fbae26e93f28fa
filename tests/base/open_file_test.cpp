#include "base/open_file.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace equinox {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class FileContentsTest : public testing::Test {
 protected:
  /// An open file of `size` bytes that was last written to an hour ago.
  OpenFile file(std::size_t size, std::int64_t changed_ns = now_ns() - 3'600'000'000'000) {
    std::string name = testing::TempDir() + "open_fileXXXXXX";
    OpenFile out{UniqueFd{::mkstemp(name.data())}, size, std::make_unique<FileContents>(budget_, changed_ns)};
    ::unlink(name.c_str());
    const std::string bytes(size, 'x');
    EXPECT_EQ(::pwrite(out.fd.get(), bytes.data(), size, 0), static_cast<ssize_t>(size));
    return out;
  }

  std::shared_ptr<FileContents::Budget> budget_ = std::make_shared<FileContents::Budget>(300'000);
};

TEST_F(FileContentsTest, AreReadWhenFirstAskedForAndKept) {
  const OpenFile open = file(100'000);
  EXPECT_EQ(*budget_, 300'000U) << "nobody has asked";
  EXPECT_EQ(open.contents->of(open), std::string(100'000, 'x'));
  EXPECT_EQ(*budget_, 200'000U);
  ASSERT_EQ(::pwrite(open.fd.get(), "y", 1, 0), 1);
  EXPECT_EQ(open.contents->of(open), std::string(100'000, 'x')) << "a changed file is another one, opened anew";
}

TEST_F(FileContentsTest, OfALargeOrEmptyFileAreNotKept) {
  const OpenFile large = file(FileContents::kFileMaxBytes + 1);
  EXPECT_EQ(large.contents->of(large), "");
  const OpenFile none = file(0);
  EXPECT_EQ(none.contents->of(none), "");
  EXPECT_EQ(*budget_, 300'000U);
}

TEST_F(FileContentsTest, OfAFileThatIsBeingWrittenAreNotKeptYet) {
  const OpenFile open = file(10, now_ns());
  EXPECT_EQ(open.contents->of(open), "");
}

TEST_F(FileContentsTest, StayWithinTheBudgetAndGiveItBack) {
  {
    const OpenFile first = file(120'000);
    const OpenFile second = file(120'000);
    const OpenFile third = file(120'000);
    EXPECT_FALSE(first.contents->of(first).empty());
    EXPECT_FALSE(second.contents->of(second).empty());
    EXPECT_TRUE(third.contents->of(third).empty());
    EXPECT_EQ(*budget_, 60'000U);
  }
  EXPECT_EQ(*budget_, 300'000U);
}

TEST_F(FileContentsTest, AreTriedAgainWhenThereIsBudget) {
  auto first = std::make_unique<OpenFile>(file(120'000));
  *budget_ = 130'000;
  EXPECT_FALSE(first->contents->of(*first).empty());
  const OpenFile second = file(120'000);
  EXPECT_TRUE(second.contents->of(second).empty());
  first.reset();
  EXPECT_FALSE(second.contents->of(second).empty());
}

TEST_F(FileContentsTest, OfAFileThatShrankAreNotKept) {
  const OpenFile open = file(1000);
  ASSERT_EQ(::ftruncate(open.fd.get(), 10), 0);
  EXPECT_EQ(open.contents->of(open), "");
  EXPECT_EQ(*budget_, 300'000U) << "what is not kept takes none of it";
}

TEST_F(FileContentsTest, AreReadByOneOfManyThreads) {
  const OpenFile open = file(100'000);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&open] {
      for (int n = 0; n < 100; ++n) {
        const std::string_view bytes = open.contents->of(open);
        if (!bytes.empty()) {
          EXPECT_EQ(bytes.back(), 'x');
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*budget_, 200'000U) << "once";
}

}  // namespace
}  // namespace equinox
