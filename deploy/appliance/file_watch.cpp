#include "file_watch.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <set>

namespace equinox::appliance {
namespace {

/// Nothing of what is no regular file: a FIFO's reader would wait for its writer, and take from the next one what it
/// reads, so it is not even opened.
std::optional<std::size_t> digest_of(const std::string& name) {
  struct stat facts {};
  if (::stat(name.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  const UniqueFd file{::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  std::string text;
  char room[16 * 1024];
  ssize_t got = 0;
  while ((got = ::read(file.get(), room, sizeof room)) > 0) text.append(room, static_cast<std::size_t>(got));
  if (got < 0) return std::nullopt;
  return std::hash<std::string>{}(text);
}

}  // namespace

FileWatch::FileWatch(std::vector<std::string> files) {
  std::erase(files, std::string{});
  if (files.empty()) return;
  inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  std::set<std::string> folders;
  for (const std::string& file : files) {
    digests_[file] = digest_of(file).value_or(0);
    const auto folder = std::filesystem::path{file}.parent_path();
    folders.insert(folder.empty() ? "." : folder.string());
  }
  if (!inotify_) return;
  for (const std::string& folder : folders) {
    ::inotify_add_watch(inotify_.get(), folder.c_str(),
                        IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ATTRIB | IN_ONLYDIR);
  }
}

bool FileWatch::drain_events() {
  if (!inotify_) return false;
  alignas(inotify_event) char room[4096];
  bool any = false;
  while (::read(inotify_.get(), room, sizeof room) > 0) any = true;
  return any;
}

bool FileWatch::has_changed() {
  bool changed = false;
  for (auto& [file, digest] : digests_) {
    const auto now = digest_of(file);
    if (!now || *now == digest) continue;
    digest = *now;
    changed = true;
  }
  return changed;
}

}  // namespace equinox::appliance
