#include "environment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "config_checks.hpp"
#include "config_values.hpp"
#include "net/socket_address.hpp"
#include "server/cgroup.hpp"
#include "server/machine.hpp"
#include "server/settings.hpp"

namespace equinox::appliance {
namespace {

constexpr std::uint64_t kFewConnections = 1000;
constexpr std::size_t kMostReactors = 255;

std::uint64_t number_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

/// Whether what is written to this log target is read on a terminal; a file never is, whatever started the process.
bool is_terminal(std::string_view log_target) {
  if (log_target == "stderr") return ::isatty(STDERR_FILENO) == 1;
  return (log_target == "stdout" || log_target == "-") && ::isatty(STDOUT_FILENO) == 1;
}

/// Something that can take sockets over.
struct Taker {
  std::string_view name;
  std::string_view address;
  std::vector<int>* sockets{nullptr};
};

std::vector<Taker> takers_of(ApplianceConfig& config) {
  std::vector<Taker> takers;
  for (ListenerConfig& listener : config.traffic.listeners) {
    takers.push_back({listener.name, listener.address, &listener.inherited});
  }
  if (config.ops.is_on) takers.push_back({kOpsSocket, config.ops.address, &config.ops.inherited});
  if (config.admin.is_on) takers.push_back({kAdminSocket, config.admin.address, &config.admin.inherited});
  return takers;
}

const Taker* taker_of(const InheritedSocket& socket, const std::vector<Taker>& takers) {
  auto wanted =
      std::find_if(takers.begin(), takers.end(), [&](const Taker& taker) { return taker.name == socket.name; });
  if (wanted == takers.end()) {
    const auto bound = parse_listen_address(socket.address);
    wanted = std::find_if(takers.begin(), takers.end(), [&](const Taker& taker) {
      const auto address = parse_listen_address(taker.address);
      return bound && address && address->port != 0 && address->port == bound->port;
    });
  }
  return wanted == takers.end() ? nullptr : &*wanted;
}

}  // namespace

std::vector<std::string> resolve_environment(ApplianceConfig& config) {
  std::vector<std::string> warnings;
  Settings& settings = config.settings;
  if (!settings.number("reactors")) {
    config.traffic.reactors = server::usable_cpus();
    settings.resolve("reactors", config.traffic.reactors, "auto: CPUs this process may use");
  }
  const std::uint64_t descriptors = server::raise_descriptor_limit();
  if (!settings.number("limits.connections")) {
    config.traffic.limits.connections = server::connection_limit(config.traffic.limits);
    settings.resolve("limits.connections", config.traffic.limits.connections, "auto: from RLIMIT_NOFILE");
    if (config.traffic.limits.connections < kFewConnections) {
      warnings.push_back(
          fmt::format("at most {} connections: RLIMIT_NOFILE is {}", config.traffic.limits.connections, descriptors));
    }
  } else if (config.traffic.limits.connections > descriptors) {
    warnings.push_back(fmt::format("limits.connections is {} but RLIMIT_NOFILE only {}",
                                   config.traffic.limits.connections, descriptors));
  }
  if (!settings.number("limits.memory")) {
    if (const auto limit = server::cgroup_memory()) {
      config.traffic.limits.memory = *limit / 10 * 8;
      settings.resolve("limits.memory", static_cast<std::int64_t>(config.traffic.limits.memory),
                       "auto: 80 % of the cgroup's limit");
    } else {
      settings.resolve("limits.memory", "none", "auto: no cgroup sets a limit");
    }
  }
  if (!settings.number("limits.http2_resets")) {
    config.traffic.limits.http2_resets = server::protocol_limits(config.traffic.limits).h2_reset_burst;
    settings.resolve("limits.http2_resets", config.traffic.limits.http2_resets,
                     "auto: twice limits.http2_concurrent_streams");
  }
  if (settings.text("log.format") == "auto") {
    config.traffic.log.format = is_terminal(config.traffic.log.target) ? "text" : "json";
    settings.resolve("log.format", config.traffic.log.format, "auto: text on a terminal, json elsewhere");
  }
  if (settings.text("log.access_format") == "auto") {
    config.traffic.log.access_format = config.traffic.log.format == "json" ? "json" : "combined";
    settings.resolve("log.access_format", config.traffic.log.access_format, "auto: as log.format");
  }
  if (!settings.has("instance")) settings.resolve("instance", server::host_name(), "the host name");
  return warnings;
}

void keep_resolved(const ApplianceConfig& running, ApplianceConfig& next) {
  if (running.reactors_are_auto && next.reactors_are_auto) {
    next.traffic.reactors = running.traffic.reactors;
    next.settings.resolve("reactors", next.traffic.reactors, "auto: as found at start");
  }
  if (running.log_format_is_auto && next.log_format_is_auto) {
    next.traffic.log.format = running.traffic.log.format;
    next.settings.resolve("log.format", next.traffic.log.format, "auto: as found at start");
  }
  if (running.traffic.instance.empty() && next.traffic.instance.empty()) {
    next.settings.resolve("instance", running.settings.text("instance"), "the host name: as found at start");
  }
}

std::vector<InheritedSocket> take_inherited_sockets() {
  constexpr int kFirst = 3;
  constexpr std::uint64_t kMostSockets = 65'536;  // 255 reactors on each of many listeners
  std::vector<InheritedSocket> sockets;
  const std::uint64_t count = number_of("LISTEN_FDS");
  const bool is_for_us = number_of("LISTEN_PID") == static_cast<std::uint64_t>(::getpid());
  const char* names_text = std::getenv("LISTEN_FDNAMES");
  std::string_view names = names_text == nullptr ? "" : names_text;
  for (std::uint64_t i = 0; is_for_us && i < count && i < kMostSockets; ++i) {
    InheritedSocket socket;
    socket.descriptor = kFirst + static_cast<int>(i);
    // A name may be empty; left out, it would give its socket the name of the next one.
    const auto end = std::min(names.find(':'), names.size());
    socket.name = std::string{names.substr(0, end)};
    names.remove_prefix(std::min(end + 1, names.size()));
    ::fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC);
    if (const auto local = net::local_endpoint(socket.descriptor); local && local->is_known) {
      socket.address = to_string(*local);
    }
    sockets.push_back(std::move(socket));
  }
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(variable);
  return sockets;
}

