#include <fmt/format.h>

#include <cstdio>
#include <equinox/record.hpp>
#include <equinox/snapshot.hpp>
#include <nlohmann/json.hpp>

#include "base/log_history.hpp"
#include "commands.hpp"
#include "config_values.hpp"
#include "environment.hpp"
#include "sandbox_rules.hpp"
#include "site.hpp"
#include "surfaces.hpp"

namespace equinox::appliance {
namespace {

void print_text(const ApplianceConfig& config) {
  std::size_t widest = 0;
  const auto facts = config_facts(config.settings);
  for (const ConfigFact& fact : facts) {
    widest = std::max(widest, std::min<std::size_t>(fact.key.size() + fact.value.size(), 70));
  }
  for (const ConfigFact& fact : facts) {
    const std::string left = fmt::format("{} = {}", fact.key, fact.value);
    fmt::print("{:<{}}  # {}\n", left, widest + 3, fact.origin);
  }
}

/// Memory that is taken and touched at start, so that nobody is surprised later.
void print_rings(const ApplianceConfig& config) {
  const HistoryConfig& history = config.traffic.history;
  const std::pair<const char*, std::uint64_t> rings[] = {
      {"closed", std::uint64_t{history.closed} * sizeof(ClosedRecord)},
      {"slow", std::uint64_t{history.slow} * sizeof(RequestRecord)},
      {"samples", std::uint64_t{history.samples} * sizeof(RequestRecord)},
      {"recent", std::uint64_t{history.recent} * sizeof(RequestRecord)},
      {"stalls", std::uint64_t{history.stalls} * sizeof(StallRecord)},
      {"events", std::uint64_t{history.events} * sizeof(StateChange)},
      {"log", LogHistory::bytes_for(history.log) * (config.traffic.log.access == "off" ? 1U : 2U)},
  };
  std::uint64_t total = 0;
  for (const auto& [name, bytes] : rings) {
    fmt::print("# ring {}: {:.1f} MB\n", name, static_cast<double>(bytes) / 1e6);
    total += bytes;
  }
  // Not configured: what every cell of the latency map is promised does not depend on the load.
  const std::uint64_t cells = std::uint64_t{config.traffic.reactors} * LatencyMap::kSamplesPerReactor;
  fmt::print("# ring cells: {:.1f} MB, {} on each of {} reactors\n",
             static_cast<double>(cells * sizeof(RequestRecord)) / 1e6, LatencyMap::kSamplesPerReactor,
             config.traffic.reactors);
  total += cells * sizeof(RequestRecord);
  fmt::print("# rings together: {:.1f} MB\n", static_cast<double>(total) / 1e6);
}

/// What `serve` would do here.
void print_sandbox(const ApplianceConfig& config) {
  if (config.sandbox == SandboxMode::off) {
    fmt::print("# sandbox: off\n");
    return;
  }
  const SandboxReport report = probe_sandbox();
  const std::string missing = names_missing(report);
  fmt::print("# sandbox: {}{}{}\n", names_in_force(report), missing.empty() ? "" : "; missing: ", missing);
  const LandlockRules rules = sandbox_rules(config);
  fmt::print("# sandbox reads: {}\n", fmt::join(rules.read, " "));
  fmt::print("# sandbox writes: {}\n",
             rules.write.empty() ? "nothing" : fmt::format("{}", fmt::join(rules.write, " ")));
}

void print_json(const ApplianceConfig& config) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ConfigFact& fact : config_facts(config.settings)) {
    rows.push_back({{"key", fact.key},
                    {"value", nlohmann::json::parse(fact.value)},
                    {"origin", fact.origin},
                    {"changed", fact.changed},
                    {"reload", fact.reload}});
  }
  fmt::print("{}\n", rows.dump(2));
}

/// Certificates and fallbacks are opened only where all files are there: their absence has been told by then.
std::vector<ConfigProblem> check_config(const ApplianceConfig& config, bool text_only) {
  std::vector<ConfigProblem> problems = check_rules(config);
  if (text_only) return problems;
  for (auto check : {check_files, check_tokens, check_first_token, check_logs}) {
    const auto more = check(config);
    problems.insert(problems.end(), more.begin(), more.end());
  }
  return problems.empty() ? check_site(config) : problems;
}

}  // namespace

int run_check(const Options& options) {
  LoadedConfig loaded = load_config_file(options.config_file, options.flags);
  std::vector<ConfigProblem> problems = std::move(loaded.problems);
  if (loaded.config) problems = check_config(*loaded.config, options.check_text_only);
  for (const ConfigProblem& problem : problems) std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  if (!problems.empty() || !loaded.config) return 2;
  for (const std::string& warning : resolve_environment(*loaded.config)) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  if (options.check_json) {
    print_json(*loaded.config);
  } else {
    print_text(*loaded.config);
    print_rings(*loaded.config);
    print_sandbox(*loaded.config);
  }
  return 0;
}

}  // namespace equinox::appliance
