#include "config_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "config_values.hpp"
#include "http/headers.hpp"
#include "redirect_target.hpp"

namespace equinox::appliance {
namespace {

std::vector<std::string_view> handler_names() {
  std::vector<std::string_view> names;
  names.reserve(kRouteHandlers.size());
  for (const auto& [handler, name] : kRouteHandlers) names.push_back(name);
  return names;
}

std::string item(std::string_view list, std::size_t index) { return fmt::format("{}[{}]", list, index); }

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

/// RFC 9113 §8.2.1: clients refuse the whole answer for it.
constexpr std::string_view kOuterBlank = "begins or ends with a blank; allowed is text without blanks around it";

std::string too_long(std::size_t bytes) {
  return fmt::format("{} bytes are more than clients take in one field; allowed are {} at most", bytes,
                     kFieldValueMaxBytes);
}

/// Fields of which an answer has one at most, and the handler that sets it.
constexpr std::pair<std::string_view, std::string_view> kHandlerFields[] = {
    {"static", "Accept-Ranges"}, {"static", "Allow"},      {"static", "Content-Encoding"},
    {"static", "Content-Range"}, {"static", "ETag"},       {"static", "Last-Modified"},
    {"static", "Location"},      {"redirect", "Location"}, {"status", "Cache-Control"}};

/// A name that a static route may open: relative, and no step of it leads up.
bool stays_below(std::string_view name) {
  if (name.starts_with('/')) return false;
  const auto steps = split(name, '/');
  return std::find(steps.begin(), steps.end(), "..") == steps.end();
}

class Checker {
 public:
  Checker(const Settings& settings, std::vector<ConfigProblem>& problems) : s{settings}, problems_{problems} {}

 protected:
  void complain(const std::string& key, std::string message) {
    problems_.push_back({s.origin(key), key, std::move(message)});
  }
  /// Whether the remedy is on the command line.
  [[nodiscard]] bool is_flag(const std::string& key) const { return s.origin(key).starts_with("--"); }
  void check_tls(const std::string& tls) {
    if (!s.has(tls)) return;
    const std::size_t count = s.count(tls + ".certificates");
    const bool self_signed = s.boolean(tls + ".self_signed");
    if (count == 0 && !self_signed) {
      complain(tls, is_flag(tls) ? "has no certificate; give --tls-cert FILE and --tls-key FILE, or --tls-self-signed"
                                 : "has no certificate; give \"certificates\" or set \"self_signed\" to true");
    } else if (count != 0 && self_signed) {
      const std::string key = tls + ".self_signed";
      complain(key, is_flag(key) ? "excludes --tls-cert and --tls-key; allowed is one of the two"
                                 : "excludes \"certificates\"; allowed is one of the two");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = item(tls + ".certificates", i) + ".name";
      if (!names.insert(s.text(name)).second) {
        complain(name, fmt::format("\"{}\" is used twice; allowed are different names", s.text(name)));
      }
    }
  }

  const Settings& s;

 private:
  std::vector<ConfigProblem>& problems_;
};

class ListenerChecker : public Checker {
 public:
  using Checker::Checker;
  void run() {
    std::map<std::string, std::size_t> names;
    for (std::size_t i = 0; i < s.count("listeners"); ++i) {
      const std::string listener = item("listeners", i);
      check_name(listener, i, names);
      check_tls(listener + ".tls");
      if (s.has(listener + ".proxy_protocol") && s.texts(listener + ".proxy_protocol.from").empty() &&
          s.has(listener + ".proxy_protocol.from")) {
        complain(listener + ".proxy_protocol.from", "is empty; allowed is at least one network");
      }
    }
    check_addresses();
  }

 private:
  void check_name(const std::string& listener, std::size_t index, std::map<std::string, std::size_t>& names) {
    const std::string name = listener_name(s, index);
    const bool is_plain = !name.empty() && name.size() <= 32 &&
                          name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    if (!is_plain) {
      complain(listener + ".name", fmt::format("\"{}\" is no name, allowed are 1 to 32 of a-z 0-9 _ -", name));
    } else if (name == "ops" || name == "admin") {
      complain(listener + ".name", fmt::format("\"{}\" is the name of a surface; allowed is another", name));
    } else if (const auto [first, is_new] = names.emplace(name, index); !is_new) {
      complain(
          listener + ".name",
          fmt::format("\"{}\" is already the name of listeners[{}]; allowed are different names", name, first->second));
    }
  }

