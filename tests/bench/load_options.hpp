#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace bench {

struct LoadOptions {
  std::string mode;  ///< closed, churn, open, idle
  std::uint16_t port{0};
  std::size_t connections{1};
  std::size_t depth{1};  ///< requests in one write
  double seconds{1};
  std::uint64_t requests{0};  ///< ends after so many instead of after `seconds`
  double rate{0};             ///< open loop: requests per second
  bool tls{false};
  bool h2c{false};  ///< idle only
  std::string request;
};

inline std::string browser_fields() {
  return "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
         "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
         "Referer: http://127.0.0.1/start?from=here\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
         "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nCache-Control: max-age=0\r\n";
}

/// MODE PORT [--connections N] [--depth N] [--seconds S] [--requests N] [--rate R] [--path P] [--tls] [--h2c]
/// [--browser] [--close]
inline bool parse_load_options(int argc, char** argv, LoadOptions& options) {
  if (argc < 3) return false;
  options.mode = argv[1];
  options.port = static_cast<std::uint16_t>(std::strtoul(argv[2], nullptr, 10));
  std::map<std::string, std::string, std::less<>> values;
  std::string extra;
  for (int i = 3; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--tls")
      options.tls = true;
    else if (word == "--h2c")
      options.h2c = true;
    else if (word == "--browser")
      extra += browser_fields();
    else if (word == "--close")
      extra += "Connection: close\r\n";
    else if (i + 1 < argc)
      values[std::string{word}] = argv[i + 1], ++i;
    else
      return false;
  }
  const auto number = [&](std::string_view name, double otherwise) {
    const auto found = values.find(name);
    return found == values.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
  };
  options.connections = static_cast<std::size_t>(number("--connections", 1));
  options.depth = static_cast<std::size_t>(number("--depth", 1));
  options.seconds = number("--seconds", 1);
  options.requests = static_cast<std::uint64_t>(number("--requests", 0));
  options.rate = number("--rate", 0);
  const auto path = values.find("--path");
  options.request = "GET " + (path == values.end() ? std::string{"/hello"} : path->second) +
                    " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) + "\r\n" + extra + "\r\n";
  return options.port != 0 && options.connections > 0 && options.depth > 0;
}

}  // namespace bench
