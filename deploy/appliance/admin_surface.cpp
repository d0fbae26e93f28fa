#include "admin_surface.hpp"

#include <equinox/metrics.hpp>

#include "base/log_record.hpp"
#include "build_facts.hpp"
#include "handlers/status.hpp"
#include "server/server_internal.hpp"
#include "surfaces.hpp"
#ifdef EQUINOX_HAS_ADMIN
#include <equinox/admin.hpp>
#endif

namespace equinox::appliance {

#ifdef EQUINOX_HAS_ADMIN

struct AdminUsage : admin::Usage {};

AdminFactsSource facts_of(std::shared_ptr<AdminUsage> usage) {
  return [usage = std::move(usage)] {
    metrics::AdminFacts out;
    for (admin::Usage::Topic& topic : usage->topics()) {
      out.topics.push_back({std::move(topic.topic), topic.clients, topic.dropped_events});
    }
    for (admin::Usage::Action& action : usage->actions()) {
      out.actions.push_back({std::move(action.action), std::move(action.result), std::move(action.role), action.count});
    }
    return out;
  };
}

#else

struct AdminUsage {};

AdminFactsSource facts_of(std::shared_ptr<AdminUsage>) { return {}; }

#endif

std::shared_ptr<AdminUsage> make_admin_usage() { return std::make_shared<AdminUsage>(); }

namespace {

#ifdef EQUINOX_HAS_ADMIN

admin::Actions make_actions(const ApplianceConfig& config, Server& traffic, ReloadAction reload) {
  admin::Actions actions;
  actions.close = [&traffic](ConnectionId id, CloseReason reason, const std::string& actor) {
    return traffic.close(id, reason, actor);
  };
  actions.drain = [&traffic](const std::string& actor) { traffic.drain(true, actor); };
  actions.undrain = [&traffic] { return traffic.undrain(); };
  actions.reload = [reload = std::move(reload)] {
    ReloadOutcome outcome = reload();
    return admin::ReloadOutcome{std::move(outcome.error), std::move(outcome.changed)};
  };
  actions.log_levels = std::make_shared<admin::LogLevels>(config.traffic.log.level,
                                                          [&traffic](LogLevel level) { traffic.set_log_level(level); });
  return actions;
}

admin::Options make_options(const ApplianceConfig& config, Server& traffic) {
  admin::Options options;
  options.tokens_file = config.admin.tokens_file;
  options.read_only = config.admin.read_only;
  options.hosts = admin_hosts(config.admin);
  options.show_query_values = config.traffic.redaction.show_query_values;
  options.truncate_client_address = config.traffic.redaction.truncate_client_address;
  options.stream_clients_max = config.admin.viewers;
  options.config_file = config.file;
  const BuildFacts facts = build_facts();
  options.build = {{"revision", facts.revision},
                   {"compiler", facts.compiler},
                   {"tls", facts.tls},
                   {"llhttp", facts.llhttp},
                   {"nghttp2", facts.nghttp2}};
  options.on_audit = [&traffic](const admin::AuditLine& line) {
    // What the server itself could not do is for whoever runs it; a refused action is the business of who asked.
    const bool is_trouble = line.actor == "server" && line.result == "failed";
    traffic.internal().server_log.write(
        LogRecord{is_trouble ? LogLevel::warning : LogLevel::info, LogComponent::admin, "audit"}
            .add("actor", line.actor)
            .add("role", line.role)
            .add("action", line.action)
            .add("result", line.result)
            .add("reason", line.reason)
            .add("what", line.what));  // last: as long as who asked likes, and a record has an end
  };
  return options;
}

void mount_dashboard(const ApplianceConfig& config, Server& traffic, ReloadAction reload, AdminSurface& surface,
                     const std::shared_ptr<AdminUsage>& usage) {
  admin::Options options = make_options(config, traffic);
  options.usage = usage;
  admin::Actions actions = make_actions(config, traffic, std::move(reload));
  surface.log_level_reloaded = [levels = actions.log_levels](LogLevel level) { levels->reload(level); };
  surface.server->mount("/admin", admin::routes(traffic.view(), std::move(actions), std::move(options)));
}

/// Whoever may not look at the dashboard may not read its figures either.
void guard(Routes& page, const ApplianceConfig& config, Server& traffic) {
  page.before(admin::viewers_only(make_options(config, traffic)));
}

#else

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Equinox</title></head>
<body><h1>Equinox</h1>
<p>This binary was built without the dashboard and its API.</p>
<ul><li><a href="/metrics">Metrics</a></li><li><a href="/admin/status">Status</a></li></ul>
</body></html>
)";

void mount_dashboard(const ApplianceConfig&, Server& traffic, const ReloadAction&, AdminSurface& surface,
                     const std::shared_ptr<AdminUsage>&) {
  surface.server->get("/admin/", [](const Request&) { return Response::literal(kPage, "text/html; charset=utf-8"); });
  surface.server->get("/admin/status", handlers::status(traffic.view()));
}

void guard(Routes&, const ApplianceConfig&, Server&) {}

#endif

}  // namespace

AdminSurface make_admin(const ApplianceConfig& config, Server& traffic, ReloadAction reload,
                        const std::shared_ptr<AdminUsage>& usage) {
  if (!config.admin.is_on) return {};
  ServerConfig server = surface_config(config, "admin", config.admin.address);
  server.listeners.front().tls = config.admin.tls;
  server.listeners.front().inherited = config.admin.inherited;
  server.limits.http2_concurrent_streams += config.admin.viewers;  // a browser's tabs may share one connection
  AdminSurface surface{std::make_unique<Server>(std::move(server))};
  surface.server->get("/", [](const Request&) { return Response::redirect("/admin/"); });
  mount_dashboard(config, traffic, std::move(reload), surface, usage);
  surface.server->group("/metrics", [&](Routes& page) {
    guard(page, config, traffic);
    page.get("/", metrics::exposition(traffic.view(), metrics_options(config, facts_of(usage))));
  });
  return surface;
}

}  // namespace equinox::appliance
