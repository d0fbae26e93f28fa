#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <thread>

#include "admin_client.hpp"
#include "deploy/appliance/commands.hpp"
#include "deploy/appliance/config_values.hpp"
#include "text_table.hpp"

namespace equinox::appliance {
namespace {

std::string counted(double count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

/// Where a drain stands, in a sentence.
std::string state_text(const nlohmann::json& drain) {
  const std::string state = drain.value("state", "none");
  const std::string left = counted(number(drain, "requests_in_flight"), "request", "requests") + " in flight, " +
                           counted(number(drain, "connections_left"), "connection", "connections") + " left";
  if (state == "none") return "not draining: the server is ready";
  if (state == "drained") return "drained";
  if (state == "delay") {
    // Told in whole seconds, upwards: 0 is not yet over.
    return fmt::format("draining: everything is still served for {:.0f} s more, its delay; {}",
                       std::ceil(number(drain, "delay_left_seconds")), left);
  }
  return "draining: " + left;
}

void print_progress(const nlohmann::json& drain) {
  fmt::print("{}\n", state_text(drain));
  for (const auto& holder : drain.value("holders", nlohmann::json::array())) {
    std::string row = fmt::format("    {}  waiting for {}", cell(holder, "id"), cell(holder, "waiting_for"));
    if (holder.value("target", nlohmann::json{}).is_string()) row += "  " + cell(holder, "target");
    if (holder.value("age_seconds", nlohmann::json{}).is_number()) {
      row += fmt::format("  for {}", short_duration(number(holder, "age_seconds")));
    }
    fmt::print("{}\n", row);
  }
  std::fflush(stdout);
}

using Clock = std::chrono::steady_clock;

/// Returns when no request is in flight and the delay is over: until then what ends the process would end it too early
/// for those who have not noticed yet. The same state is not printed twice in a row.
int wait_until_idle(AdminClient& client, bool as_json, Clock::time_point until) {
  nlohmann::json shown;
  while (true) {
    const auto answer = client.get("/status");
    if (!answer.is_good()) return answer.exit_status;
    const auto drain = answer.body.value("drain", nlohmann::json::object());
    const std::string state = drain.value("state", "none");
    const nlohmann::json now{state, drain.value("requests_in_flight", nlohmann::json{})};
    if (!as_json && state != "none" && now != shown) {
      shown = now;
      print_progress(drain);
    }
    const bool is_idle = state == "drained" || (state == "draining" && number(drain, "requests_in_flight", 1) == 0);
    if (state == "none" || is_idle) {
      if (as_json) fmt::print("{}\n", drain.dump(2));
      if (state == "none") std::fputs("equinox: the drain was taken back\n", stderr);
      return state == "none" ? kNotPossible : kDone;
    }
    if (Clock::now() >= until) {
      if (as_json) fmt::print("{}\n", drain.dump(2));
      fmt::print(stderr, "equinox: gave up waiting; {}\n", state_text(drain));
      return kNotPossible;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{250});
  }
}

/// When --timeout is over; nothing when it is no duration.
std::optional<Clock::time_point> wait_end(const std::string& timeout) {
  if (timeout.empty()) return Clock::time_point::max();
  const auto duration = parse_duration(timeout);
  if (!duration) return std::nullopt;
  return Clock::now() + *duration;
}

int print_state(const AdminClient::Answer& answer, bool as_json) {
  if (!answer.is_good()) return answer.exit_status;
  fmt::print("{}\n", as_json ? answer.body.dump(2) : state_text(answer.body));
  return kDone;
}

}  // namespace

int run_drain(const Options& options) {
  const auto until = wait_end(options.wait_timeout);
  if (!until || (!options.wait && !options.wait_timeout.empty())) {
    fmt::print(stderr, "equinox: --timeout: {}\n",
               until ? "only --wait waits" : "allowed is a number with ms, s, m or h, such as 30s");
    return kBadQuery;
  }
  AdminClient client{options.admin};
  nlohmann::json request = nlohmann::json::object();
  if (!options.reason.empty()) request["reason"] = options.reason;
  const auto answer = client.post("/drain", request);
  if (!answer.is_good() || !options.wait) return print_state(answer, options.json);
  return wait_until_idle(client, options.json, *until);
}

int run_undrain(const Options& options) {
  AdminClient client{options.admin};
  return print_state(client.post("/undrain", nlohmann::json::object()), options.json);
}

}  // namespace equinox::appliance