  // Two sockets on one address and port: the kernel would spread connections over both, or refuse.
  void check_addresses() {
    std::vector<std::pair<std::string, ListenAddress>> seen;
    const auto look = [&](const std::string& key) {
      const auto address = parse_listen_address(s.text(key));
      if (!address) return;
      const auto first = std::find_if(seen.begin(), seen.end(),
                                      [&](const auto& earlier) { return overlap(earlier.second, *address); });
      if (first == seen.end()) {
        seen.emplace_back(key, *address);
        return;
      }
      // The one somebody wrote is the one to change.
      const auto& [mine, other] =
          s.origin(key) == "default" ? std::pair{first->first, key} : std::pair{key, first->first};
      if (s.text(mine) == s.text(other)) {
        complain(mine,
                 fmt::format("\"{}\" is also the address of {}; allowed are different addresses", s.text(mine), other));
      } else {
        complain(mine, fmt::format("\"{}\" and \"{}\" of {} are one address and port to the kernel; allowed is another "
                                   "port, or hosts of which none holds the other",
                                   s.text(mine), s.text(other), other));
      }
    };
    for (std::size_t i = 0; i < s.count("listeners"); ++i) look(item("listeners", i) + ".address");
    look("ops.address");
    look("admin.address");
  }
};

class RouteChecker : public Checker {
 public:
  using Checker::Checker;
  void run() {
    for (std::size_t i = 0; i < s.count("listeners"); ++i) listeners_.push_back(listener_name(s, i));
    for (std::size_t i = 0; i < s.count("routes"); ++i) {
      const std::string route = item("routes", i);
      check_handler(route);
      check_path(route);
      check_name(route);
      check_host(route);
      check_methods(route);
      check_listener(route);
      check_headers(route);
      check_all_fields(route);
      check_redirect(route);
      check_values(route);
      check_duplicate(route, i);
    }
  }

 private:
  void check_handler(const std::string& route) {
    const auto found = handlers_of(s, route);
    if (found.size() == 1) return;
    complain(route, found.empty()
                        ? fmt::format("has no handler; allowed is one of {}", fmt::join(handler_names(), ", "))
                        : fmt::format("has the handlers {}; allowed is one", fmt::join(found, " and ")));
  }

  void check_path(const std::string& route) {
    const std::string key = route + ".path";
    const std::string path = s.text(key);
    if (!s.has(key)) return;
    const auto star = path.find('*');
    if (path.empty() || path.front() != '/') {
      complain(key, fmt::format("\"{}\" does not begin with \"/\"; allowed is \"/…\"", path));
    } else if (star != std::string::npos && (star + 1 != path.size() || path[star - 1] != '/')) {
      complain(key, fmt::format("\"{}\" has a \"*\" elsewhere than as its last segment; allowed is \"/…/*\"", path));
    } else if (path.find_first_of("?# ") != std::string::npos || !is_printable(path)) {
      complain(key, fmt::format("\"{}\" holds a character that no path has; allowed is a path without query", path));
    }
  }

  // Requests without a route, or beyond the room for names, are counted under such a name: the router refuses it too.
  void check_name(const std::string& route) {
    const std::string key = route + ".name";
    if (!s.text(key).starts_with('_')) return;
    complain(key,
             fmt::format("\"{}\" begins with \"_\", as the server's own do in metrics (_unmatched, _other); allowed "
                         "is another name",
                         s.text(key)));
  }

  void check_host(const std::string& route) {
    const std::string key = route + ".host";
    if (!s.has(key)) return;
    const std::string host = s.text(key);
    if (is_host(std::string_view{host}.substr(host.starts_with("*.") ? 2 : 0))) return;
    complain(key, fmt::format("\"{}\" is no host; allowed is a name or address without port, or \"*.name\"", host));
  }

