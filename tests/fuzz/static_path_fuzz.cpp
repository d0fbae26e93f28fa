// Request target to file beneath a root: whatever the encoding, a mapped name neither climbs nor hides, and what the
// kernel opens for it is one of the files that may be sent.

#include <sys/stat.h>

#include <array>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "fuzz/require.hpp"
#include "handlers/file_store.hpp"
#include "handlers/static_path.hpp"
#include "handlers/temporary_folder.hpp"
#include "http/target.hpp"

namespace {

using namespace equinox;

/// A root with everything beside it that must stay unseen: a hidden file, a secret outside, links that lead there.
class Site {
 public:
  Site() {
    folder_.write("outside/secret.txt", "secret");
    folder_.write("site/.hidden/a.txt", "hidden");
    folder_.write("site/docs/.hidden", "hidden");
    const auto root = folder_.path() / "site";
    std::filesystem::create_symlink("../outside/secret.txt", root / "leak");
    std::filesystem::create_symlink(folder_.path() / "outside", root / "out");
    std::filesystem::create_directory_symlink("..", root / "docs" / "up");
    for (const char* name : {"a.txt", "docs/b.txt", ".well-known/c.txt"})
      note(folder_.write(std::string{"site/"} + name, name));
    for (const char* name : {"", "docs", ".well-known"}) note(root / name);
  }

  [[nodiscard]] std::string root() const { return (folder_.path() / "site").string(); }
  [[nodiscard]] bool may_send(std::uint64_t inode) const { return allowed_.count(inode) != 0; }

 private:
  void note(const std::filesystem::path& path) {
    struct stat facts {};
    FUZZ_REQUIRE(::stat(path.c_str(), &facts) == 0);
    allowed_.insert(facts.st_ino);
  }

  TemporaryFolder folder_;
  std::set<std::uint64_t> allowed_;
};

void check_segments(std::string_view relative) {
  if (relative.empty()) return;
  bool is_first = true;
  for (std::size_t at = 0; at <= relative.size(); is_first = false) {
    const std::string_view segment = relative.substr(at, relative.find('/', at) - at);
    FUZZ_REQUIRE(!segment.empty() && segment.size() <= NAME_MAX);
    FUZZ_REQUIRE(segment.front() != '.' || (is_first && segment == ".well-known"));
    at += segment.size() + 1;
  }
}

void check_opened(std::string_view relative) {
  static const Site site;
  static handlers::FileStore store{site.root(), 4};
  const handlers::Lookup found = store.find(relative);
  if (found.status == handlers::LookupStatus::found) FUZZ_REQUIRE(site.may_send(found.file->version.inode));
  if (found.status != handlers::LookupStatus::folder) return;
  struct stat facts {};
  const UniqueFd opened = store.open_folder(relative);
  FUZZ_REQUIRE(opened && ::fstat(opened.get(), &facts) == 0 && site.may_send(facts.st_ino));
}

void check_mapping(std::string_view rest) {
  const auto mapped = handlers::map_static_path(rest);
  if (!mapped) return;
  const std::string_view relative = mapped->relative;
  FUZZ_REQUIRE(rest.find(relative) <= 1 || relative.empty());  // a view of what was asked for, not something else
  FUZZ_REQUIRE(relative.size() < PATH_MAX && relative.find('\0') == std::string_view::npos);
  FUZZ_REQUIRE(mapped->names_folder == (rest.empty() || rest.back() == '/'));
  check_segments(relative);
  const auto again = handlers::map_static_path(relative);
  FUZZ_REQUIRE(again && again->relative == relative);
  check_opened(relative);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes{reinterpret_cast<const char*>(data), size};
  check_mapping(bytes);
  std::string scratch;
  const auto target = http::parse_target(Method::get, bytes, scratch);
  if (!target || target->path.empty()) return 0;
  check_mapping(target->path);
  // Behind a "*" of the route the encodings that were kept are undone, once.
  std::string decoded;
  decoded.reserve(target->path.size());
  check_mapping(http::decode_rest(target->path.substr(1), decoded));
  return 0;
}
