#include "surfaces.hpp"

#include <fmt/format.h>

#include <utility>

#include "build_facts.hpp"
#include "config_values.hpp"
#include "handlers/status.hpp"
#include "net/socket_address.hpp"

namespace equinox::appliance {

metrics::Options metrics_options(const ApplianceConfig& config, const AdminFactsSource& admin) {
  metrics::Options out;
  out.admin = admin;
  out.status = config.metrics.status_class ? metrics::StatusLabel::status_class : metrics::StatusLabel::code;
  out.body_sizes = config.traffic.history.body_sizes;
  const BuildFacts facts = build_facts();
  out.build = {{"revision", facts.revision}, {"tls", facts.tls}, {"llhttp", facts.llhttp}, {"nghttp2", facts.nghttp2}};
  out.sandbox = sandbox_facts(config.sandbox_in_force);
  return out;
}

ServerConfig surface_config(const ApplianceConfig& config, std::string name, std::string address) {
  ServerConfig out;
  ListenerConfig listener;
  listener.name = name;
  listener.address = std::move(address);
  out.listeners = {std::move(listener)};
  out.name = std::move(name);
  out.reactors = 1;
  out.workers = {1, 64};
  out.limits.connections = 1024;
  // One client must not take the place of probes and of who looks, nor fill the memory with what comes before anybody
  // asks for a token. No limits.memory: it would turn away newcomers, and those are the probes.
  out.limits.connections_per_client = 512;
  out.limits.request_head = 16 * 1024;
  out.limits.request_body = 32 * 1024;  // a thousand ids of connections
  out.limits.fields = 64;
  out.limits.http2_concurrent_streams = 16;
  out.timeouts.header = std::chrono::seconds{5};
  out.timeouts.write = std::chrono::seconds{10};
  out.drain.timeout = std::chrono::milliseconds{500};
  out.log = config.traffic.log;
  out.log.access = "off";
  out.redaction = config.traffic.redaction;
  out.server_field = config.traffic.server_field;
  out.request_ids = false;
  out.observe = false;  // watching the watchers would double the memory and show nothing of the traffic
  return out;
}

std::unique_ptr<Server> make_ops(const ApplianceConfig& config, const Server& traffic, const AdminFactsSource& admin) {
  if (!config.ops.is_on) return nullptr;
  ServerConfig surface = surface_config(config, "ops", config.ops.address);
  surface.listeners.front().inherited = config.ops.inherited;
  surface.limits.request_head = 8 * 1024;
  surface.limits.request_body = 0;  // nothing here reads one
  surface.limits.http2_concurrent_streams = 8;
  auto server = std::make_unique<Server>(std::move(surface));
  server->get("/livez", handlers::livez(traffic.view(), config.ops.livez_limit));
  server->get("/readyz", handlers::readyz(traffic.view()));
  server->get("/metrics", metrics::exposition(traffic.view(), metrics_options(config, admin)));
  return server;
}

namespace {

/// Port 0 is any free one, and a socket from outside may be bound elsewhere: the sockets know, once they are open.
std::vector<ListenAddress> addresses_of(const AdminConfig& admin) {
  std::vector<ListenAddress> out;
  for (const int socket : admin.inherited) {
    const auto local = net::local_endpoint(socket);
    if (!local || !local->is_known) continue;
    if (auto address = parse_listen_address(to_string(*local))) out.push_back(std::move(*address));
  }
  if (auto configured = parse_listen_address(admin.address)) out.push_back(std::move(*configured));
  return out;
}

}  // namespace

std::string dashboard_url(const ApplianceConfig& config) {
  if (!config.admin.is_on) return "";
  const std::vector<ListenAddress> addresses = addresses_of(config.admin);
  if (addresses.empty() || addresses.front().port == 0) return "";
  const ListenAddress& address = addresses.front();
  const char* scheme = config.admin.tls ? "https" : "http";
  const bool is_v6 = address.host.find(':') != std::string::npos;
  const std::string host = address.is_any ? "127.0.0.1" : is_v6 ? "[" + address.host + "]" : address.host;
  return fmt::format("{}://{}:{}/admin/", scheme, host, address.port);
}

std::vector<std::string> admin_hosts(const AdminConfig& admin) {
  std::vector<std::string> hosts = admin.hosts;
  for (ListenAddress& address : addresses_of(admin)) {
    if (!address.is_any) hosts.push_back(std::move(address.host));
  }
  return hosts;
}

std::vector<ConfigFact> config_facts(const Settings& settings) {
  std::vector<ConfigFact> facts;
  for (const std::string& path : settings.ordered_paths()) {
    const Setting& setting = settings.all().find(path)->second;
    const KeySpec& key = *setting.key;
    ConfigFact fact;
    fact.key = path;
    fact.value = to_text(setting);
    fact.default_value = key.need == Need::defaulted ? std::string{key.fallback} : "";
    fact.origin = setting.origin;
    fact.changed = !setting.origin.ends_with("default") && !setting.origin.ends_with("default)");
    fact.reload = key.reloads ? "yes" : "restart";
    facts.push_back(std::move(fact));
  }
  return facts;
}

}  // namespace equinox::appliance