  void check_methods(const std::string& route) {
    const std::string key = route + ".methods";
    if (!s.has(key)) return;
    if (s.texts(key).empty()) complain(key, "is empty; allowed is at least one method, or no such key");
    for (const std::string& method : s.texts(key)) {
      const Method parsed = parse_method(method);
      if (parsed == Method::other || parsed == Method::connect) {
        complain(key, fmt::format("\"{}\" is no method served here, allowed are GET, HEAD, POST, PUT, DELETE, OPTIONS, "
                                  "TRACE, PATCH",
                                  method));
      } else if (s.has(route + ".static") && parsed != Method::get && parsed != Method::head) {
        complain(key, fmt::format("\"{}\" is not for files, allowed are GET and HEAD", method));
      }
    }
  }

  void check_listener(const std::string& route) {
    const std::string key = route + ".listener";
    if (!s.has(key)) return;
    if (std::find(listeners_.begin(), listeners_.end(), s.text(key)) != listeners_.end()) return;
    complain(key, fmt::format("\"{}\" is no listener, allowed: {}", s.text(key), fmt::join(listeners_, ", ")));
  }

  void check_headers(const std::string& route) {
    const std::string key = route + ".headers";
    for (const auto& [name, value] : s.text_map(key)) {
      if (!http::is_token(name)) {
        complain(key, fmt::format("\"{}\" is no field name, allowed are letters, digits and !#$%&'*+-.^_`|~", name));
      } else if (http::is_no_field_of_routes(name)) {
        complain(key, fmt::format("\"{}\" is set by the server itself; allowed are other fields", name));
      } else if (const auto setter = setter_of(route, name); !setter.empty()) {
        complain(key, fmt::format("\"{}\" is set by \"{}\" itself, and an answer has it once; allowed are other fields",
                                  name, setter));
      } else if (!is_printable(value)) {
        complain(key, fmt::format("\"{}\" has a value with control characters; allowed is text on one line", name));
      } else if (http::has_outer_blank(value)) {
        complain(key, fmt::format("\"{}\" has a value that {}", name, kOuterBlank));
      } else if (value.size() > kFieldValueMaxBytes) {
        complain(key, fmt::format("\"{}\": {}", name, too_long(value.size())));
      }
    }
  }

  /// The key that has the server set this field on answers of the route; empty when there is none.
  [[nodiscard]] std::string_view setter_of(const std::string& route, std::string_view name) const {
    for (const auto& [handler, field] : kHandlerFields) {
      if (http::equals_ignoring_case(name, field) && s.has(fmt::format("{}.{}", route, handler))) return handler;
    }
    if (s.boolean("request_ids") && http::equals_ignoring_case(name, "X-Request-Id")) return "request_ids";
    return !s.text("server_field").empty() && http::equals_ignoring_case(name, "Server") ? "server_field" : "";
  }

  void check_all_fields(const std::string& route) {
    constexpr std::size_t kEach = 32;  // RFC 9113 §6.5.2
    std::size_t bytes = 0;
    for (const auto& [name, value] : s.text_map(route + ".headers")) bytes += name.size() + value.size() + kEach;
    for (const char* own : {".respond.content_type", ".static.cache_control", ".redirect.to"}) {
      bytes += s.text(route + own).size();
    }
    if (bytes <= kRouteFieldsMaxBytes) return;
    complain(route + ".headers", fmt::format("the fields of this route are {} bytes, {} beside each name and value; "
                                             "allowed are {} at most in one answer",
                                             bytes, kEach, kRouteFieldsMaxBytes));
  }

