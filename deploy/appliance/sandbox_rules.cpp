#include "sandbox_rules.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace equinox::appliance {
namespace {

namespace fs = std::filesystem;

class Collector {
 public:
  /// The folder a file is in, as written and as its links lead: both are where its successor will be.
  void read_around(const std::string& file) {
    if (file.empty()) return;
    for (const fs::path& place : {fs::absolute(file).lexically_normal(), resolved(file)}) {
      // The root folder would be everything.
      read(place.parent_path() == place.root_path() ? place : place.parent_path());
    }
  }
  /// A folder; when a link leads to it ("current" → "releases/42"), its neighbours too: the link will be turned.
  void read_folder(const std::string& folder) {
    const fs::path target = resolved(folder);
    read(target);
    const fs::path written = fs::absolute(folder).lexically_normal();
    std::error_code ignored;
    if (fs::is_symlink(written.has_filename() ? written : written.parent_path(), ignored)) {
      if (target.parent_path() != target.root_path()) read(target.parent_path());
    }
  }
  void write_log(const std::string& target) {
    if (target.empty() || is_log_word(target)) return;
    const fs::path file = fs::absolute(target);
    std::error_code ignored;
    const bool is_special = fs::exists(file, ignored) && !fs::is_regular_file(file, ignored);
    add(rules.write, is_special || file.parent_path() == file.root_path() ? file : file.parent_path());
  }
  void read(const fs::path& path) { add(rules.read, path); }

  LandlockRules rules;

 private:
  static fs::path resolved(const std::string& name) {
    std::error_code failed;
    fs::path found = fs::canonical(name, failed);
    return failed ? fs::absolute(name).lexically_normal() : found;
  }
  static void add(std::vector<std::string>& list, const fs::path& path) {
    if (std::find(list.begin(), list.end(), path.string()) == list.end()) list.push_back(path.string());
  }
};

}  // namespace

LandlockRules sandbox_rules(const ApplianceConfig& config) {
  Collector places;
  places.read_around(config.file);
  places.read_around(config.admin.tokens_file);
  for (const std::string& file : config.certificate_files()) places.read_around(file);
  for (const RouteConfig& route : config.routes) {
    if (route.handler == RouteHandler::static_files) places.read_folder(route.static_root);
  }
  // What libraries and the process look up about the system and about themselves.
  for (const char* path : {"/etc/ssl", "/etc/localtime", "/usr/share/zoneinfo", "/usr/lib", "/lib", "/lib64",
                           "/proc/self", "/proc/stat", "/sys/fs/cgroup", "/dev/null", "/dev/urandom"}) {
    places.read(path);
  }
  places.write_log(config.traffic.log.target);
  places.write_log(config.traffic.log.access);
  return std::move(places.rules);
}

}  // namespace equinox::appliance
