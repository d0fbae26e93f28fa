#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <thread>

#include "admin_client.hpp"
#include "connection_table.hpp"
#include "deploy/appliance/commands.hpp"
#include "text_table.hpp"

namespace equinox::appliance {

AdminClient::Query connection_query(const Options& options, int limit) {
  const bool descends = options.sort.starts_with('-');
  return {{"query", options.query},
          {"sort", descends ? options.sort.substr(1) : options.sort},
          {"order", options.sort.empty() ? ""
                    : descends           ? "desc"
                                         : "asc"},
          {"limit", std::to_string(limit)}};
}

std::string connection_table(const nlohmann::json& page, std::size_t width_max) {
  TextTable table{{"ID", "PEER", "LISTENER", "PROTOCOL", "STATE", "AGE", "IDLE", "REQUESTS", "IN", "OUT", "MEMORY",
                   "DEADLINE", "TARGET"}};
  for (const auto& row : page.value("rows", nlohmann::json::array())) {
    const auto deadline = row.find("deadline");
    const bool has_deadline = deadline != row.end() && deadline->is_object();
    table.add({cell(row, "id"), peer_cell(row), cell(row, "listener"), cell(row, "protocol"), cell(row, "state"),
               short_duration(number(row, "age_seconds")), short_duration(number(row, "idle_seconds")),
               cell(row, "requests"), short_size(number(row, "received_bytes")), short_size(number(row, "sent_bytes")),
               row.contains("memory_bytes") ? short_size(number(row, "memory_bytes")) : "-",
               has_deadline ? cell(*deadline, "kind") + " " + short_duration(number(*deadline, "seconds_left")) : "-",
               cell(row, "target")});
  }
  return table.to_string(width_max);
}

namespace {

/// Whoever watches ends it by Ctrl-C, which is no failure. Each picture is flushed, so nothing printed is lost.
extern "C" void end_watch(int) { ::_exit(kDone); }

void end_with_interrupt() {
  struct sigaction action {};
  ::sigaction(SIGINT, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;  // started in the background
  action = {};
  action.sa_handler = end_watch;
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace

int run_conns(const Options& options) {
  AdminClient client{options.admin};
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  if (options.watch) end_with_interrupt();
  while (true) {
    const auto answer = client.get("/connections", connection_query(options, options.limit));
    if (!answer.is_good()) return answer.exit_status;
    if (options.json) {
      fmt::print("{}\n", answer.body.dump(2));
    } else {
      const auto shown = answer.body.value("rows", nlohmann::json::array()).size();
      if (options.watch && is_terminal) fmt::print("\x1b[H\x1b[2J");
      // A terminal wraps what is wider, and a wrapped table cannot be read; a file or a pipe takes it whole.
      const std::size_t width_max = is_terminal ? terminal_size().columns : 0;
      fmt::print("{}", connection_table(answer.body, width_max));
      fmt::print("{} of {} connections\n", shown, number(answer.body, "total"));
    }
    std::fflush(stdout);
    if (!options.watch) return kDone;
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
}

}  // namespace equinox::appliance