std::vector<std::string> adopt_sockets(ApplianceConfig& config, const std::vector<InheritedSocket>& sockets) {
  std::vector<std::string> messages;
  const std::vector<Taker> takers = takers_of(config);
  for (const InheritedSocket& socket : sockets) {
    if (const Taker* taker = taker_of(socket, takers)) {
      taker->sockets->push_back(socket.descriptor);
    } else {
      messages.push_back(fmt::format("the inherited socket \"{}\" ({}) belongs to no listener", socket.name,
                                     socket.address.empty() ? "not an IP socket" : socket.address));
    }
  }
  std::size_t most = 0;
  for (const ListenerConfig& listener : config.traffic.listeners) most = std::max(most, listener.inherited.size());
  if (config.traffic.reactors != 0 && most > config.traffic.reactors && most <= kMostReactors) {
    messages.push_back(fmt::format("{} reactors instead of {}: so many sockets were handed over for one listener", most,
                                   config.traffic.reactors));
    config.traffic.reactors = static_cast<std::uint32_t>(most);
    config.settings.resolve("reactors", config.traffic.reactors, "one for each inherited socket");
  }
  return messages;
}

std::vector<ConfigProblem> check_adopted_admin(const ApplianceConfig& config,
                                               const std::vector<InheritedSocket>& sockets) {
  for (const InheritedSocket& socket : sockets) {
    const std::vector<int>& adopted = config.admin.inherited;
    if (std::find(adopted.begin(), adopted.end(), socket.descriptor) == adopted.end()) continue;
    if (auto problem = admin_exposure(config.settings, socket.address)) {
      return {{fmt::format("inherited socket {}", socket.descriptor), "admin.address", std::move(*problem)}};
    }
    if (auto problems = check_first_token_at(socket.address, config); !problems.empty()) return problems;
  }
  return {};
}

}  // namespace equinox::appliance
