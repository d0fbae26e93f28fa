// A server that can be seen inside: traffic on one address, dashboard, API, probes and metrics on another. While every
// reactor of the first sleeps in a handler, the second still answers, and names the handler.
//   observed 0.0.0.0:8080 127.0.0.1:9181
#include <chrono>
#include <csignal>
#include <equinox/admin.hpp>
#include <equinox/metrics.hpp>
#include <equinox/server.hpp>
#include <exception>
#include <iostream>
#include <thread>

int main(int argc, char** argv) try {
  // run() waits for SIGINT and SIGTERM; threads started before it inherit this mask and leave the signals to it.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  equinox::Server traffic{{.listeners = {{.address = argc > 1 ? argv[1] : "0.0.0.0:8080"}}, .reactors = 2}};
  traffic.get("/hello/{name}", [](const equinox::Request& request) {
    return equinox::Response::text("Hello, " + std::string{request.parameter("name")} + "!\n");
  });
  // What a handler must not do: the reactor that runs it serves nobody else meanwhile.
  traffic.get("/sleep", [](const equinox::Request&) {
    std::this_thread::sleep_for(std::chrono::seconds{1});
    return equinox::Response::text("rested\n");
  });

  equinox::admin::Actions actions;
  actions.close = [&traffic](equinox::ConnectionId id, equinox::CloseReason reason, const std::string& actor) {
    return traffic.close(id, reason, actor);
  };
  actions.drain = [&traffic](const std::string& by) { traffic.drain(true, by); };
  actions.undrain = [&traffic] { return traffic.undrain(); };

  // Its handlers read the first server's view, so it is made after it and ends before it.
  equinox::Server watching{{.listeners = {{.name = "admin", .address = argc > 2 ? argv[2] : "127.0.0.1:9181"}},
                            .reactors = 1,
                            .request_ids = false,
                            .observe = false,
                            .name = "admin"}};
  watching.mount("/admin", equinox::admin::routes(traffic.view(), actions));
  watching.get("/metrics", equinox::metrics::exposition(traffic.view()));
  watching.get("/readyz", [&traffic](const equinox::Request&) {
    return equinox::Response::error(traffic.view().live().ready ? 200 : 503);
  });
  watching.start();
  return traffic.run();
} catch (const std::exception& failure) {
  std::cerr << "observed: " << failure.what() << '\n';
  return 1;
}
