#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <thread>

#include "admin_client.hpp"
#include "deploy/appliance/commands.hpp"
#include "http1_get.hpp"
#include "http2_get.hpp"

namespace equinox::appliance {
namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>{seconds});
}

/// A certificate is not checked: a probe asks whether the process answers, mostly by address and not by name.
/// @throws std::runtime_error with what is not as it was asked for
void probe_once(const Options& options, const Origin& origin) {
  const auto allowed = milliseconds(options.probe_timeout_s);
  const ProbeAnswer answer = options.probe_http2 ? get_over_http2(origin, allowed) : get_over_http1(origin, allowed);
  if (answer.status < 200 || answer.status > 299) throw std::runtime_error("status " + std::to_string(answer.status));
  if (answer.body.find(options.probe_expect) == std::string::npos) {
    throw std::runtime_error("the body lacks \"" + options.probe_expect + "\"");
  }
}

}  // namespace

int run_probe(const Options& options) try {
  // OpenSSL writes by write(2): a peer that is gone would end the probe before it says so.
  std::signal(SIGPIPE, SIG_IGN);
  const Origin origin = parse_origin(options.url);
  const auto until = std::chrono::steady_clock::now() + milliseconds(options.probe_wait_s);
  for (;;) {
    try {
      probe_once(options, origin);
      return 0;
    } catch (const std::runtime_error&) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= 0s) throw;
      std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(left, 500ms));
    }
  }
} catch (const std::exception& mistake) {
  std::fprintf(stderr, "equinox: %s: %s\n", options.url.c_str(), mistake.what());
  return 1;
}

}  // namespace equinox::appliance
