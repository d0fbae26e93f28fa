#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace equinox::appliance {

/// Notices that the contents of some files have changed, however: written in place, replaced by rename, or reached
/// through a symlink that now leads elsewhere (Kubernetes swaps "..data"). Folders are watched by inotify, and compared
/// now and then all the same, because network file systems announce nothing. One thread.
class FileWatch {
 public:
  /// Starts from the files' present contents: to be made before they are read, or a change between is never seen.
  /// Empty names are left out.
  explicit FileWatch(std::vector<std::string> files = {});

  /// Readable when something happened in a folder; -1 when inotify is not available.
  [[nodiscard]] int descriptor() const noexcept { return inotify_.get(); }
  /// Reads away what inotify said. @return whether anything was said
  bool drain_events();
  /// Compares contents with those of the last call that returned true. A file that cannot be read counts as unchanged:
  /// it is being replaced.
  bool has_changed();
  [[nodiscard]] bool empty() const noexcept { return digests_.empty(); }

 private:
  UniqueFd inotify_;
  std::map<std::string, std::size_t> digests_;
};

}  // namespace equinox::appliance
