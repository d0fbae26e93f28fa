#include "site.hpp"

#include <fmt/format.h>

#include <equinox/metrics.hpp>
#include <equinox/response.hpp>
#include <stdexcept>
#include <utility>

#include "handlers/file_store.hpp"
#include "handlers/respond.hpp"
#include "handlers/static_files.hpp"
#include "handlers/status.hpp"
#include "http/router.hpp"
#include "net/tls_context.hpp"
#include "server/settings.hpp"
#include "surfaces.hpp"

namespace equinox::appliance {
namespace {

std::vector<Method> methods_of(const RouteConfig& route) {
  if (!route.methods.empty()) return route.methods;
  switch (route.handler) {
    case RouteHandler::static_files:
    case RouteHandler::status:
    case RouteHandler::metrics:
    case RouteHandler::health:
    case RouteHandler::welcome: return {Method::get, Method::head};
    default: return {};
  }
}

RouteOptions options_of(const RouteConfig& route) {
  RouteOptions out;
  out.name = route.name;
  out.host = route.host;
  out.listener = route.listener;
  out.request_body_max_bytes = route.request_body_max_bytes;
  out.response_fields = route.headers;
  return out;
}

Handler make_static(const RouteConfig& route, const SiteParts& parts) {
  handlers::StaticOptions options;
  options.root = route.static_root;
  options.index = route.static_index;
  options.fallback = route.static_fallback;
  options.listing = route.static_listing;
  options.precompressed = route.static_precompressed;
  options.compress = route.static_compress;
  options.compressed_cache_bytes = route.static_compressed_cache_bytes;
  options.cache_control = route.static_cache_control;
  options.open_files_max = route.static_open_files;
  options.offload = parts.offload;
  return handlers::static_files(std::move(options));
}

/// Each part is loaded by itself: every mistake shows, each at its own key.
void check_tls(const Settings& s, const std::string& path, const TlsConfig& tls, std::vector<ConfigProblem>& problems) {
  const auto look = [&](const net::TlsSettings& part, const std::string& certificate) {
    const auto loaded = net::TlsContext::load(part);
    if (loaded) return;
    std::string key = path;
    std::string_view allowed = "a certificate and rules that OpenSSL takes";
    switch (loaded.error().part) {
      case net::TlsPart::ciphers:
        key += ".ciphers";
        allowed = "a list in OpenSSL's syntax such as \"ECDHE+AESGCM\", or none";
        break;
      case net::TlsPart::certificate:
        key = certificate + ".certificate";
        allowed = "a PEM file, the leaf first, then its chain";
        break;
      case net::TlsPart::key:
        key = certificate + ".key";
        allowed = "the PEM file of the certificate's private key, without a passphrase";
        break;
      case net::TlsPart::other: break;
    }
    problems.push_back({s.origin(key), key, fmt::format("{}; allowed is {}", loaded.error().text, allowed)});
  };
  net::TlsSettings rules = server::tls_settings(tls);
  const std::vector<net::TlsCertificateFiles> certificates = std::exchange(rules.certificates, {});
  rules.self_signed = true;
  look(rules, path);
  for (std::size_t i = 0; i < certificates.size(); ++i) {
    net::TlsSettings alone;
    alone.certificates = {certificates[i]};
    look(alone, fmt::format("{}.certificates[{}]", path, i));
  }
}

}  // namespace

Handler make_handler(const RouteConfig& route, const ApplianceConfig& config, const SiteParts& parts) {
  const bool needs_view = route.handler == RouteHandler::status || route.handler == RouteHandler::metrics ||
                          route.handler == RouteHandler::health;
  if (needs_view && parts.view == nullptr) return [](const Request&) { return Response::error(503); };
  switch (route.handler) {
    case RouteHandler::status: return handlers::status(*parts.view);
    case RouteHandler::redirect: return handlers::redirect(route.redirect_to, route.redirect_code);
    case RouteHandler::respond:
      return handlers::respond(route.respond_code, route.respond_content_type, route.respond_body);
    case RouteHandler::static_files: return make_static(route, parts);
    case RouteHandler::echo: return handlers::echo();
    case RouteHandler::metrics: return metrics::exposition(*parts.view, metrics_options(config));
    case RouteHandler::health:
      return route.health_is_live ? handlers::livez(*parts.view, config.ops.livez_limit)
                                  : handlers::readyz(*parts.view);
    case RouteHandler::welcome: break;
  }
  return handlers::welcome(parts.dashboard);
}

Routes make_site(const ApplianceConfig& config, const SiteParts& parts) {
  Routes site;
  for (const RouteConfig& route : config.routes) {
    site.add(methods_of(route), route.path, make_handler(route, config, parts), options_of(route));
  }
  return site;
}

std::vector<ConfigProblem> check_certificates(const ApplianceConfig& config) {
  std::vector<ConfigProblem> problems;
  for (std::size_t i = 0; i < config.traffic.listeners.size(); ++i) {
    const auto& tls = config.traffic.listeners[i].tls;
    if (tls) check_tls(config.settings, fmt::format("listeners[{}].tls", i), *tls, problems);
  }
  if (config.admin.is_on && config.admin.tls) check_tls(config.settings, "admin.tls", *config.admin.tls, problems);
  return problems;
}

std::vector<ConfigProblem> check_fallbacks(const ApplianceConfig& config) {
  std::vector<ConfigProblem> problems;
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const RouteConfig& route = config.routes[i];
    if (route.handler != RouteHandler::static_files || route.static_fallback.empty()) continue;
    const std::string key = fmt::format("routes[{}].static.fallback", i);
    try {
      // As the handler opens it: what leads out of the root is not there.
      handlers::FileStore files{route.static_root, 0};
      if (files.find(route.static_fallback).status == handlers::LookupStatus::found) continue;
      problems.push_back({config.settings.origin(key), key,
                          fmt::format("\"{}\" cannot be read below \"{}\"; allowed is a file that is there",
                                      route.static_fallback, route.static_root)});
    } catch (const std::invalid_argument&) {  // NOLINT(bugprone-empty-catch): check_files() tells of the root
    }
  }
  return problems;
}

