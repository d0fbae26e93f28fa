#pragma once

#include <array>
#include <cstdint>
#include <equinox/handler.hpp>
#include <equinox/view.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace prometheus {
class Collectable;
}

namespace equinox::metrics {

/// How http_response_status_code is written: the code, or its class ("2xx") for very large fleets.
enum class StatusLabel : std::uint8_t { code, status_class };

/// What the admin surface counts about itself; it is not part of a server's view.
struct AdminFacts {
  struct Topic {
    std::string topic;
    std::uint64_t clients{0};
    std::uint64_t dropped_events{0};
  };
  struct Action {
    std::string action;
    std::string result;  ///< "done", "refused", "failed"
    std::string role;
    std::uint64_t count{0};
  };
  std::vector<Topic> topics;
  std::vector<Action> actions;
};

struct Options {
  StatusLabel status{StatusLabel::code};
  bool body_sizes{false};  ///< export the body size histograms; needs HistoryConfig::body_sizes
  bool process{true};      ///< the process_* family
  /// Further labels of equinox_build_info besides `version` and `compiler`, such as {"revision", "2f1c"}: each name a
  /// label's (letters, digits and '_'), and once.
  std::vector<std::pair<std::string, std::string>> build{};
  /// What protects the process, and whether it is in force; empty: the program has nothing to say about it.
  std::vector<std::pair<std::string, bool>> sandbox{};
  std::function<AdminFacts()> admin{};  ///< called at each scrape
  /// Registries of the program, appended to every answer of exposition(); none of them empty. One that throws is left
  /// out of that answer, and counted by equinox_scrape_errors_total.
  std::vector<std::shared_ptr<prometheus::Collectable>> appended{};
};

/// The metrics of `view` for a program's own registry. `view` must outlive it. Any thread; never makes a traffic
/// reactor wait.
/// @throws std::invalid_argument for options that would spoil every page: `build`, `appended`
std::shared_ptr<prometheus::Collectable> collectable(const ServerView& view, Options options = {});

/// The scrape page: OpenMetrics 1.0 with exemplars or text 0.0.4, as the Accept field prefers; gzip when accepted.
/// Meant for an ops or admin server, not for the traffic server itself. `view` must outlive the handler.
/// @throws as collectable()
Handler exposition(const ServerView& view, Options options = {});

}  // namespace equinox::metrics
