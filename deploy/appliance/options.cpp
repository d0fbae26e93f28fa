#include "options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "admin-ui/api/token_rules.hpp"
#include "client/admin_client.hpp"

namespace equinox::appliance {
namespace {

/// A name that is given must name something: an unset variable of a shell must not mean "as if it had not been given".
const CLI::Validator& named() {
  static const CLI::Validator kNamed{
      [](const std::string& value) -> std::string {
        return value.empty() ? "is empty, allowed is a name; without one the option is left out" : "";
      },
      ""};
  return kNamed;
}

/// Bounds do not keep "nan" out: it compares with nothing.
const CLI::Validator& finite() {
  static const CLI::Validator kFinite{
      [](const std::string& value) -> std::string {
        double number = 0;
        const bool is_finite = CLI::detail::lexical_cast(value, number) && std::isfinite(number);
        return is_finite ? "" : fmt::format("\"{}\" is no number of seconds, allowed is one such as 2.5", value);
      },
      ""};
  return kFinite;
}

/// An option of `serve` that sets a plain key of the table: the table has its help.
void add_key(CLI::App& app, Options& options, const char* flag, const char* path) {
  const KeySpec* key = find_key(path);
  auto help = fmt::format("{} [{}]", key->help, key->fallback);
  app.add_option_function<std::string>(
         flag,
         [&options, flag, path](const std::string& value) {
           options.flags.values.push_back({path, value, flag});
         },
         std::move(help))
      ->type_name(key->type == KeyType::duration  ? "DURATION"
                  : key->type == KeyType::address ? "ADDR"
                                                  : "VALUE");
}

void add_serve_options(CLI::App& app, Options& options) {
  ConfigFlags& flags = options.flags;
  app.add_option("--config", options.config_file, "Configuration file")
      ->check(named())
      ->type_name("FILE")
      ->envname("EQUINOX_CONFIG");
  app.add_option("--listen", flags.listen,
                 "Listen here without TLS; may be given several times; replaces the file's cleartext listeners "
                 "[0.0.0.0:8080]")
      ->type_name("ADDR")
      ->expected(1)
      ->take_all();
  app.add_option("--tls-listen", flags.tls_listen, "Listen here with TLS; replaces the file's TLS listeners")
      ->check(named())
      ->type_name("ADDR");
  app.add_option("--tls-cert", flags.tls_certificate,
                 "Certificate chain, PEM; of --tls-listen, else of the file's TLS listeners")
      ->check(named())
      ->type_name("FILE");
  app.add_option("--tls-key", flags.tls_key, "Private key, PEM")->check(named())->type_name("FILE");
  app.add_flag("--tls-self-signed", flags.tls_self_signed, "A development certificate made in memory");
  app.add_option("--root", flags.root, "Serve this folder at /")->check(named())->type_name("DIR");
  constexpr std::pair<const char*, const char*> kKeys[] = {
      {"--ops", "ops.address"},
      {"--admin", "admin.address"},
      {"--reactors", "reactors"},
      {"--idle-timeout", "timeouts.idle"},
      {"--header-timeout", "timeouts.header"},
      {"--body-timeout", "timeouts.body"},
      {"--handler-timeout", "timeouts.handler"},
      {"--write-timeout", "timeouts.write"},
      {"--handshake-timeout", "timeouts.handshake"},
      {"--max-connections", "limits.connections"},
      {"--drain-delay", "drain.delay"},
      {"--drain-timeout", "drain.timeout"},
      {"--log-format", "log.format"},
      {"--log-level", "log.level"},
      {"--access-log", "log.access"},
      {"--sandbox", "sandbox"},
  };
  for (const auto& [flag, path] : kKeys) add_key(app, options, flag, path);
}

/// In front of a negated term while it is parsed, so that it does not look like an option.
constexpr char kTermMark = '\x1f';

constexpr std::string_view kFieldLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

/// "-state:idle". A word without a field ("-idle") is none: it looks like an option that lacks its second dash, and
/// `close -rate 5/s` must not close whoever is not called "rate".
bool is_negated_term(std::string_view text) {
  if (text.size() < 2 || text[0] != '-' || kFieldLetters.substr(0, 52).find(text[1]) == std::string_view::npos) {
    return false;
  }
  const auto end = text.find_first_not_of(kFieldLetters, 1);
  return end != std::string_view::npos && std::string_view{":<>="}.find(text[end]) != std::string_view::npos;
}

/// "-idle"
bool is_negated_word(std::string_view text) {
  return text.size() > 2 && text[0] == '-' && text.find_first_not_of(kFieldLetters, 1) == std::string_view::npos;
}

bool takes_query(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return !commands.empty() && commands.front()->get_option_no_throw("query") != nullptr;
}

CLI::Option* add_query(CLI::App& command, Options& options, const char* help) {
  return command.add_option_function<std::vector<std::string>>(
      "query",
      [&options](const std::vector<std::string>& words) {
        for (const std::string_view word : words) {
          if (!options.query.empty()) options.query += ' ';
          options.query += word.starts_with(kTermMark) ? word.substr(1) : word;
        }
      },
      help);
}

void add_admin_options(CLI::App& app, Options& options) {
  app.add_option("--admin", options.admin.address, "Address or URL of the admin surface")
      ->capture_default_str()
      ->type_name("ADDR");
  app.add_option("--token-file", options.admin.token_file, "File with a bearer token; else EQUINOX_TOKEN")
      ->check(named())
      ->type_name("FILE");
  app.add_option("--ca-file", options.admin.ca_file, "Trust this authority (https)")->check(named())->type_name("FILE");
  app.add_flag("--insecure", options.admin.insecure, "Do not check the certificate (https)");
}

void add_client_commands(CLI::App& app, Options& options) {
  CLI::App* conns = app.add_subcommand("conns", "List live connections");
  add_query(*conns, options, "Such as: protocol:h2 'idle>30s' -state:handling");
  conns->add_option("--sort", options.sort, "Field to sort by, '-' in front for descending")->type_name("FIELD");
  conns->add_option("--limit", options.limit, "Rows at most")->capture_default_str()->check(CLI::Range(1, 500));
  conns->add_flag("--json", options.json, "The answer as JSON");
  conns->add_flag("--watch", options.watch, "Repeat every second");
  CLI::App* why = app.add_subcommand("why", "Recently closed connections, each with its reason");
  add_query(*why, options, "A connection's id, or a query such as: reason:keep_alive_timeout");
  why->add_option("--limit", options.limit, "Rows at most")->capture_default_str()->check(CLI::Range(1, 500));
  why->add_flag("--json", options.json, "The answer as JSON");
  CLI::App* close = app.add_subcommand("close", "Close matching connections; prints the exact count first");
  add_query(*close, options, "Which ones");
  close->add_flag("--all", options.all, "Every connection; without it an empty query is refused");
  close->add_option("--rate", options.rate, "Connections per second, such as 50/s")->type_name("N/s");
  close->add_option("--reason", options.reason, "For the audit trail")->type_name("TEXT");
  close->add_flag("--dry-run", options.dry_run, "Only count");
  close->add_flag("--json", options.json, "The answer as JSON");
  CLI::App* top = app.add_subcommand("top", "Full-screen live view of connections and rates");
  add_query(*top, options, "Which connections");
  top->add_option("--sort", options.sort, "Field to sort by, '-' in front for descending")->type_name("FIELD");
  top->add_flag("--json", options.json, "One picture as JSON: the status and the connections");
  CLI::App* drain = app.add_subcommand("drain", "Start a drain; the process stays");
  drain->add_flag("--wait", options.wait, "Show what holds it back; return when no request is in flight");
  drain->add_option("--timeout", options.wait_timeout, "With --wait: give up after this long, with status 1")
      ->type_name("DURATION");
  drain->add_option("--reason", options.reason, "For the audit trail")->type_name("TEXT");
  drain->add_flag("--json", options.json, "The answer as JSON");
  CLI::App* undrain = app.add_subcommand("undrain", "Take a drain back");
  undrain->add_flag("--json", options.json, "The answer as JSON");
  for (CLI::App* command : {conns, why, close, top, drain, undrain}) add_admin_options(*command, options);
}

/// Options in front of the command are those of `serve`. `check` means the same by them; any other command would do its
/// work as if they had not been given, on the wrong server for instance.
void settle_options_in_front(const CLI::App& app, Options& options) {
  for (const CLI::App* command : app.get_subcommands()) {
    if (command->get_name() == "serve" || command->get_name() == "check") continue;
    for (const CLI::Option* given : app.parse_order()) {
      const std::string name = given->get_name();
      const CLI::Option* own = command->get_option_no_throw(name);
      if (name != "--admin" || own == nullptr) {
        throw CLI::ValidationError{name, fmt::format("is an option of serve and check, not of {}; allowed is: equinox "
                                                     "serve {}",
                                                     command->get_name(), name)};
      }
      if (own->empty()) options.admin.address = given->results().back();
    }
  }
}

/// As any other value that is none: not as a server that cannot be reached.
void check_admin_address(const CLI::App& app, const Options& options) {
  for (const CLI::App* command : app.get_subcommands()) {
    if (command->get_option_no_throw("--token-file") == nullptr) continue;
    try {
      admin_base(options.admin.address);
    } catch (const std::runtime_error& mistake) {
      throw CLI::ValidationError{"--admin", mistake.what()};
    }
  }
}

}  // namespace

void parse_command_line(CLI::App& app, std::vector<std::string> arguments) {
  for (std::string& argument : arguments) {
    if (is_negated_term(argument)) argument.insert(argument.begin(), kTermMark);
  }
  const bool has_negated_word = std::any_of(arguments.begin(), arguments.end(), is_negated_word);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ExtrasError& mistake) {
    if (!has_negated_word || !takes_query(app)) throw;
    throw CLI::ExtrasError{fmt::format("{}; allowed is a negated term with its field such as -state:idle, and any word "
                                       "behind --, as in: equinox {} -- -idle",
                                       mistake.what(), app.get_subcommands().front()->get_name()),
                           CLI::ExitCodes::ExtrasError};
  }
}

