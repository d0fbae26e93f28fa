#include <algorithm>
#include <equinox/admin.hpp>

#include "admin-ui/api/audit_actions.hpp"
#include "admin-ui/api/streams.hpp"

namespace equinox::admin {

Usage::Usage() {
  for (const std::string_view topic : kTopics) topics_.push_back({std::string{topic}, 0, 0});
  // What may happen at all is there from the start: a rate needs a value from before the first time.
  const auto add = [this](std::string_view action, std::string_view result, std::string_view role) {
    actions_.push_back({std::string{action}, std::string{result}, std::string{role}, 0});
  };
  for (const AuditAction& action : kAuditActions) {
    add(action.name, "refused", "");  // whoever could not say who they are
    for (const Role role : {Role::viewer, Role::operator_, Role::admin}) {
      add(action.name, "refused", to_string(role));  // also whose role would do: a page of another origin asked
      if (role < action.role) continue;
      add(action.name, "done", to_string(role));
      if (action.can_fail) add(action.name, "failed", to_string(role));
    }
  }
  add(kSignInAction, "refused", "");
  for (const Role role : {Role::viewer, Role::operator_, Role::admin}) {
    add(kSignInAction, "done", to_string(role));
    add(kSignOutAction, "done", to_string(role));
  }
  for (const std::string_view result : {"done", "failed"}) add(kTokensFileAction, result, "");
}

std::vector<Usage::Topic> Usage::topics() const {
  const std::lock_guard lock{mutex_};
  return topics_;
}

std::vector<Usage::Action> Usage::actions() const {
  const std::lock_guard lock{mutex_};
  return actions_;
}

void Usage::set_clients(std::size_t topic, std::uint64_t clients) {
  const std::lock_guard lock{mutex_};
  topics_.at(topic).clients = clients;
}

void Usage::add_dropped(std::size_t topic, std::uint64_t events) {
  const std::lock_guard lock{mutex_};
  topics_.at(topic).dropped_events += events;
}

void Usage::add_action(const AuditLine& line) {
  const std::lock_guard lock{mutex_};
  // A handful of actions, results and roles: nothing of it comes from a peer.
  const auto found = std::find_if(actions_.begin(), actions_.end(), [&line](const Action& action) {
    return action.action == line.action && action.result == line.result && action.role == line.role;
  });
  if (found != actions_.end()) {
    ++found->count;
  } else {
    actions_.push_back({line.action, line.result, line.role, 1});
  }
}

}  // namespace equinox::admin
