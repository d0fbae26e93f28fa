#include "handlers/listing_cache.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "base/open_file.hpp"
#include "base/unique_fd.hpp"
#include "handlers/request_maker.hpp"
#include "handlers/temporary_folder.hpp"

namespace equinox::handlers {
namespace {

class ListingCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    folder.write("outside/sub/x", "");
    folder.write("site/a.txt", "");
    std::filesystem::create_symlink("../outside/sub", site / "link");
  }
  std::string list(const std::string& path = "/site/") { return list(path, cache); }
  std::string list(const std::string& path, ListingCache& from) const {
    const UniqueFd open{::open(site.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    Response response = from.list(open.get(), path, false);
    EXPECT_EQ(response.content_type(), "text/html; charset=utf-8");
    EXPECT_EQ(response.field("Cache-Control"), "no-cache");
    return body_of(response);
  }
  void let_rest() const {
    struct stat facts {};
    ASSERT_EQ(::stat(site.c_str(), &facts), 0);
    while (!has_come_to_rest(FileVersion::of(facts).changed_ns)) std::this_thread::yield();
  }

  TemporaryFolder folder;
  std::filesystem::path site = folder.path() / "site";
  ListingCache cache{std::chrono::hours{1}};
};

TEST_F(ListingCacheTest, KeepsAPageForAWhile) {
  let_rest();
  const std::string page = list();
  EXPECT_THAT(page, testing::HasSubstr("./link/"));
  std::filesystem::remove_all(folder.path() / "outside");  // the one change that leaves no trace in the folder
  EXPECT_EQ(list(), page);
  EXPECT_THAT(list("//site/"), testing::HasSubstr("<h1>//site/</h1>")) << "another address has another page";
}

TEST_F(ListingCacheTest, KeepsNoPageForEver) {
  ListingCache forgetful{std::chrono::nanoseconds{0}};
  let_rest();
  EXPECT_THAT(list("/site/", forgetful), testing::HasSubstr("./link/"));
  std::filesystem::remove_all(folder.path() / "outside");
  EXPECT_THAT(list("/site/", forgetful), testing::Not(testing::HasSubstr("./link/")));
}

TEST_F(ListingCacheTest, ShowsEveryChangeAtOnce) {
  let_rest();
  EXPECT_THAT(list(), testing::Not(testing::HasSubstr("./b.txt")));
  folder.write("site/b.txt", "");
  EXPECT_THAT(list(), testing::HasSubstr("./b.txt"));
  for (int i = 0; i < 20; ++i) {  // as fast as the clock of the files is slow
    const std::string name = "c" + std::to_string(i);
    folder.write("site/" + name, "");
    EXPECT_THAT(list(), testing::HasSubstr("./" + name + "\""));
  }
}

TEST_F(ListingCacheTest, KeepsAFewPagesOnly) {
  let_rest();
  const std::string page = list();
  for (int i = 0; i < 20; ++i) list("/" + std::to_string(i) + "/");
  std::filesystem::remove_all(folder.path() / "outside");
  EXPECT_NE(list(), page);
}

}  // namespace
}  // namespace equinox::handlers
