#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config.hpp"

namespace equinox::appliance {

/// How a client command reaches the admin API.
struct AdminTarget {
  std::string address{"127.0.0.1:9181"};  ///< host:port or a URL
  std::string token_file;                 ///< else EQUINOX_TOKEN
  std::string ca_file;                    ///< PEM, for https with a private authority
  bool insecure{false};                   ///< https without checking the certificate
};

/// Everything the command line may say, for all commands.
struct Options {
  std::string config_file;
  ConfigFlags flags;

  bool check_json{false};
  bool check_text_only{false};

  AdminTarget admin;
  std::string query;
  std::string sort;
  std::string rate;
  std::string reason;
  int limit{100};
  bool json{false};
  bool watch{false};
  bool dry_run{false};
  bool all{false};
  bool wait{false};
  std::string wait_timeout;

  std::string token_role;
  std::string token_name;
  std::string url;
  double probe_timeout_s{5};
  double probe_wait_s{0};
  bool probe_http2{false};
  std::string probe_expect;
  std::string shell;
};

/// The command line: sub-commands, options, help. `options` must outlive the parser.
std::unique_ptr<CLI::App> make_command_line(Options& options);
/// Parses what follows the program's name. A query may be several words, and a negated term ("-state:idle") is one of
/// them, not an option. @throws CLI::ParseError
void parse_command_line(CLI::App& app, std::vector<std::string> arguments);

}  // namespace equinox::appliance
