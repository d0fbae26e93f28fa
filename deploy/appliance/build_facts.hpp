#pragma once

#include <string>

namespace equinox::appliance {

/// What this binary was made of.
struct BuildFacts {
  std::string version;
  std::string revision;  ///< "unknown" outside of a repository
  std::string compiler;
  std::string tls;
  std::string llhttp;
  std::string nghttp2;
};
BuildFacts build_facts();

}  // namespace equinox::appliance