  void check_redirect(const std::string& route) {
    if (!s.has(route + ".redirect")) return;
    const auto code = s.number(route + ".redirect.code").value_or(308);
    const auto last = kRedirectCodes.end() - 1;
    if (std::find(kRedirectCodes.begin(), kRedirectCodes.end(), code) == kRedirectCodes.end()) {
      complain(route + ".redirect.code", fmt::format("{} is no redirect, allowed are {} and {}", code,
                                                     fmt::join(kRedirectCodes.begin(), last, ", "), *last));
    }
    const std::string key = route + ".redirect.to";
    if (!s.has(key)) return;
    const std::string to = s.text(key);
    if (to.empty() || !is_printable(to) || to.find_first_of(" \t") != std::string::npos) {
      complain(key, "is no target; allowed is a URL or path without blanks and control characters");
    } else if (to.size() > kFieldValueMaxBytes) {
      complain(key, too_long(to.size()));
    }
    check_placeholders(key, to, s.text(route + ".path"));
    if (const std::string_view name = host_naming_placeholder(to); !name.empty()) {
      complain(key, fmt::format("\"{{{0}}}\" could name any host here; allowed is it behind a \"/\", as in "
                                "\"https://{{host}}/{{{0}}}\" or \"/{{{0}}}\"",
                                name));
    }
  }

  void check_placeholders(const std::string& key, std::string_view to, std::string_view path) {
    while (true) {
      const auto open = to.find('{');
      if (open == std::string_view::npos) return;
      const auto close = to.find('}', open);
      const std::string name{to.substr(open + 1, close == std::string_view::npos ? close : close - open - 1)};
      const bool is_known = name == "host" || name == "authority" || name == "path" || name == "query" ||
                            (name == "rest" && path.ends_with("*")) ||
                            path.find("{" + name + "}") != std::string_view::npos;
      if (close == std::string_view::npos || !is_known) {
        return complain(
            key, fmt::format("\"{{{}}}\" is not known here, allowed are {{host}}, {{authority}}, {{path}}, {{query}}, "
                             "{{rest}} behind a \"*\" and parameters of the path",
                             name));
      }
      to.remove_prefix(close + 1);
    }
  }

  void check_values(const std::string& route) {
    for (const char* name : {".respond.content_type", ".static.cache_control"}) {
      if (!is_printable(s.text(route + name))) {
        complain(route + name, "holds control characters; allowed is text on one line");
      } else if (http::has_outer_blank(s.text(route + name))) {
        complain(route + name, std::string{kOuterBlank});
      } else if (const std::size_t size = s.text(route + name).size(); size > kFieldValueMaxBytes) {
        complain(route + name, too_long(size));
      }
    }
    for (const std::string& index : s.texts(route + ".static.index")) {
      if (index.empty() || index.find('/') != std::string::npos) {
        complain(route + ".static.index",
                 fmt::format("\"{}\" is no file name; allowed is a name without \"/\"", index));
      }
    }
    if (const std::string key = route + ".static.fallback"; !stays_below(s.text(key))) {
      complain(key,
               fmt::format("\"{}\" can never be sent; allowed is a file below \"root\", without \"/\" in front and "
                           "without \"..\"",
                           s.text(key)));
    }
    const auto code = s.number(route + ".respond.code").value_or(200);
    if ((code == 204 || code == 205 || code == 304) && !s.text(route + ".respond.body").empty()) {
      complain(route + ".respond.body", fmt::format("{} never has a body; allowed is an empty one", code));
    }
  }

  void check_duplicate(const std::string& route, std::size_t index) {
    auto methods = s.texts(route + ".methods");
    std::sort(methods.begin(), methods.end());
    const std::string identity = fmt::format("{}\n{}\n{}\n{}", s.text(route + ".path"), s.text(route + ".host"),
                                             s.text(route + ".listener"), fmt::join(methods, ","));
    const auto [first, is_new] = seen_.emplace(identity, index);
    if (!is_new) {
      complain(route + ".path", fmt::format("\"{}\" is already routed by routes[{}]; allowed is one route for the same "
                                            "path, host, listener and methods",
                                            s.text(route + ".path"), first->second));
    }
  }

  std::vector<std::string> listeners_;
  std::map<std::string, std::size_t> seen_;
};

class SurfaceChecker : public Checker {
 public:
  using Checker::Checker;
  void run() {
    check_tls("admin.tls");
    check_hosts();
    if (auto problem = admin_exposure(s, s.text("admin.address"))) complain("admin.address", std::move(*problem));
  }

