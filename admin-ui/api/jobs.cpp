#include "admin-ui/api/jobs.hpp"

#include <algorithm>

namespace equinox::admin {
namespace {

constexpr std::size_t kMostRunning = 8;
constexpr std::array<std::string_view, 3> kStates{"running", "finished", "stopped"};

Problem no_such_job() { return Problem{404, "not-found", "There is no such job"}; }

}  // namespace

void Job::end(State as, const Moment& now) {
  state = as;
  finished_wall_ns = now.wall_ns;
  ids = std::vector<std::uint64_t>{};
}

Json Job::json() const {
  Json out{{"id", id},
           {"kind", reason == CloseReason::admin_drain ? "drain" : "close"},
           {"state", kStates[static_cast<std::size_t>(state)]},
           {"total", total},
           {"done", done},
           {"gone", gone},
           {"actor", actor},
           {"started_at", seconds(started_wall_ns)}};
  out["rate"] = rate ? Json(*rate) : Json{};
  out["query"] = query.empty() ? Json{} : Json(query);
  out["reason"] = why.empty() ? Json{} : Json(why);
  out["finished_at"] = finished_wall_ns != 0 ? Json(seconds(finished_wall_ns)) : Json{};
  return out;
}

std::string Job::sentence() const {
  std::string out = actor + (reason == CloseReason::admin_drain ? " drained " : " closed ") + std::to_string(done) +
                    " of " + std::to_string(total) + " connections";
  if (!query.empty()) out += " (" + query + ")";
  if (state == State::stopped) out += ", then stopped";
  return out;
}

Json Jobs::start(Job job, const Moment& now) {
  const std::lock_guard lock{mutex_};
  const auto running =
      std::count_if(jobs_.begin(), jobs_.end(), [](const Job& j) { return j.state == Job::State::running; });
  if (static_cast<std::size_t>(running) >= kMostRunning) {
    throw Problem{503, "busy", "Too many jobs", "8 close jobs run already; stop one or wait."};
  }
  if (jobs_.size() >= kMost) {
    jobs_.erase(std::find_if(jobs_.begin(), jobs_.end(), [](const Job& j) { return j.state != Job::State::running; }));
  }
  job.id = std::string{"j"}.append(std::to_string(++serial_));
  job.started_wall_ns = now.wall_ns;
  job.advanced_ns = now.steady_ns;
  job.total = job.ids.size();
  job.credit = 1;  // the first goes at once
  jobs_.push_back(std::move(job));
  return jobs_.back().json();
}

Json Jobs::find(std::string_view id) const {
  const std::lock_guard lock{mutex_};
  for (const Job& job : jobs_) {
    if (job.id == id) return job.json();
  }
  throw no_such_job();
}

Json Jobs::stop(std::string_view id, const Moment& now) {
  const std::lock_guard lock{mutex_};
  for (Job& job : jobs_) {
    if (job.id != id) continue;
    if (job.state == Job::State::running) {
      job.end(Job::State::stopped, now);
    }
    return job.json();
  }
  throw no_such_job();
}

bool Jobs::advance_one(Job& job, const Moment& now) {
  const double rate = job.rate.value_or(kFastest);
  const double passed = std::clamp(static_cast<double>(now.steady_ns - job.advanced_ns) / 1e9, 0.0, 1.0);
  job.advanced_ns = now.steady_ns;
  // Credit that was not used in a second is not saved up: the pace is a promise to those behind.
  job.credit = std::min(job.credit + passed * rate, std::max(rate, 1.0));
  while (job.next < job.ids.size() && job.credit >= 1) {
    const ConnectionId id = ConnectionId::unpack(job.ids[job.next++]);
    if (view_.record(id) && actions_.close && actions_.close(id, job.reason, job.actor)) {
      ++job.done;
      job.credit -= 1;
    } else {
      ++job.gone;
    }
  }
  if (job.next < job.ids.size()) return false;
  job.end(Job::State::finished, now);
  return true;
}

void Jobs::advance(const Moment& now, const std::function<void(const Moment&, const Job&)>& on_end) {
  const std::lock_guard lock{mutex_};
  for (Job& job : jobs_) {
    if (job.state == Job::State::running && advance_one(job, now)) on_end(now, job);
  }
}

bool Jobs::is_running() const {
  const std::lock_guard lock{mutex_};
  return std::any_of(jobs_.begin(), jobs_.end(), [](const Job& job) { return job.state == Job::State::running; });
}

std::vector<Json> Jobs::active_since(std::int64_t wall_ns) const {
  const std::lock_guard lock{mutex_};
  std::vector<Json> out;
  for (const Job& job : jobs_) {
    if (job.state == Job::State::running || job.finished_wall_ns >= wall_ns) out.push_back(job.json());
  }
  return out;
}

}  // namespace equinox::admin
