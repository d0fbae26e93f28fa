#include "deploy/appliance/file_watch.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <filesystem>

#include "handlers/temporary_folder.hpp"

namespace equinox::appliance {
namespace {

bool is_announced(const FileWatch& watch) {
  pollfd ready{watch.descriptor(), POLLIN, 0};
  return ::poll(&ready, 1, 5000) == 1;
}

TEST(FileWatch, NoticesAFileWrittenInPlaceAndOneReplaced) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.crt", "one");
  FileWatch watch{{file.string()}};
  EXPECT_FALSE(watch.has_changed());
  folder.write("a.crt", "two");
  EXPECT_TRUE(is_announced(watch));
  EXPECT_TRUE(watch.drain_events());
  EXPECT_TRUE(watch.has_changed());
  EXPECT_FALSE(watch.has_changed()) << "once is enough";
  folder.write("new", "three");
  std::filesystem::rename(folder.path() / "new", file);
  EXPECT_TRUE(watch.drain_events());
  EXPECT_TRUE(watch.has_changed());
}

TEST(FileWatch, NoticesASwappedFolderAsKubeletDoesIt) {
  const TemporaryFolder folder;
  folder.write("..1/tls.crt", "one");
  folder.write("..2/tls.crt", "two");
  std::filesystem::create_directory_symlink("..1", folder.path() / "..data");
  std::filesystem::create_symlink("..data/tls.crt", folder.path() / "tls.crt");
  FileWatch watch{{(folder.path() / "tls.crt").string()}};
  std::filesystem::create_directory_symlink("..2", folder.path() / "..data_tmp");
  std::filesystem::rename(folder.path() / "..data_tmp", folder.path() / "..data");
  EXPECT_TRUE(is_announced(watch));
  EXPECT_TRUE(watch.has_changed());
}

TEST(FileWatch, AFileThatIsGoneForAMomentIsNoChange) {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "one");
  FileWatch watch{{file.string()}};
  std::filesystem::remove(file);
  EXPECT_FALSE(watch.has_changed());
  folder.write("a", "one");
  EXPECT_FALSE(watch.has_changed()) << "the same content";
}

TEST(FileWatch, AFileThatBecomesAFifoIsNoChangeAndNobodyWaitsForItsWriter) {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "one");
  FileWatch watch{{file.string()}};
  std::filesystem::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_FALSE(watch.has_changed());
}

TEST(FileWatch, ATouchedFileWithTheSameContentIsNoChange) {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "one");
  FileWatch watch{{file.string()}};
  folder.write("a", "one");
  EXPECT_TRUE(watch.drain_events());
  EXPECT_FALSE(watch.has_changed());
}

TEST(FileWatch, WithoutFilesWatchesNothing) {
  FileWatch watch;
  EXPECT_EQ(watch.descriptor(), -1);
  EXPECT_FALSE(watch.drain_events());
  EXPECT_FALSE(watch.has_changed());
}

TEST(FileWatch, AnEmptyNameIsNoFile) {
  FileWatch watch{{std::string{}}};
  EXPECT_TRUE(watch.empty());
  EXPECT_EQ(watch.descriptor(), -1);
}

}  // namespace
}  // namespace equinox::appliance
