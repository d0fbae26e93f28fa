#include "landlock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/unique_fd.hpp"

namespace equinox::appliance {
namespace {

// The kernel's interface as landlock(7) describes it, written out because the headers of the build machine may be older
// than the kernel the server meets.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1;
constexpr int kRulePathBeneath = 1;

enum FileAccess : std::uint64_t {
  kWriteFile = 1U << 1U,
  kReadFile = 1U << 2U,
  kReadDir = 1U << 3U,
  kMakeReg = 1U << 8U,
};
constexpr std::uint64_t kFilesOnly = 0b1100'0000'0000'0111;  // execute, write, read, truncate, ioctl on devices
constexpr std::uint64_t kBindAndConnectTcp = 0b11;
constexpr std::uint64_t kScopeSignals = 0b10;

struct RulesetAttributes {
  std::uint64_t files{0};
  std::uint64_t network{0};
  std::uint64_t scoped{0};
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed{0};
  std::int32_t parent{-1};
};

/// Everything this interface version can forbid, so that the rules are all that is left.
RulesetAttributes attributes_of(int abi) noexcept {
  constexpr std::array<std::uint64_t, 6> kFileRights{0, 13, 14, 15, 15, 16};  // by version: how many rights there are
  const auto version = static_cast<std::size_t>(abi);
  const std::uint64_t rights = kFileRights[version < kFileRights.size() ? version : kFileRights.size() - 1];
  RulesetAttributes out;
  out.files = (std::uint64_t{1} << rights) - 1;
  if (abi >= 4) out.network = kBindAndConnectTcp;
  if (abi >= 6) out.scoped = kScopeSignals;
  return out;
}

void allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const UniqueFd place{::open(path.c_str(), O_PATH | O_CLOEXEC)};
  struct stat facts {};
  if (!place || ::fstat(place.get(), &facts) != 0) return;
  PathBeneath rule;
  rule.allowed = S_ISDIR(facts.st_mode) ? rights : rights & kFilesOnly;
  rule.parent = place.get();
  static_cast<void>(::syscall(kAddRule, ruleset, kRulePathBeneath, &rule, 0));  // a rule that fails allows nothing
}

std::string failed(const char* what) { return std::string{what} + ": " + std::strerror(errno); }

}  // namespace

int landlock_abi() noexcept {
  const long version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

std::string restrict_by_landlock(const LandlockRules& rules) {
  const int abi = landlock_abi();
  if (abi == 0) return failed("landlock");
  const RulesetAttributes attributes = attributes_of(abi);
  const UniqueFd ruleset{static_cast<int>(::syscall(kCreateRuleset, &attributes, sizeof attributes, 0))};
  if (!ruleset) return failed("landlock_create_ruleset");
  for (const std::string& path : rules.read) allow(ruleset.get(), path, kReadFile | kReadDir);
  for (const std::string& path : rules.write) allow(ruleset.get(), path, kWriteFile | kMakeReg);
  if (::syscall(kRestrictSelf, ruleset.get(), 0) != 0) return failed("landlock_restrict_self");
  return {};
}

}  // namespace equinox::appliance
