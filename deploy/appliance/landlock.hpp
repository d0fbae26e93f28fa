#pragma once

#include <string>
#include <vector>

namespace equinox::appliance {

/// What Landlock leaves open; everything else of the file system is closed. A folder stands for all below it. What is
/// not there is left out.
struct LandlockRules {
  std::vector<std::string> read;   ///< files and folders to read
  std::vector<std::string> write;  ///< files to write, and folders in which files may be made and written
};

/// The interface version of the running kernel; 0 without Landlock.
int landlock_abi() noexcept;

/// Restricts the calling thread and every thread it makes afterwards, for good: files by the rules, no execution, no
/// TCP bind or connect (kernel 6.7), no signals to processes outside (6.12). Needs no-new-privileges or CAP_SYS_ADMIN.
/// @return empty, or what failed; nothing is restricted then
std::string restrict_by_landlock(const LandlockRules& rules);

}  // namespace equinox::appliance
