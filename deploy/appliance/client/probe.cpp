#include <httplib.h>

#include <cstdio>
#include <exception>

#include "admin_client.hpp"
#include "deploy/appliance/commands.hpp"

namespace equinox::appliance {

/// One GET. A certificate is not checked: a probe asks whether the process answers, mostly by address and not by name.
int run_probe(const Options& options) try {
  const Origin origin = parse_origin(options.url);
  httplib::Client client{origin.base};
  const auto timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>{options.probe_timeout_s});
  client.set_connection_timeout(timeout);
  client.set_read_timeout(timeout);
  client.enable_server_certificate_verification(false);
  const auto answer = client.Get(origin.path.c_str());
  if (!answer) {
    std::fprintf(stderr, "equinox: %s: %s\n", options.url.c_str(), httplib::to_string(answer.error()).c_str());
    return 1;
  }
  if (answer->status < 200 || answer->status > 299) {
    std::fprintf(stderr, "equinox: %s: status %d\n", options.url.c_str(), answer->status);
    return 1;
  }
  return 0;
} catch (const std::exception& mistake) {
  std::fprintf(stderr, "equinox: %s\n", mistake.what());
  return 1;
}

}  // namespace equinox::appliance
