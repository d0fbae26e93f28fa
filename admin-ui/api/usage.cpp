#include <algorithm>
#include <equinox/admin.hpp>

#include "admin-ui/api/audit_actions.hpp"
#include "admin-ui/api/streams.hpp"

namespace equinox::admin {

Usage::Usage() {
  for (const std::string_view topic : kTopics) topics_.push_back({std::string{topic}, 0, 0});
  // What may happen at all is there from the start: a rate needs a value from before the first time.
  for (const AuditAction& action : kAuditActions) {
    for (const Role role : {Role::operator_, Role::admin}) {
      if (role < action.role) continue;
      actions_.push_back({std::string{action.name}, "done", std::string{to_string(role)}, 0});
    }
  }
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
