#include "sandbox.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "privileges.hpp"
#include "seccomp_filter.hpp"

namespace equinox::appliance {
namespace {

SandboxPart part(std::string_view name, std::string missing, std::string detail = {}) {
  const bool in_force = missing.empty();
  return {name, in_force, in_force ? std::move(detail) : std::move(missing)};
}

std::string landlock_version() { return fmt::format("version {}", landlock_abi()); }

}  // namespace

SandboxReport probe_sandbox() {
  const bool has_landlock = landlock_abi() > 0;
  return {part("no_new_privs", {}), part("capabilities", {}),
          part("landlock", has_landlock ? "" : fmt::format("landlock: {}", std::strerror(errno)), landlock_version()),
          part("seccomp", seccomp_obstacle())};
}

SandboxReport enter_sandbox(SandboxMode mode, const LandlockRules& rules) {
  if (mode == SandboxMode::off) return {};
  SandboxReport report;
  // In this order: each next one forbids, or no longer needs, what the one before it did.
  report.push_back(part("no_new_privs", forbid_new_privileges()));
  report.push_back(part("capabilities", drop_capabilities()));
  report.push_back(part("landlock", restrict_by_landlock(rules), landlock_version()));
  const auto action = mode == SandboxMode::strict ? OnDeniedCall::kill : OnDeniedCall::refuse;
  report.push_back(part("seccomp", install_seccomp_filter(action)));
  if (const std::string missing = names_missing(report); mode == SandboxMode::strict && !missing.empty()) {
    throw std::runtime_error{"sandbox: strict asks for all of it, but there is no " + missing};
  }
  return report;
}

std::string names_in_force(const SandboxReport& report) {
  std::string out;
  for (const SandboxPart& each : report) {
    if (!each.in_force) continue;
    out += fmt::format("{}{}", out.empty() ? "" : ", ", each.name);
    if (!each.detail.empty()) out += fmt::format(" ({})", each.detail);
  }
  return out;
}

std::string names_missing(const SandboxReport& report) {
  std::string out;
  for (const SandboxPart& each : report) {
    if (!each.in_force) out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", each.name, each.detail);
  }
  return out;
}

std::vector<std::pair<std::string, bool>> sandbox_facts(const SandboxReport& report) {
  std::vector<std::pair<std::string, bool>> facts;
  for (const std::string_view name : {"no_new_privs", "capabilities", "landlock", "seccomp"}) {
    bool in_force = false;
    for (const SandboxPart& each : report) in_force = in_force || (each.name == name && each.in_force);
    facts.emplace_back(name, in_force);
  }
  return facts;
}

}  // namespace equinox::appliance
