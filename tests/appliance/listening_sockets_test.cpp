#include "deploy/appliance/listening_sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <set>
#include <system_error>

#include "base/unique_fd.hpp"
#include "deploy/appliance/surfaces.hpp"
#include "net/socket_address.hpp"

namespace equinox::appliance {
namespace {

ApplianceConfig load(std::string_view text) { return *load_config(text, "f.json", {}).config; }

constexpr std::string_view kThreeReactors =
    R"({"reactors": 3, "listeners": [{"address": "127.0.0.1:0", "name": "http"}],
  "ops": {"address": "127.0.0.1:0"}, "admin": {"address": "off"}})";

bool is_open(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

TEST(ListeningSockets, AreOneForEachReactorAndOneForEachSurface) {
  ApplianceConfig config = load(kThreeReactors);
  ListeningSockets listening;
  listening.open(config);
  const auto& group = config.traffic.listeners[0].inherited;
  ASSERT_EQ(group.size(), 3u);
  std::set<std::string> addresses;
  for (const int descriptor : group) addresses.insert(to_string(*net::local_endpoint(descriptor)));
  EXPECT_EQ(addresses.size(), 1u) << "all members on the port the first was given";
  EXPECT_EQ(config.ops.inherited.size(), 1u);
  EXPECT_TRUE(config.admin.inherited.empty()) << "off";
  const auto named = named_sockets(config);
  ASSERT_EQ(named.size(), 4u);
  EXPECT_EQ(named[0].name, "http");
  EXPECT_EQ(named[3].name, "equinox-ops");
  listening.close();
  EXPECT_FALSE(is_open(group[0]));
}

TEST(ListeningSockets, TellWhereTheDashboardIs) {
  ApplianceConfig config = load(R"({"listeners": [{"address": "127.0.0.1:0"}], "ops": {"address": "off"},
                                    "admin": {"address": "127.0.0.1:0"}})");
  EXPECT_EQ(dashboard_url(config), "") << "no port yet";
  ListeningSockets listening;
  listening.open(config);
  const std::string address = to_string(*net::local_endpoint(config.admin.inherited.at(0)));
  EXPECT_EQ(dashboard_url(config), "http://" + address + "/admin/");
}

/// A service manager's socket may be bound elsewhere than "admin.address" says.
TEST(ListeningSockets, OfTheAdminSurfaceAreNamesItAnswersTo) {
  ApplianceConfig config = load(R"({"listeners": [{"address": "127.0.0.1:0"}], "ops": {"address": "off"},
                                    "admin": {"address": "127.0.0.1:0", "hosts": ["eq.example"]}})");
  const auto bound_to = [](const char* host) {
    UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const int yes = 1;
    ::setsockopt(socket.get(), IPPROTO_IP, IP_FREEBIND, &yes, sizeof yes);  // no machine needs to have these addresses
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, host, &address.sin_addr);
    EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return socket;
  };
  const UniqueFd first = bound_to("192.0.2.77");
  const UniqueFd second = bound_to("0.0.0.0");
  const UniqueFd third = bound_to("192.0.2.78");
  config.admin.inherited = {first.get(), second.get(), third.get()};
  EXPECT_THAT(dashboard_url(config), testing::StartsWith("http://192.0.2.77:"));
  EXPECT_THAT(admin_hosts(config.admin), testing::ElementsAre("eq.example", "192.0.2.77", "192.0.2.78", "127.0.0.1"));
  config.admin.inherited = {second.get()};
  EXPECT_THAT(dashboard_url(config), testing::StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(admin_hosts(config.admin), testing::ElementsAre("eq.example", "127.0.0.1"));
}

TEST(ListeningSockets, NameTheListenerThatCannotBeOpened) {
  ApplianceConfig config = load(kThreeReactors);
  ListeningSockets first;
  first.open(config);
  ApplianceConfig second = load(kThreeReactors);
  second.traffic.listeners[0].address = to_string(*net::local_endpoint(config.traffic.listeners[0].inherited[0]));
  ListeningSockets other;
  try {
    other.open(second);
    FAIL() << "two processes on one address";
  } catch (const std::system_error& taken) {
    EXPECT_EQ(taken.code().value(), EADDRINUSE);
    EXPECT_THAT(taken.what(), testing::HasSubstr("listener \"http\" cannot be opened on 127.0.0.1:"));
  }
}

TEST(ListeningSockets, ThatNobodyWantsAreClosed) {
  ApplianceConfig config = load(kThreeReactors);
  const int wanted = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int unwanted = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const std::vector<InheritedSocket> sockets{{wanted, "http", ""}, {unwanted, "gone", ""}};
  adopt_sockets(config, sockets);
  {
    ListeningSockets listening;
    listening.take(config, sockets);
    EXPECT_TRUE(is_open(wanted));
    EXPECT_FALSE(is_open(unwanted));
  }
  EXPECT_FALSE(is_open(wanted));
}

}  // namespace
}  // namespace equinox::appliance
