#include "deploy/appliance/environment.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/unique_fd.hpp"
#include "deploy/appliance/service_manager.hpp"
#include "handlers/temporary_folder.hpp"
#include "server/settings.hpp"

namespace equinox::appliance {
namespace {

ApplianceConfig load(std::string_view text) { return *load_config(text, "f.json", {}).config; }

TEST(Environment, ReplacesAutoByWhatItMeansHere) {
  ApplianceConfig config = load("{}");
  resolve_environment(config);
  EXPECT_GE(config.traffic.reactors, 1u);
  EXPECT_GT(config.traffic.limits.connections, 0u);
  EXPECT_EQ(config.settings.number("reactors"), static_cast<std::int64_t>(config.traffic.reactors));
  EXPECT_EQ(config.settings.origin("reactors"), "auto: CPUs this process may use (default)");
  EXPECT_TRUE(config.traffic.log.format == "text" || config.traffic.log.format == "json");
}

TEST(Environment, LeavesGivenNumbersAloneAndWarnsOfNone) {
  ApplianceConfig config = load(R"({"reactors": 7, "limits": {"connections": 10, "memory": "64M"}})");
  const auto warnings = resolve_environment(config);
  EXPECT_EQ(config.traffic.reactors, 7u);
  EXPECT_EQ(config.traffic.limits.connections, 10u);
  EXPECT_EQ(config.traffic.limits.memory, 64u * 1024 * 1024);
  EXPECT_THAT(warnings, testing::IsEmpty()) << "nothing was lowered: somebody wants 10";
}

/// RLIMIT_NOFILE, hard and soft: a child of its own, since nobody may raise it again.
TEST(Environment, WarnsWhenTheLimitOfDescriptorsLeavesFewConnections) {
  const auto resolve = [] {
    rlimit few{};
    few.rlim_cur = few.rlim_max = 300;
    ::setrlimit(RLIMIT_NOFILE, &few);
    ApplianceConfig config = load("{}");
    for (const std::string& warning : resolve_environment(config)) std::fprintf(stderr, "%s\n", warning.c_str());
    std::exit(config.traffic.limits.connections == server::connection_limit({}) ? 0 : 1);
  };
  EXPECT_EXIT(resolve(), testing::ExitedWithCode(0), "at most 236 connections: RLIMIT_NOFILE is 300");
}

TEST(Environment, ShowsNoAuto) {
  ApplianceConfig config = load(R"({"limits": {"http2_concurrent_streams": 50}})");
  resolve_environment(config);
  EXPECT_EQ(config.settings.number("limits.http2_resets"), 100);
  EXPECT_EQ(config.traffic.limits.http2_resets, 100u);
  EXPECT_EQ(config.settings.text("log.format"), config.traffic.log.format);
  EXPECT_THAT(config.settings.origin("log.format"), testing::StartsWith("auto: text on a terminal"));
  for (const auto& [path, setting] : config.settings.all()) {
    // A mode, not a value that is computed.
    if (path == "sandbox") continue;
    EXPECT_NE(to_text(setting), "\"auto\"") << path;
  }
}

/// A terminal as standard output, until it goes.
class TerminalAsOutput {
 public:
  TerminalAsOutput() : before_{::dup(STDOUT_FILENO)}, own_{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)} {
    if (::grantpt(own_.get()) != 0 || ::unlockpt(own_.get()) != 0) throw std::runtime_error{"no terminal"};
    const UniqueFd terminal{::open(::ptsname(own_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC)};
    std::fflush(stdout);
    if (::dup2(terminal.get(), STDOUT_FILENO) < 0) throw std::runtime_error{"no terminal"};
  }
  TerminalAsOutput(const TerminalAsOutput&) = delete;
  TerminalAsOutput& operator=(const TerminalAsOutput&) = delete;
  ~TerminalAsOutput() {
    std::fflush(stdout);
    ::dup2(before_.get(), STDOUT_FILENO);
  }

 private:
  UniqueFd before_;
  UniqueFd own_;
};

TEST(Environment, OnlyALogOnATerminalIsText) {
  const auto form = [](const char* target) {
    const TerminalAsOutput terminal;
    ApplianceConfig config = load(fmt::format(R"({{"log": {{"target": "{}"}}}})", target));
    resolve_environment(config);
    return config.traffic.log.format;
  };
  EXPECT_EQ(form("stdout"), "text");
  EXPECT_EQ(form("-"), "text");
  EXPECT_EQ(form("/var/log/equinox.log"), "json") << "whoever reads the file is not at this terminal";
  EXPECT_EQ(form("stderr"), ::isatty(STDERR_FILENO) == 1 ? "text" : "json");
}

TEST(Environment, AProcessWithoutANameHasThatOfItsHost) {
  ApplianceConfig config = load("{}");
  resolve_environment(config);
  EXPECT_FALSE(config.settings.text("instance").empty());
  EXPECT_EQ(config.settings.origin("instance"), "the host name (default)");
  ApplianceConfig named = load(R"({"instance": "a"})");
  resolve_environment(named);
  EXPECT_EQ(named.settings.text("instance"), "a");
  config.settings.resolve("instance", "another", "the host name");
  ApplianceConfig next = load("{}");
  keep_resolved(config, next);
  resolve_environment(next);
  EXPECT_THAT(compare(config.settings, next.settings).restart, testing::IsEmpty()) << "no reason to refuse a reload";
}

TEST(Environment, TheAccessLogIsJsonWhereTheServerLogIs) {
  const auto form = [](std::string_view text) {
    ApplianceConfig config = load(text);
    resolve_environment(config);
    EXPECT_EQ(config.settings.text("log.access_format"), config.traffic.log.access_format);
    return config.traffic.log.access_format;
  };
  EXPECT_EQ(form(R"({"log": {"format": "json"}})"), "json");
  EXPECT_EQ(form(R"({"log": {"format": "text"}})"), "combined");
  EXPECT_EQ(form(R"({"log": {"format": "json", "access_format": "combined"}})"), "combined");
  EXPECT_EQ(form(R"({"log": {"format": "text", "access_format": "json"}})"), "json");
}

/// CPUs and a terminal that come or go while the server runs.
TEST(Environment, AReloadKeepsWhatAutoCameToAtStart) {
  ApplianceConfig here = load("{}");
  resolve_environment(here);
  ApplianceConfig running = load("{}");
  running.traffic.reactors = here.traffic.reactors + 7;
  running.settings.resolve("reactors", running.traffic.reactors, "auto");
  running.traffic.log.format = here.traffic.log.format == "json" ? "text" : "json";
  running.settings.resolve("log.format", running.traffic.log.format, "auto");
  resolve_environment(running);
  ApplianceConfig next = load(R"({"reactors": "auto"})");
  keep_resolved(running, next);
  resolve_environment(next);
  EXPECT_THAT(compare(running.settings, next.settings).restart, testing::IsEmpty());
  EXPECT_EQ(next.traffic.reactors, running.traffic.reactors);
  EXPECT_EQ(next.traffic.log.format, running.traffic.log.format);
  EXPECT_EQ(next.settings.origin("reactors"), "auto: as found at start (f.json:1:14)");
}

TEST(Environment, AReloadTellsAutoFromAWrittenValue) {
  ApplianceConfig running = load(R"({"reactors": 200, "log": {"format": "text", "access_format": "json"}})");
  resolve_environment(running);
  ApplianceConfig next = load(R"({"log": {"format": "json", "access_format": "json"}})");
  keep_resolved(running, next);
  resolve_environment(next);
  EXPECT_THAT(compare(running.settings, next.settings).restart, testing::ElementsAre("log.format", "reactors"));
}

TEST(Environment, GivesInheritedSocketsToTheirListener) {
  ApplianceConfig config = load(R"({"listeners": [{"address": ":8080"}, {"address": ":8081", "name": "other"}]})");
  const auto unwanted = adopt_sockets(config, {{10, "http", "0.0.0.0:9999"}, {11, "x", "0.0.0.0:8081"}, {12, "y", ""}});
  EXPECT_EQ(config.traffic.listeners[0].inherited, (std::vector<int>{10}));
  EXPECT_EQ(config.traffic.listeners[1].inherited, (std::vector<int>{11}));
  ASSERT_EQ(unwanted.size(), 1u);
  EXPECT_THAT(unwanted[0], testing::HasSubstr("\"y\""));
}

TEST(Environment, GivesInheritedSocketsToTheSurfaces) {
  ApplianceConfig config = load(R"({"listeners": [{"address": ":8080"}], "ops": {"address": "127.0.0.1:7000"}})");
  EXPECT_TRUE(adopt_sockets(config, {{10, "equinox-admin", ""}, {11, "unnamed", "127.0.0.1:7000"}}).empty());
  EXPECT_EQ(config.admin.inherited, (std::vector<int>{10}));
  EXPECT_EQ(config.ops.inherited, (std::vector<int>{11}));
  EXPECT_TRUE(config.traffic.listeners[0].inherited.empty());
}

TEST(Environment, HasAReactorForEachInheritedSocket) {
  ApplianceConfig config = load(R"({"reactors": 2, "listeners": [{"address": ":8080", "name": "http"}]})");
  const auto messages = adopt_sockets(config, {{10, "http", ""}, {11, "http", ""}, {12, "http", ""}});
  EXPECT_EQ(config.traffic.reactors, 3u);
  EXPECT_EQ(config.settings.number("reactors"), 3);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_THAT(messages[0], testing::HasSubstr("3 reactors instead of 2"));
}

TEST(Environment, SocketsForAnotherProcessAreLeftAlone) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "2", 1);
  EXPECT_TRUE(take_inherited_sockets().empty());
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
}

