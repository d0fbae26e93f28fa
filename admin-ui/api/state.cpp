#include "admin-ui/api/state.hpp"

#include <chrono>

#include "admin-ui/api/audit_actions.hpp"
#include "base/signals_elsewhere.hpp"

namespace equinox::admin {

State::State(const ServerView& watched, Actions allowed, Options chosen)
    : view{watched},
      actions{std::move(allowed)},
      options{std::move(chosen)},
      redaction{options.show_query_values, options.truncate_client_address},
      access{options},
      audit{options.on_audit, options.usage},
      handles{options.handles_max},
      jobs{view, actions},
      streams{options.stream_clients_max} {}

State::~State() = default;

void State::start_ticking() {
  const SignalsElsewhere masked;
  thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void State::wake() {
  {
    const std::lock_guard lock{mutex_};
    is_woken_ = true;
  }
  woken_.notify_one();
}

void State::tick(const Moment& now, bool is_whole_second) {
  jobs.advance(now, [this](const Moment& at, const Job& job) { changes.add(at, "close_job", job.sentence()); });
  if (!is_whole_second) {
    streams.send_new_stalls(*this, now);
    return;
  }
  look_at_tokens(now);
  if (actions.log_levels) actions.log_levels->revert(now);
  handles.expire(now);
  if (rates.is_wanted(now)) rates.look(view, now);
  if (frame_rates.is_wanted(now)) frame_rates.look(view.snapshot(), now);
  watch.look(*this, now);
  streams.send_all(*this, now);
}

void State::look_at_tokens(const Moment& now) {
  std::string error = access.tokens_error(now);
  if (error == tokens_error_) return;
  tokens_error_ = std::move(error);
  AuditLine line{"server", "", std::string{kTokensFileAction}, options.tokens_file, "done", tokens_error_};
  if (!tokens_error_.empty()) line.result = "failed";
  audit.add(now, std::move(line));
}

void State::run(const std::stop_token& stop) {
  using namespace std::chrono_literals;
  auto next_second = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    const bool is_whole = now >= next_second;
    // A late tick does not hurry the following ones.
    if (is_whole) next_second = std::max(next_second + 1s, now);
    tick(Moment::now(), is_whole);
    auto until = next_second;
    if (jobs.is_running()) until = std::min(until, now + 100ms);
    // A stall is news while it lasts.
    if (streams.are_stalls_wanted()) until = std::min(until, now + 20ms);
    std::unique_lock lock{mutex_};
    woken_.wait_until(lock, stop, until, [this] { return is_woken_; });
    is_woken_ = false;
  }
}

}  // namespace equinox::admin
