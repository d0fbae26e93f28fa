#include "server/log_excerpt.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log_format.hpp"

namespace equinox::server {
namespace {

std::int64_t wall_ns(std::chrono::system_clock::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

LogLine line_of(const LogRecord& record) {
  LogLine out;
  out.at_wall_ns = wall_ns(record.at());
  out.level = record.level();
  out.component = to_string(record.component());
  out.message = record.message();
  out.is_cut = record.is_cut();
  std::size_t position = 0;
  LogRecord::Field field;
  while (record.next_field(position, field)) {
    std::string value;
    append_value(value, field);
    out.fields.emplace_back(field.key, std::move(value));
  }
  return out;
}

}  // namespace

RingTotals log_totals(const Log& server_log, const Log& access_log) {
  RingTotals out;
  for (const Log* log : {&server_log, &access_log}) {
    const LogHistory::Totals totals = log->history_totals();
    out.entries += totals.entries;
    out.capacity += totals.capacity;
    out.written += totals.written;
  }
  return out;
}

LogExcerpt log_excerpt(const Log& server_log, const Log& access_log, ConnectionId id, std::size_t limit) {
  LogExcerpt out;
  bool is_limited = false;
  for (const Log* log : {&server_log, &access_log}) {
    const LogHistory::Excerpt excerpt = log->about(id, limit);
    for (const LogRecord& record : excerpt.records) out.lines.push_back(line_of(record));
    out.from_wall_ns = std::max(out.from_wall_ns, wall_ns(excerpt.forgotten_before));
    is_limited = is_limited || excerpt.is_limited;
  }
  std::stable_sort(out.lines.begin(), out.lines.end(),
                   [](const LogLine& a, const LogLine& b) { return a.at_wall_ns < b.at_wall_ns; });
  if (out.lines.size() > limit) {
    out.lines.erase(out.lines.begin(), out.lines.end() - static_cast<std::ptrdiff_t>(limit));
    is_limited = true;
  }
  if (is_limited && !out.lines.empty()) out.from_wall_ns = std::max(out.from_wall_ns, out.lines.front().at_wall_ns);
  return out;
}

}  // namespace equinox::server
