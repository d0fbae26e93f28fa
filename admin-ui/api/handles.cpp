#include "admin-ui/api/handles.hpp"

#include <algorithm>

#include "admin-ui/api/secrets.hpp"

namespace equinox::admin {
namespace {
constexpr std::int64_t kIdleNs = 30 * kSecondNs;
}

void Handles::drop_idle(const Moment& now) {
  std::erase_if(entries_, [&now](const Entry& entry) { return now.steady_ns - entry.seen_ns > kIdleNs; });
}

std::string Handles::keep(std::shared_ptr<const KeptAnswer> answer, const Moment& now) {
  const std::lock_guard lock{mutex_};
  drop_idle(now);
  if (entries_.size() >= most_) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                    [](const Entry& a, const Entry& b) { return a.seen_ns < b.seen_ns; }));
  }
  Entry entry{std::string{"h"}.append(random_hex(8)), now.steady_ns, std::move(answer)};
  entries_.push_back(std::move(entry));
  return entries_.back().name;
}

std::shared_ptr<const KeptAnswer> Handles::find(std::string_view handle, const Moment& now) {
  const std::lock_guard lock{mutex_};
  drop_idle(now);
  for (Entry& entry : entries_) {
    if (entry.name != handle) continue;
    entry.seen_ns = now.steady_ns;
    return entry.answer;
  }
  return nullptr;
}

void Handles::expire(const Moment& now) {
  const std::lock_guard lock{mutex_};
  drop_idle(now);
}

std::size_t Handles::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

}  // namespace equinox::admin
