// What samples, timeline and slow log cost a request (P13): the same server with them and without.
//
//   observe_server PORT on|off

#include <equinox/server.hpp>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  equinox::ServerConfig config;
  config.listeners.front().address = "127.0.0.1:" + std::string{argv[1]};
  config.reactors = 1;
  config.log.level = equinox::LogLevel::warning;
  config.observe = std::string_view{argv[2]} == "on";
  equinox::Server server{config};
  server.get("/hello", [](const equinox::Request&) { return equinox::Response::json_text(R"({"status":"ok"})"); });
  return server.run();
}
