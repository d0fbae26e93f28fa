#pragma once

#include <string>
#include <utility>
#include <vector>

namespace equinox::appliance {

/// What this binary was made of.
struct BuildFacts {
  std::string version;
  std::string revision;  ///< "unknown" outside of a repository
  std::string compiler;
  std::string tls;
  std::string llhttp;
  std::string nghttp2;
  std::vector<std::pair<std::string, std::string>> libraries;  ///< the further ones: name and version
};
BuildFacts build_facts();

}  // namespace equinox::appliance