std::unique_ptr<CLI::App> make_command_line(Options& options) {
  auto app = std::make_unique<CLI::App>("Equinox: the HTTP server you can see inside", "equinox");
  app->require_subcommand(0, 1);
  app->set_help_all_flag("--help-all", "Help of all commands");
  add_serve_options(*app, options);
  CLI::App* serve = app->add_subcommand("serve", "Serve until SIGTERM or SIGINT, then drain (also without a command)");
  add_serve_options(*serve, options);
  CLI::App* check = app->add_subcommand("check", "Check a configuration and print each value with its origin");
  add_serve_options(*check, options);
  check->add_flag("--json", options.check_json, "As JSON");
  check->add_flag("--text-only", options.check_text_only, "Do not look whether files and certificates are there");
  add_client_commands(*app, options);
  CLI::App* token = app->add_subcommand("token", "Make a token for the admin surface");
  token->add_option("--role", options.token_role, "viewer, operator or admin")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>{admin::kRoles.begin(), admin::kRoles.end()}));
  token->add_option("--name", options.token_name, "Who has it: shown in the audit trail")->type_name("NAME");
  CLI::App* probe = app->add_subcommand("probe", "One GET; exit status 0 when the answer is 2xx");
  probe->add_option("url", options.url, "http://… or https://…")->required();
  probe->add_option("--timeout", options.probe_timeout_s, "Seconds for the whole probe")
      ->capture_default_str()
      ->check(finite())
      ->check(CLI::Range(0.1, 600.0));
  probe->add_flag("--http2", options.probe_http2, "Over HTTP/2: prior knowledge on http://, ALPN on https://");
  probe->add_option("--expect", options.probe_expect, "The body must hold this as well")->type_name("TEXT");
  probe->add_option("--wait", options.probe_wait_s, "Ask again until the answer is good, this many seconds at most")
      ->capture_default_str()
      ->check(finite())
      ->check(CLI::Range(0.0, 3600.0));
  CLI::App* completion = app->add_subcommand("completion", "Print a completion script");
  completion->add_option("shell", options.shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app->add_subcommand("version", "Version, revision, compiler, libraries");
  app->callback([&options, parsed = app.get()] {
    settle_options_in_front(*parsed, options);
    check_admin_address(*parsed, options);
  });
  return app;
}

}  // namespace equinox::appliance
