#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "landlock.hpp"

namespace equinox::appliance {

enum class SandboxMode : std::uint8_t {
  off,
  automatic,  ///< what the kernel has, and a warning for what it lacks
  strict,     ///< all of it or no start; a denied call ends the process
};

/// One of the four walls.
struct SandboxPart {
  std::string_view name;  ///< "no_new_privs", "capabilities", "landlock", "seccomp"
  bool in_force{false};
  std::string detail;  ///< in force: what of it, may be empty; else what is missing
};
using SandboxReport = std::vector<SandboxPart>;

/// What this kernel would grant, without doing it.
SandboxReport probe_sandbox();
/// Does it, for the calling thread and those it makes afterwards (the system call filter: for all threads there are).
/// Listeners must be open. Call it before any thread is made.
/// @throws std::runtime_error in strict mode, naming what is missing
SandboxReport enter_sandbox(SandboxMode mode, const LandlockRules& rules);

/// "no_new_privs, capabilities, landlock (version 7), seccomp"
std::string names_in_force(const SandboxReport& report);
/// Each wall that does not stand, with the reason in parentheses; empty when nothing is missing.
std::string names_missing(const SandboxReport& report);
/// For the metric: name and whether it is in force.
std::vector<std::pair<std::string, bool>> sandbox_facts(const SandboxReport& report);

}  // namespace equinox::appliance
