#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

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
  fmt::print("{}  {}  {}  {}  {}\n", clock_time(number(row, "closed_at")), cell(row, "id"), peer_cell(row),
             cell(row, "protocol"), cell(row, "reason"));
  fmt::print("    {}\n", cell(row, "sentence"));
}

/// As the server log has it in text.
void print_log_line(const nlohmann::json& line) {
  const double at = number(line, "at");
  fmt::print("    {}.{:03}  {} [{}] {}", clock_time(at), static_cast<int>((at - std::floor(at)) * 1e3),
             cell(line, "level"), cell(line, "component"), cell(line, "message"));
  for (const auto& field : line.value("fields", nlohmann::json::array())) {
    fmt::print(" {}={}", cell(field, "name"), cell(field, "value"));
  }
  fmt::print("\n");
}

void print_log(const nlohmann::json& row) {
  const auto lines = row.value("log", nlohmann::json::array());
  fmt::print("  log lines\n");
  if (lines.empty()) fmt::print("    none was written about it, or the ring (rings.log) has forgotten it\n");
  if (const double from = number(row, "log_from_at"); from != 0 && !lines.empty()) {
    fmt::print("    lines from before {} may be missing\n", clock_time(from));
  }
  for (const auto& line : lines) print_log_line(line);
}

/// The record's row gets what the logs say about that connection.
int add_log(AdminClient& client, const std::string& id, nlohmann::json& rows) {
  if (rows.empty()) return kDone;
  const auto detail = client.get("/connection/" + id);
  if (!detail.is_good()) return detail.exit_status;
  for (const char* name : {"log", "log_from_at"}) rows.front()[name] = detail.body.value(name, nlohmann::json{});
  return kDone;
}

/// Of all that match, not only of those shown: the most frequent first.
void print_reasons(const nlohmann::json& page) {
  std::vector<std::pair<std::uint64_t, std::string>> reasons;
  const auto by_reason = page.value("by_reason", nlohmann::json::object());
  for (const auto& [name, count] : by_reason.items()) {
    if (count.is_number_unsigned()) reasons.emplace_back(count.get<std::uint64_t>(), printable(name));
  }
  std::stable_sort(reasons.begin(), reasons.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (!reasons.empty()) fmt::print("by reason\n");
  for (const auto& [count, name] : reasons) fmt::print("{:>8}  {}\n", count, name);
}

}  // namespace

int run_why(const Options& options) {
  AdminClient client{options.admin};
  // A bare id means that one connection; anything else is a query.
  const bool is_one = static_cast<bool>(parse_connection_id(options.query));
  const std::string query = is_one ? "id:" + options.query : options.query;
  auto answer = client.get("/closed", {{"query", query}, {"limit", std::to_string(options.limit)}});
  if (!answer.is_good()) return answer.exit_status;
  auto& rows = answer.body["rows"];
  if (is_one) {
    if (const int status = add_log(client, options.query, rows); status != kDone) return status;
  }
  if (options.json) {
    fmt::print("{}\n", answer.body.dump(2));
    return kDone;
  }
  for (const auto& row : rows) {
    print_row(row);
    if (is_one) print_log(row);
  }
  if (rows.empty()) {
    fmt::print("no closed connection matches, as far back as the ring of {} reaches\n",
               number(answer.body, "capacity"));
  } else if (static_cast<double>(rows.size()) < number(answer.body, "total")) {
    fmt::print("{} of {}\n", rows.size(), number(answer.body, "total"));
  }
  if (!is_one) print_reasons(answer.body);
  return kDone;
}

}  // namespace equinox::appliance
