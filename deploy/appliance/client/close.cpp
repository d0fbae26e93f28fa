#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <thread>

#include "admin_client.hpp"
#include "deploy/appliance/commands.hpp"
#include "text_table.hpp"

namespace equinox::appliance {
namespace {

/// "50/s" or "50"; nothing when it is neither.
std::optional<double> parse_rate(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  double rate = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(rate) || rate <= 0) return std::nullopt;
  return rate;
}

int follow_job(AdminClient& client, nlohmann::json job, bool as_json) {
  while (job.value("state", "") == "running") {
    std::this_thread::sleep_for(std::chrono::milliseconds{200});
    const auto answer = client.get("/jobs/" + job.value("id", ""));
    if (!answer.is_good()) return answer.exit_status;
    job = answer.body;
  }
  if (as_json) {
    fmt::print("{}\n", job.dump(2));
  } else {
    fmt::print("{} closed, {} had ended by themselves\n", number(job, "done"), number(job, "gone"));
  }
  return kDone;
}

/// Refuses what names nobody: an unset variable of a shell must not end everybody.
bool names_targets(const Options& options) {
  const bool is_empty = options.query.find_first_not_of(" \t") == std::string::npos;
  if (is_empty != options.all) {
    std::fputs(is_empty ? "equinox: close: an empty query would match every connection; --all says that this is meant\n"
                        : "equinox: close: a query and --all exclude each other\n",
               stderr);
  }
  return is_empty == options.all;
}

std::string preview_text(double count, double mid_request) {
  return fmt::format("{} {}, {} of them in the middle of a request\n", count,
                     count == 1 ? "connection matches" : "connections match",
                     mid_request == 0 ? std::string{"none"} : fmt::to_string(mid_request));
}

}  // namespace

int run_close(const Options& options) {
  if (!names_targets(options)) return kBadQuery;
  nlohmann::json request = nlohmann::json::object();
  if (!options.reason.empty()) request["reason"] = options.reason;
  if (!options.rate.empty()) {
    const auto rate = parse_rate(options.rate);
    if (!rate) {
      std::fprintf(stderr, "equinox: --rate: \"%s\" is no rate, allowed is a number above 0 such as 50/s\n",
                   options.rate.c_str());
      return kBadQuery;
    }
    request["rate"] = *rate;
  }
  AdminClient client{options.admin};
  request["query"] = options.query;
  request["dry_run"] = true;
  const auto preview = client.post("/connections/close", request);
  if (!preview.is_good()) return preview.exit_status;
  const double count = number(preview.body, "count");
  const bool is_over = options.dry_run || count == 0;
  if (options.json && is_over) {
    fmt::print("{}\n", preview.body.dump(2));
  } else if (!options.json) {
    fmt::print("{}", preview_text(count, number(preview.body, "mid_request")));
    std::fflush(stdout);
  }
  if (is_over) return kDone;
  // Those that were counted, not those that a second query would find.
  request.erase("query");
  request["handle"] = preview.body.value("handle", "");
  request["dry_run"] = false;
  const auto started = client.post("/connections/close", request);
  if (!started.is_good()) return started.exit_status;
  return follow_job(client, started.body, options.json);
}

}  // namespace equinox::appliance
