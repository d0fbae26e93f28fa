#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <equinox/config.hpp>
#include <equinox/method.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox.hpp"
#include "settings.hpp"

namespace equinox::appliance {

enum class RouteHandler : std::uint8_t { status, redirect, respond, static_files, echo, metrics, health, welcome };
struct RouteHandlerName {
  RouteHandler handler;
  std::string_view name;  ///< its key in a route
};
inline constexpr std::array kRouteHandlers{
    RouteHandlerName{RouteHandler::status, "status"},   RouteHandlerName{RouteHandler::redirect, "redirect"},
    RouteHandlerName{RouteHandler::respond, "respond"}, RouteHandlerName{RouteHandler::static_files, "static"},
    RouteHandlerName{RouteHandler::echo, "echo"},       RouteHandlerName{RouteHandler::metrics, "metrics"},
    RouteHandlerName{RouteHandler::health, "health"},   RouteHandlerName{RouteHandler::welcome, "welcome"}};

/// Of one of the words of `log.level`.
LogLevel log_level(std::string_view word) noexcept;
/// Of one of the words of `sandbox`.
SandboxMode sandbox_mode(std::string_view word) noexcept;

/// One entry of `routes`, checked. Only the members of its handler mean something.
struct RouteConfig {
  std::string path;
  std::string name;
  std::string host;
  std::string listener;
  std::vector<Method> methods;  ///< empty: those its handler takes
  TextMap headers;
  std::optional<std::uint64_t> request_body_max_bytes;
  RouteHandler handler{RouteHandler::status};

  std::string redirect_to;
  int redirect_code{308};

  int respond_code{200};
  std::string respond_content_type;
  std::string respond_body;

  std::string static_root;
  std::vector<std::string> static_index;
  std::string static_fallback;
  bool static_listing{false};
  bool static_precompressed{true};
  bool static_compress{true};
  std::uint64_t static_compressed_cache_bytes{0};
  std::string static_cache_control;
  std::uint32_t static_open_files{0};

  bool health_is_live{false};
};

struct OpsConfig {
  bool is_on{true};
  std::string address;
  std::chrono::milliseconds livez_limit{30'000};
  std::vector<int> inherited;  ///< its listening socket, once there is one
};

struct AdminConfig {
  bool is_on{true};
  std::string address;
  std::string tokens_file;
  std::optional<TlsConfig> tls;
  std::vector<std::string> hosts;
  bool read_only{false};
  std::uint32_t viewers{16};
  std::vector<int> inherited;  ///< its listening socket, once there is one
};

struct MetricsConfig {
  bool status_class{false};  ///< "2xx" instead of the code
};

struct ReloadConfig {
  bool watch_config{false};
  bool watch_certificates{true};
  std::chrono::milliseconds poll{60'000};
};

struct HandOverConfig {
  bool is_on{false};
  std::chrono::milliseconds timeout{30'000};
};

/// Everything `equinox serve` needs: a plain value made from Settings and checked across keys.
struct ApplianceConfig {
  ServerConfig traffic;
  std::vector<RouteConfig> routes;
  OpsConfig ops;
  AdminConfig admin;
  MetricsConfig metrics;
  ReloadConfig reload;
  SandboxMode sandbox{SandboxMode::automatic};
  SandboxReport sandbox_in_force;  ///< filled at start; empty: no sandbox
  HandOverConfig hand_over;
  bool reactors_are_auto{true};
  bool log_format_is_auto{true};
  std::string file;  ///< the configuration file; empty: none
  Settings settings;

  /// Certificates and keys of all listeners and of the admin surface.
  [[nodiscard]] std::vector<std::string> certificate_files() const;
};

/// What the command line says about the configuration.
struct ConfigFlags {
  std::vector<std::string> listen;  ///< replaces the file's cleartext listeners
  std::string tls_listen;           ///< replaces the file's TLS listeners
  std::string tls_certificate;      ///< with `tls_listen` for that one, else for the file's TLS listeners
  std::string tls_key;
  bool tls_self_signed{false};
  std::string root;              ///< static site at "/"
  std::vector<Override> values;  ///< plain keys
};

struct LoadedConfig {
  std::optional<ApplianceConfig> config;  ///< nothing when there is a problem
  std::vector<ConfigProblem> problems;    ///< in the order of the file
};

/// Reads and checks a configuration; touches no file. The same text always gives the same answer.
LoadedConfig load_config(std::string_view text, std::string_view file, const ConfigFlags& flags);
/// Reads `file`; an empty name means no file. A file that cannot be read is a problem with its errno.
LoadedConfig load_config_file(const std::string& file, const ConfigFlags& flags);
/// The file that the key `path` names. Names in `config_file` are relative to its folder, names on the command line to
/// the working folder.
std::string file_name(const Settings& settings, std::string_view config_file, const std::string& path);
/// Of `log.target` and `log.access`: whether the text is a word (stdout, stderr, off, -) instead of a file.
bool is_log_word(std::string_view text) noexcept;

/// Whether the files the configuration names are there: certificates, keys, tokens, roots.
std::vector<ConfigProblem> check_files(const ApplianceConfig& config);
/// Whether the tokens file can be used, as far as it can be read; places are in that file.
std::vector<ConfigProblem> check_tokens(const ApplianceConfig& config);
/// Whether an admin surface beyond loopback has a token at its start. A running one may lose the last: that locks
/// everybody out on purpose.
std::vector<ConfigProblem> check_first_token(const ApplianceConfig& config);
/// The same for a surface that is open at `address`, whatever the configuration says.
std::vector<ConfigProblem> check_first_token_at(std::string_view address, const ApplianceConfig& config);
/// Whether the log files can be opened; makes none.
std::vector<ConfigProblem> check_logs(const ApplianceConfig& config);

/// What changed from `before` to `after`: keys that apply at once, and keys that need a restart.
struct ConfigChange {
  std::vector<std::string> live;
  std::vector<std::string> restart;
};
ConfigChange compare(const Settings& before, const Settings& after);

}  // namespace equinox::appliance
