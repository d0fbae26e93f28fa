#include "file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <set>

namespace equinox::appliance {
namespace {

std::optional<std::size_t> digest_of(const std::string& name) {
  std::ifstream file{name, std::ios::binary};
  if (!file) return std::nullopt;
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  return std::hash<std::string>{}(text);
}

}  // namespace

FileWatch::FileWatch(std::vector<std::string> files) {
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
