#include "admin-ui/api/journal.hpp"

#include <algorithm>

namespace equinox::admin {

void Changes::add(const Moment& now, std::string_view kind, std::string text, std::string_view severity, Json more) {
  const std::lock_guard lock{mutex_};
  ++last_;
  more["id"] = std::string{"c"}.append(std::to_string(last_));
  more["at"] = seconds(now.wall_ns);
  more["kind"] = kind;
  more["text"] = std::move(text);
  more["severity"] = severity;
  entries_.emplace_back(last_, std::move(more));
  if (entries_.size() > kMost) entries_.pop_front();
}

Json Changes::newest() const {
  const std::lock_guard lock{mutex_};
  Json out = Json::array();
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) out.push_back(entry->second);
  return out;
}

std::vector<std::pair<std::uint64_t, Json>> Changes::since(std::uint64_t number) const {
  const std::lock_guard lock{mutex_};
  std::vector<std::pair<std::uint64_t, Json>> out;
  for (const auto& entry : entries_) {
    if (entry.first > number) out.push_back(entry);
  }
  return out;
}

bool Changes::reaches(std::uint64_t number) const {
  const std::lock_guard lock{mutex_};
  return entries_.empty() || entries_.front().first <= number + 1;
}

std::uint64_t Changes::last() const {
  const std::lock_guard lock{mutex_};
  return last_;
}

Audit::Share Audit::share_of(const AuditLine& line) noexcept {
  if (line.result != "refused") return Share::acted;
  return line.role.empty() ? Share::unknown : Share::refused;
}

void Audit::make_room(Share share) {
  const auto is_its = [share](const Entry& entry) { return entry.share == share; };
  if (share != Share::acted &&
      static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), is_its)) >= kMostRefused) {
    entries_.erase(std::find_if(entries_.rbegin(), entries_.rend(), is_its).base() - 1);
  }
  if (entries_.size() >= kMost) entries_.pop_back();
}

void Audit::add(const Moment& now, AuditLine line) {
  if (log_) log_(line);
  if (usage_ != nullptr) usage_->add_action(line);
  Json row{{"at", seconds(now.wall_ns)},
           {"actor", line.actor},
           {"action", line.action},
           {"what", line.what},
           {"result", line.result}};
  row["role"] = line.role.empty() ? Json{} : Json(line.role);
  row["reason"] = line.reason.empty() ? Json{} : Json(line.reason);
  const std::lock_guard lock{mutex_};
  const Share share = share_of(line);
  make_room(share);
  entries_.push_front({share, std::move(row)});
}

Json Audit::page(std::size_t limit) const {
  const std::lock_guard lock{mutex_};
  Json rows = Json::array();
  for (std::size_t i = 0; i < entries_.size() && i < limit; ++i) rows.push_back(entries_[i].row);
  return {{"total", entries_.size()}, {"rows", std::move(rows)}};
}

}  // namespace equinox::admin
