// Each wall is built in a child of its own: there is no way back out of a sandbox.

#include "deploy/appliance/sandbox.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "base/unique_fd.hpp"
#include "deploy/appliance/denied_calls.hpp"
#include "deploy/appliance/privileges.hpp"
#include "deploy/appliance/sandbox_rules.hpp"
#include "deploy/appliance/seccomp_filter.hpp"
#include "handlers/temporary_folder.hpp"

namespace equinox::appliance {
namespace {

/// Runs `check` in a child. @return its wait status: 0 when every expectation held, else the line of the first that
/// did not.
int in_child(const std::function<int()>& check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// An exit status has eight bits: expectations are numbered.
#define HOLDS(number, condition) \
  if (!(condition)) return number

bool opens(const std::string& path, int flags) {
  const UniqueFd opened{::open(path.c_str(), flags | O_CLOEXEC, 0600)};
  return static_cast<bool>(opened);
}

std::string status_line(const std::string& key) {
  std::ifstream status{"/proc/thread-self/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return line.substr(line.find_first_not_of(" \t", key.size()));
  }
  return {};
}

class Sandbox : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder.path() / "in");
    std::filesystem::create_directories(folder.path() / "out");
    std::filesystem::create_directories(folder.path() / "log");
    std::ofstream{folder.path() / "in/file"} << "x";
    std::ofstream{folder.path() / "out/file"} << "x";
  }
  [[nodiscard]] std::string at(const char* name) const { return (folder.path() / name).string(); }
  TemporaryFolder folder;
};