/// The first descriptors after the standard ones: a child of its own, since this process has others there.
TEST(Environment, AnUnnamedSocketHasNoOthersName) {
  const auto take = [](const char* names) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    for (int descriptor = 3; descriptor < 6; ++descriptor) ::dup2(socket, descriptor);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "3", 1);
    ::setenv("LISTEN_FDNAMES", names, 1);
    for (const InheritedSocket& each : take_inherited_sockets()) std::fprintf(stderr, "<%s>", each.name.c_str());
    std::exit(0);
  };
  EXPECT_EXIT(take(":equinox-admin"), testing::ExitedWithCode(0), "^<><equinox-admin><>$");
  EXPECT_EXIT(take("http::equinox-ops"), testing::ExitedWithCode(0), "^<http><><equinox-ops>$");
  EXPECT_EXIT(take("a:b:c:d"), testing::ExitedWithCode(0), "^<a><b><c>$");
  EXPECT_EXIT(take(""), testing::ExitedWithCode(0), "^<><><>$");
}

class ServiceManagerTest : public testing::Test {
 protected:
  void SetUp() override {
    path = (folder.path() / "notify").string();
    socket = UniqueFd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  std::string received() const {
    char room[512];
    const ssize_t got = ::recv(socket.get(), room, sizeof room, MSG_DONTWAIT);
    return got < 0 ? "nothing" : std::string{room, static_cast<std::size_t>(got)};
  }
  TemporaryFolder folder;
  std::string path;
  UniqueFd socket;
};

TEST_F(ServiceManagerTest, IsToldHowThingsAre) {
  ::setenv("WATCHDOG_USEC", "10000000", 1);
  const ServiceManager manager;
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "no child may speak for us";
  EXPECT_EQ(manager.watchdog_interval(), std::chrono::seconds{5});
  manager.ready("serving");
  EXPECT_THAT(received(), testing::StartsWith("READY=1\nSTATUS=serving\n"));
  manager.reloading();
  EXPECT_THAT(received(), testing::ContainsRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  manager.alive();
  EXPECT_EQ(received(), "WATCHDOG=1");
  manager.stopping();
  EXPECT_THAT(received(), testing::StartsWith("STOPPING=1"));
}

TEST_F(ServiceManagerTest, SaysNothingOnceAnotherProcessIsTheMainOne) {
  ServiceManager manager;
  manager.retire(4711);
  EXPECT_EQ(received(), "MAINPID=4711");
  manager.stopping();
  manager.alive();
  EXPECT_EQ(received(), "nothing");
}

TEST_F(ServiceManagerTest, AWatchdogForAnotherProcessIsNotOurs) {
  ::setenv("WATCHDOG_USEC", "10000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceManager{}.watchdog_interval());
}

}  // namespace
}  // namespace equinox::appliance
