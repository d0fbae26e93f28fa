#include <cstdio>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "appliance.hpp"
#include "commands.hpp"
#include "site.hpp"

namespace equinox::appliance {
namespace {

int refuse(const std::vector<ConfigProblem>& problems) {
  for (const ConfigProblem& problem : problems) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  return 2;
}

}  // namespace

/// Configuration → servers → signals → drain → exit status.
int run_serve(const Options& options) {
  Appliance::expect_signals();
  FileWatch configuration{{options.config_file}};  // before it is read
  LoadedConfig loaded = load_config_file(options.config_file, options.flags);
  if (!loaded.config) return refuse(loaded.problems);
  for (auto check : {check_files, check_tokens, check_first_token, check_logs, check_site}) {
    if (const auto problems = check(*loaded.config); !problems.empty()) return refuse(problems);
  }
  try {
    return Appliance{std::move(*loaded.config), options.flags, std::move(configuration)}.run();
  } catch (const std::system_error& failure) {
    std::fprintf(stderr, "equinox: %s\n", failure.what());
    return 1;
  } catch (const std::invalid_argument& mistake) {
    std::fprintf(stderr, "equinox: %s\n", mistake.what());
    return 2;
  }
}

}  // namespace equinox::appliance
