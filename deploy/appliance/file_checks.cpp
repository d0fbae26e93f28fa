#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/unique_fd.hpp"
#include "config.hpp"

/// Whether the files that a configuration names can be used, before anything is opened for good.
namespace equinox::appliance {
namespace {

/// By opening it: what a sandbox keeps closed shows only then. O_NONBLOCK: a FIFO must not stop the start.
bool can_be_read(const std::string& name, bool is_folder) {
  if (is_folder && ::access(name.c_str(), X_OK) != 0) return false;
  const UniqueFd opened{::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  return static_cast<bool>(opened);
}

const char* kind_of(mode_t mode) noexcept {
  if (S_ISDIR(mode)) return "folder";
  return S_ISFIFO(mode) ? "FIFO" : "file";
}

/// As the log writer opens it (LogOutput::open_file), but a file that is not there yet is not made: whoever checks a
/// configuration should not own the log of whoever serves it. @return 0 or an errno
int why_not_written(const std::string& name) {
  const UniqueFd opened{::open(name.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (opened) return 0;
  if (errno != ENOENT) return errno;
  if (name.ends_with('/')) return EISDIR;
  std::string folder = std::filesystem::path{name}.parent_path().string();
  if (folder.empty()) folder = ".";
  return ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace

std::vector<ConfigProblem> check_files(const ApplianceConfig& config) {
  const Settings& s = config.settings;
  std::vector<ConfigProblem> problems;
  for (const std::string& path : s.ordered_paths()) {
    if (find_key(pattern_of(path))->type != KeyType::file) continue;
    const std::string name = file_name(s, config.file, path);
    struct stat facts {};
    const bool wants_folder = path.ends_with(".root");
    const std::string_view wanted = wants_folder ? "folder" : "file";
    if (::stat(name.c_str(), &facts) != 0) {
      problems.push_back(
          {s.origin(path), path,
           fmt::format("\"{}\": {}; allowed is a {} that is there", name, std::strerror(errno), wanted)});
    } else if (const std::string_view kind = kind_of(facts.st_mode); kind != wanted) {
      problems.push_back({s.origin(path), path, fmt::format("\"{}\" is a {}, allowed is a {}", name, kind, wanted)});
    } else if (!can_be_read(name, wants_folder)) {
      problems.push_back(
          {s.origin(path), path, fmt::format("\"{}\": {}; it must be readable", name, std::strerror(errno))});
    }
  }
  return problems;
}

std::vector<ConfigProblem> check_logs(const ApplianceConfig& config) {
  const Settings& s = config.settings;
  std::vector<ConfigProblem> problems;
  for (const char* path : {"log.target", "log.access"}) {
    if (is_log_word(s.text(path))) continue;
    const std::string name = file_name(s, config.file, path);
    if (const int reason = why_not_written(name); reason != 0) {
      problems.push_back({s.origin(path), path,
                          fmt::format("\"{}\": {}; allowed is a file that can be written, in a folder that is there",
                                      name, std::strerror(reason))});
    }
  }
  return problems;
}

}  // namespace equinox::appliance
