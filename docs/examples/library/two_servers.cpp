// Two servers in one process: traffic for everybody, and metrics on an address of their own. The second has its own
// reactor, so it answers when every reactor of the first is busy.
//   two_servers 0.0.0.0:8080 127.0.0.1:9180
#include <csignal>
#include <equinox/metrics.hpp>
#include <equinox/server.hpp>
#include <exception>
#include <iostream>

int main(int argc, char** argv) try {
  // run() waits for SIGINT and SIGTERM; threads started before it inherit this mask and leave the signals to it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  equinox::Server traffic{{.listeners = {{.address = argc > 1 ? argv[1] : "0.0.0.0:8080"}}}};
  traffic.get("/hello/{name}", [](const equinox::Request& request) {
    return equinox::Response::text("Hello, " + std::string{request.parameter("name")} + "!\n");
  });

  // Its handler reads the first server's view, so it is made after it and ends before it.
  equinox::Server ops{{.listeners = {{.name = "ops", .address = argc > 2 ? argv[2] : "127.0.0.1:9180"}},
                       .reactors = 1,
                       .request_ids = false,
                       .observe = false,
                       .name = "ops"}};
  ops.get("/metrics", equinox::metrics::exposition(traffic.view()));
  ops.get("/readyz", [&traffic](const equinox::Request&) {
    return equinox::Response::error(traffic.view().live().ready ? 200 : 503);
  });
  ops.start();
  return traffic.run();
} catch (const std::exception& failure) {
  std::cerr << "two_servers: " << failure.what() << '\n';
  return 1;
}
