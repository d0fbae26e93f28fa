#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "admin_client.hpp"
#include "deploy/appliance/commands.hpp"
#include "text_table.hpp"

namespace equinox::appliance {
namespace {

void print_progress(const nlohmann::json& drain) {
  fmt::print("{}: {} requests in flight, {} connections left\n", cell(drain, "state"),
             number(drain, "requests_in_flight"), number(drain, "connections_left"));
  for (const auto& holder : drain.value("holders", nlohmann::json::array())) {
    fmt::print("    {}  waiting for {}\n", cell(holder, "id"), cell(holder, "waiting_for"));
  }
  std::fflush(stdout);
}

/// Returns when no request is in flight. The same line is not printed twice in a row.
int wait_until_idle(AdminClient& client, bool as_json) {
  nlohmann::json shown;
  while (true) {
    const auto answer = client.get("/status");
    if (!answer.is_good()) return answer.exit_status;
    const auto drain = answer.body.value("drain", nlohmann::json::object());
    const std::string state = drain.value("state", "none");
    if (!as_json && drain.value("requests_in_flight", nlohmann::json{}) != shown) {
      shown = drain.value("requests_in_flight", nlohmann::json{});
      print_progress(drain);
    }
    const bool is_idle = state == "drained" || (state == "draining" && number(drain, "requests_in_flight", 1) == 0);
    if (state == "none" || is_idle) {
      if (as_json) fmt::print("{}\n", drain.dump(2));
      if (state == "none") std::fputs("equinox: the drain was taken back\n", stderr);
      return state == "none" ? kUnreachable : kDone;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{250});
  }
}

int print_state(const AdminClient::Answer& answer, bool as_json) {
  if (!answer.is_good()) return answer.exit_status;
  if (as_json) {
    fmt::print("{}\n", answer.body.dump(2));
  } else {
    fmt::print("{}\n", cell(answer.body, "state"));
  }
  return kDone;
}

}  // namespace

int run_drain(const Options& options) {
  AdminClient client{options.admin};
  nlohmann::json request = nlohmann::json::object();
  if (!options.reason.empty()) request["reason"] = options.reason;
  const auto answer = client.post("/drain", request);
  if (!answer.is_good() || !options.wait) return print_state(answer, options.json);
  return wait_until_idle(client, options.json);
}

int run_undrain(const Options& options) {
  AdminClient client{options.admin};
  return print_state(client.post("/undrain", nlohmann::json::object()), options.json);
}

}  // namespace equinox::appliance
