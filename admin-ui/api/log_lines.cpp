#include "admin-ui/api/log_lines.hpp"

#include <string>
#include <utility>

#include "admin-ui/api/log_levels.hpp"

namespace equinox::admin {
namespace {

/// An exception's text may quote the target. A number has no '?'.
std::string shown_value(std::string_view name, std::string_view value, const Redaction& redaction) {
  return name == "peer" || name == "client" ? shown_address(value, redaction) : shown_target(value, redaction);
}

}  // namespace

Json log_lines_json(const LogExcerpt& log, ConnectionId id, const Redaction& redaction) {
  const std::string own_id = to_string(id);
  Json out = Json::array();
  for (const LogLine& line : log.lines) {
    Json fields = Json::array();
    for (const auto& [name, value] : line.fields) {
      if (name == "connection" && value == own_id) continue;
      fields.push_back({{"name", name}, {"value", shown_value(name, value, redaction)}});
    }
    out.push_back({{"at", seconds(line.at_wall_ns)},
                   {"level", level_name(line.level)},
                   {"component", line.component},
                   {"message", line.message},
                   {"fields", std::move(fields)},
                   {"cut", line.is_cut}});
  }
  return out;
}

}  // namespace equinox::admin
