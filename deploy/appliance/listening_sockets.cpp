#include "listening_sockets.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "net/listener.hpp"
#include "net/socket_address.hpp"

namespace equinox::appliance {
namespace {

net::SocketAddress address_of(const ListenerConfig& listener) {
  if (const auto address = net::SocketAddress::parse(listener.address)) return *address;
  throw std::invalid_argument{"listener \"" + listener.name + "\": \"" + listener.address +
                              "\" is not an address such as 127.0.0.1:8080, [::1]:8080 or :8080"};
}

}  // namespace

void ListeningSockets::open_group(ListenerConfig& listener, std::uint32_t count) {
  const net::SocketAddress address = address_of(listener);
  net::ListenerOptions options;
  options.defer_accept_seconds = static_cast<int>(listener.defer_accept.count());
  auto group = net::Listener::open_group(address, options, count);
  if (!group) {
    throw std::system_error{group.error().os_errno, std::generic_category(),
                            "listener \"" + listener.name + "\" cannot be opened on " + to_string(address)};
  }
  for (net::Listener& each : *group) {
    opened_.push_back(each.release());
    listener.inherited.push_back(opened_.back().get());
  }
}

void ListeningSockets::take(const ApplianceConfig& config, const std::vector<InheritedSocket>& sockets) {
  const std::vector<NamedSocket> wanted = named_sockets(config);
  for (const InheritedSocket& socket : sockets) {
    UniqueFd owned{socket.descriptor};
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&socket](const NamedSocket& one) {
      return one.descriptor == socket.descriptor;
    });
    if (is_wanted) opened_.push_back(std::move(owned));
  }
}

void ListeningSockets::open(ApplianceConfig& config) {
  for (ListenerConfig& listener : config.traffic.listeners) {
    if (listener.inherited.empty()) open_group(listener, config.traffic.reactors);
  }
  const auto open_surface = [this](bool is_on, const char* name, const std::string& address,
                                   std::vector<int>& sockets) {
    if (!is_on || !sockets.empty()) return;
    ListenerConfig surface;
    surface.name = name;
    surface.address = address;
    open_group(surface, 1);
    sockets = std::move(surface.inherited);
  };
  open_surface(config.ops.is_on, "ops", config.ops.address, config.ops.inherited);
  open_surface(config.admin.is_on, "admin", config.admin.address, config.admin.inherited);
}

std::vector<NamedSocket> named_sockets(const ApplianceConfig& config) {
  std::vector<NamedSocket> out;
  const auto add = [&out](const std::vector<int>& sockets, const std::string& name) {
    for (const int descriptor : sockets) out.push_back({descriptor, name});
  };
  for (const ListenerConfig& listener : config.traffic.listeners) add(listener.inherited, listener.name);
  add(config.ops.inherited, std::string{kOpsSocket});
  add(config.admin.inherited, std::string{kAdminSocket});
  return out;
}

}  // namespace equinox::appliance
