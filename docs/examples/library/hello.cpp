// The smallest server: one route, until SIGINT or SIGTERM.
#include <equinox/server.hpp>

int main(int argc, char** argv) {
  equinox::Server server{{.listeners = {{.address = argc > 1 ? argv[1] : "0.0.0.0:8080"}}}};
  server.get("/api/data", [](const equinox::Request&) { return equinox::Response::json({{"status", "ok"}}); });
  return server.run();
}