TEST_F(Sandbox, LandlockLeavesTheFilesOfTheRulesOnly) {
  if (landlock_abi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(in_child([this] {
              const LandlockRules rules{{at("in"), at("not there"), "/proc/self"}, {at("log")}};
              HOLDS(1, forbid_new_privileges().empty());
              HOLDS(2, restrict_by_landlock(rules).empty());
              HOLDS(3, opens(at("in/file"), O_RDONLY));
              HOLDS(4, !opens(at("in/file"), O_WRONLY) && errno == EACCES);
              HOLDS(5, !opens(at("out/file"), O_RDONLY) && errno == EACCES);
              HOLDS(6, opens(at("log/new"), O_WRONLY | O_CREAT));
              HOLDS(7, !opens(at("in/new"), O_WRONLY | O_CREAT));
              HOLDS(8, opens("/proc/self/stat", O_RDONLY));
              HOLDS(9, ::unlink(at("log/new").c_str()) != 0);
              return 0;
            }),
            0);
}

TEST_F(Sandbox, TheFilterRefusesWhatAServerNeverCalls) {
  if (const auto obstacle = seccomp_obstacle(); !obstacle.empty()) GTEST_SKIP() << obstacle;
  EXPECT_EQ(in_child([] {
              HOLDS(1, forbid_new_privileges().empty());
              HOLDS(2, install_seccomp_filter(OnDeniedCall::refuse).empty());
              HOLDS(3, status_line("Seccomp:") == "2");
              HOLDS(4, ::socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM);
              HOLDS(5, ::socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM);
              const UniqueFd notify{::socket(AF_UNIX, SOCK_DGRAM, 0)};
              HOLDS(6, notify);
              HOLDS(7, ::syscall(SYS_bpf, 0, nullptr, 0) < 0 && errno == EPERM);
              HOLDS(8, ::syscall(SYS_unshare, 0) < 0 && errno == EPERM);
              HOLDS(9, ::syscall(SYS_clone3, nullptr, 0) < 0 && errno == ENOSYS);
              void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              HOLDS(10, page != MAP_FAILED);
              HOLDS(11, ::mprotect(page, 4096, PROT_WRITE | PROT_EXEC) != 0 && errno == EPERM);
              HOLDS(12, ::mprotect(page, 4096, PROT_READ) == 0);
              // Without a key (-1) it is another mprotect; a kernel for a processor without keys has none.
              HOLDS(16, ::syscall(SYS_pkey_mprotect, page, 4096, PROT_WRITE | PROT_EXEC, -1) != 0 && errno == EPERM);
              HOLDS(17, ::syscall(SYS_pkey_mprotect, page, 4096, PROT_READ, -1) == 0 || errno == ENOSYS);
              constexpr long kFchmodat2 = 452;
              for (const long call : {long{SYS_fchmodat}, kFchmodat2}) {
                HOLDS(18, ::syscall(call, AT_FDCWD, "/not there", 0600, 0) != 0 && errno == EPERM);
              }
              bool has_run = false;
              std::thread{[&has_run] { has_run = status_line("Seccomp:") == "2"; }}.join();
              HOLDS(13, has_run);
              if (is_sanitized()) return 0;
              HOLDS(14, ::execl("/bin/true", "true", nullptr) < 0 && errno == EPERM);
              HOLDS(15, ::fork() < 0 && errno == EPERM);
              return 0;
            }),
            0);
}

TEST_F(Sandbox, InStrictModeADeniedCallEndsTheProcess) {
  if (const auto obstacle = seccomp_obstacle(); !obstacle.empty()) GTEST_SKIP() << obstacle;
  EXPECT_EQ(in_child([] {
              HOLDS(1, forbid_new_privileges().empty() && install_seccomp_filter(OnDeniedCall::kill).empty());
              ::syscall(SYS_bpf, 0, nullptr, 0);
              return 2;
            }),
            1000 + SIGSYS);
}

TEST_F(Sandbox, KeepsNoCapability) {
  EXPECT_EQ(in_child([] {
              HOLDS(1, forbid_new_privileges().empty());
              HOLDS(2, status_line("NoNewPrivs:") == "1");
              HOLDS(3, drop_capabilities().empty());
              for (const char* set : {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"}) {
                HOLDS(4, status_line(set) == "0000000000000000");
              }
              HOLDS(5, ::geteuid() != 0 || status_line("CapBnd:") == "0000000000000000");
              return 0;
            }),
            0);
}

TEST_F(Sandbox, IsEnteredWholeAndTellsWhatIsInForce) {
  EXPECT_EQ(in_child([this] {
              const SandboxReport report = enter_sandbox(SandboxMode::automatic, {{at("in")}, {}});
              HOLDS(1, report.size() == 4);
              HOLDS(2, report[0].in_force && report[1].in_force);
              HOLDS(3, report[2].in_force == (landlock_abi() > 0));
              return 0;
            }),
            0);
  EXPECT_TRUE(enter_sandbox(SandboxMode::off, {}).empty());
}

TEST_F(Sandbox, StrictRefusesToStartWithoutAllOfIt) {
  if (::geteuid() != 0 || !seccomp_obstacle().empty()) GTEST_SKIP() << "needs root and seccomp";
  EXPECT_EQ(in_child([] {
              // As in a container whose runtime does not let go of capabilities.
              HOLDS(1, forbid_new_privileges().empty() && install_seccomp_filter(OnDeniedCall::refuse).empty());
              try {
                enter_sandbox(SandboxMode::strict, {});
              } catch (const std::runtime_error& refusal) {
                return std::string{refusal.what()}.find("capabilities (capset") != std::string::npos ? 0 : 2;
              }
              return 3;
            }),
            0);
}

TEST(SandboxReport, NamesWhatIsInForceAndWhatIsMissing) {
  const SandboxReport report{{"no_new_privs", true, ""},
                             {"capabilities", true, ""},
                             {"landlock", false, "landlock: Function not implemented"},
                             {"seccomp", true, ""}};
  EXPECT_EQ(names_missing(report), "landlock (landlock: Function not implemented)");
  EXPECT_EQ(names_in_force(report), "no_new_privs, capabilities, seccomp");
  EXPECT_THAT(sandbox_facts(report), testing::Contains(std::pair<std::string, bool>{"landlock", false}));
  EXPECT_THAT(sandbox_facts({}), testing::Each(testing::Field(&std::pair<std::string, bool>::second, false)));
}

class Rules : public Sandbox {
 protected:
  [[nodiscard]] LandlockRules of(const std::string& text) const {
    const auto loaded = load_config(text, at("etc/equinox.json"), {});
    EXPECT_TRUE(loaded.config);
    return sandbox_rules(*loaded.config);
  }
};

TEST_F(Rules, AreTheFoldersOfWhatIsConfigured) {
  const LandlockRules rules = of(R"({
    "listeners": [{"address": ":443", "tls": {"certificates": [{"certificate": ")" +
                                 at("in/a.crt") + R"(", "key": ")" + at("in/a.key") + R"("}]}}],
    "routes": [{"path": "/*", "static": {"root": ")" +
                                 at("out") + R"("}}], "log": {"target": ")" + at("log/server.log") + R"("}})");
  EXPECT_THAT(rules.read, testing::IsSupersetOf({at("etc"), at("in"), at("out")}));
  EXPECT_THAT(rules.read, testing::Not(testing::Contains(folder.path().string())));
  EXPECT_EQ(rules.write, std::vector<std::string>{at("log")});
}

TEST_F(Rules, FollowLinksToWhereTheNextVersionWillBe) {
  std::filesystem::create_directories(folder.path() / "releases/1");
  std::filesystem::create_symlink("releases/1", folder.path() / "current");
  std::filesystem::create_directories(folder.path() / "archive");
  std::ofstream{folder.path() / "archive/a1.crt"} << "x";
  std::filesystem::create_symlink("../archive/a1.crt", folder.path() / "in/a.crt");
  const LandlockRules rules = of(R"({
    "listeners": [{"address": ":443", "tls": {"certificates": [{"certificate": ")" +
                                 at("in/a.crt") + R"(", "key": ")" + at("in/a.key") + R"("}]}}],
    "routes": [{"path": "/*", "static": {"root": ")" +
                                 at("current") + R"("}}]})");
  EXPECT_THAT(rules.read, testing::IsSupersetOf({at("releases/1"), at("releases"), at("in"), at("archive")}));
  EXPECT_TRUE(rules.write.empty());
}

TEST_F(Rules, NeverOpenTheWholeFileSystem) {
  const auto loaded = load_config("{}", "/equinox.json", {});
  ASSERT_TRUE(loaded.config);
  const LandlockRules rules = sandbox_rules(*loaded.config);
  EXPECT_THAT(rules.read, testing::Contains("/equinox.json"));
  EXPECT_THAT(rules.read, testing::Not(testing::Contains("/")));
}

}  // namespace
}  // namespace equinox::appliance