namespace {

std::vector<ConfigProblem> check_settings(const ServerConfig& traffic, const std::string& file) {
  try {
    static_cast<void>(server::make_settings(
        traffic, Routes{}, [](std::string_view) { return kRouteUnmatched; }, nullptr));
    return {};
  } catch (const std::invalid_argument& mistake) {
    return {{file.empty() ? "command line" : file, "", mistake.what()}};
  }
}

}  // namespace

std::vector<ConfigProblem> check_rules(const ApplianceConfig& config) {
  std::vector<ConfigProblem> problems;
  http::Router router;
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const std::string key = fmt::format("routes[{}].path", i);
    try {
      RouteEntry entry{methods_of(config.routes[i]),
                       config.routes[i].path,
                       options_of(config.routes[i]),
                       SyncHandler{[](const Request&) { return Response{}; }},
                       {},
                       {}};
      router.add(std::move(entry));
    } catch (const std::invalid_argument& mistake) {
      problems.push_back({config.settings.origin(key), key, mistake.what()});
    }
  }
  if (!problems.empty()) return problems;
  ServerConfig without_files = config.traffic;
  for (ListenerConfig& listener : without_files.listeners) listener.tls.reset();
  return check_settings(without_files, config.file);
}

std::vector<ConfigProblem> check_site(const ApplianceConfig& config) {
  std::vector<ConfigProblem> problems = check_certificates(config);
  for (auto check : {check_fallbacks, check_rules}) {
    const auto more = check(config);
    problems.insert(problems.end(), more.begin(), more.end());
  }
  return problems.empty() ? check_settings(config.traffic, config.file) : problems;
}

}  // namespace equinox::appliance
