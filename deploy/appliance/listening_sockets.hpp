#pragma once

#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "config.hpp"
#include "environment.hpp"

namespace equinox::appliance {

/// Every socket the appliance listens on, opened before it gives up its privileges and makes a thread. The servers work
/// with copies; these originals are what a hand-over passes on. Main thread only.
class ListeningSockets {
 public:
  /// Owns those of the sockets that belong to a listener, and closes the rest: nobody would accept from them.
  void take(const ApplianceConfig& config, const std::vector<InheritedSocket>& sockets);
  /// Opens what nobody handed in, and writes the descriptors into the configuration's listeners: one socket for each
  /// traffic reactor, one for each surface.
  /// @throws std::system_error naming listener, address and errno; std::invalid_argument for what is no address
  void open(ApplianceConfig& config);
  /// From here on a listener is gone once its server has closed its copy.
  void close() noexcept { opened_.clear(); }

 private:
  void open_group(ListenerConfig& listener, std::uint32_t count);
  std::vector<UniqueFd> opened_;
};

/// A listening socket and the name under which a new process finds its listener again.
struct NamedSocket {
  int descriptor{-1};
  std::string name;
};
std::vector<NamedSocket> named_sockets(const ApplianceConfig& config);

}  // namespace equinox::appliance