 private:
  // Compared with the host of a request without its port: anything else would let nobody in.
  void check_hosts() {
    for (const std::string& host : s.texts("admin.hosts")) {
      const bool is_address = host.find(':') != std::string::npos && is_host("[" + host + "]");
      if (host == "*" || is_address || is_host(std::string_view{host}.substr(host.starts_with("*.") ? 2 : 0))) continue;
      complain("admin.hosts",
               fmt::format("\"{}\" can never match; allowed is a name or address without port, \"*.name\", or \"*\" "
                           "for every host",
                           host));
    }
  }
};

}  // namespace

std::optional<std::string> admin_exposure(const Settings& settings, std::string_view address) {
  const auto parsed = parse_listen_address(address);
  if (!parsed || parsed->is_loopback) return std::nullopt;
  if (!settings.has("admin.tokens_file")) {
    return fmt::format(
        "\"{}\" is not a loopback address and there are no tokens; allowed is 127.0.0.1 or [::1], or \"tokens_file\" "
        "with a line made by: {}",
        address, kHowToMakeAToken);
  }
  if (settings.has("admin.tls") || settings.boolean("admin.cleartext")) return std::nullopt;
  return fmt::format(
      "\"{}\" is not a loopback address and tokens would travel in the clear; allowed is \"tls\", or \"cleartext\": "
      "true when something in front encrypts",
      address);
}

std::string listener_name(const Settings& settings, std::size_t index) {
  const std::string listener = item("listeners", index);
  if (settings.has(listener + ".name")) return settings.text(listener + ".name");
  return settings.has(listener + ".tls") ? "https" : "http";
}

std::vector<std::string> handlers_of(const Settings& settings, const std::string& route) {
  std::vector<std::string> found;
  for (const std::string_view handler : handler_names()) {
    if (settings.has(fmt::format("{}.{}", route, handler))) found.emplace_back(handler);
  }
  return found;
}

void check_listeners(const Settings& settings, std::vector<ConfigProblem>& problems) {
  ListenerChecker{settings, problems}.run();
}
void check_surfaces(const Settings& settings, std::vector<ConfigProblem>& problems) {
  SurfaceChecker{settings, problems}.run();
}
void check_routes(const Settings& settings, std::vector<ConfigProblem>& problems) {
  RouteChecker{settings, problems}.run();
}

void check_texts(const Settings& settings, std::vector<ConfigProblem>& problems) {
  const std::string server_field = settings.text("server_field");
  if (server_field.size() > kFieldValueMaxBytes) {
    problems.push_back({settings.origin("server_field"), "server_field", too_long(server_field.size())});
  } else if (!is_printable(server_field)) {
    problems.push_back({settings.origin("server_field"), "server_field",
                        "holds control characters; allowed is text on one line, or none"});
  } else if (http::has_outer_blank(server_field)) {
    problems.push_back({settings.origin("server_field"), "server_field", std::string{kOuterBlank}});
  }
  constexpr std::pair<const char*, const char*> kLogs[] = {{"log.target", "\"stdout\", \"stderr\", \"off\" or a file"},
                                                           {"log.access", "\"off\", \"-\" or a file"}};
  for (const auto& [path, allowed] : kLogs) {
    if (!settings.text(path).empty()) continue;
    problems.push_back({settings.origin(path), path, fmt::format("is empty; allowed is {}", allowed)});
  }
}

void check_limits(const Settings& settings, std::vector<ConfigProblem>& problems) {
  const auto head = settings.number("limits.request_head").value_or(0);
  const auto target = settings.number("limits.request_target").value_or(0);
  if (target > head) {
    const bool is_target_written = settings.origin("limits.request_target") != "default";
    const char* key = is_target_written ? "limits.request_target" : "limits.request_head";
    problems.push_back(
        {settings.origin(key), key,
         fmt::format("a request target ({}) may not be longer than the whole head ({}); allowed is a "
                     "limits.request_target of at most limits.request_head",
                     format_size(static_cast<std::uint64_t>(target)), format_size(static_cast<std::uint64_t>(head)))});
  }
}

}  // namespace equinox::appliance
