#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "admin_client.hpp"
#include "deploy/appliance/commands.hpp"
#include "equinox/ids.hpp"
#include "text_table.hpp"

namespace equinox::appliance {
namespace {

std::string clock_time(double unix_seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(unix_seconds)));
}

void print_row(const nlohmann::json& row) {
  fmt::print("{}  {}  {}  {}  {}\n", clock_time(number(row, "closed_at")), cell(row, "id"), cell(row, "peer"),
             cell(row, "protocol"), cell(row, "reason"));
  fmt::print("    {}\n", cell(row, "sentence"));
}

/// A bare id means that one connection; anything else is a query.
std::string query_of(const std::string& text) { return parse_connection_id(text) ? "id:" + text : text; }

}  // namespace

int run_why(const Options& options) {
  AdminClient client{options.admin};
  const std::string query = query_of(options.query);
  const auto answer = client.get("/closed", {{"query", query}, {"limit", std::to_string(options.limit)}});
  if (!answer.is_good()) return answer.exit_status;
  if (options.json) {
    fmt::print("{}\n", answer.body.dump(2));
    return kDone;
  }
  const auto rows = answer.body.value("rows", nlohmann::json::array());
  for (const auto& row : rows) print_row(row);
  if (rows.empty()) {
    fmt::print("no closed connection matches, as far back as the ring of {} reaches\n",
               number(answer.body, "capacity"));
  } else if (static_cast<double>(rows.size()) < number(answer.body, "total")) {
    fmt::print("{} of {}\n", rows.size(), number(answer.body, "total"));
  }
  return kDone;
}

}  // namespace equinox::appliance
