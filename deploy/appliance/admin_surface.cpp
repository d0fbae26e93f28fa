#include "admin_surface.hpp"

#include <equinox/metrics.hpp>

#include "handlers/status.hpp"
#include "surfaces.hpp"

namespace equinox::appliance {
namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Equinox</title></head>
<body><h1>Equinox</h1>
<p>This binary was built without the dashboard.</p>
<ul><li><a href="/metrics">Metrics</a></li><li><a href="/admin/status">Status</a></li></ul>
</body></html>
)";

}  // namespace

std::unique_ptr<Server> make_admin(const ApplianceConfig& config, Server& traffic, ReloadAction reload) {
  if (!config.admin.is_on) return nullptr;
  ServerConfig surface = surface_config(config, "admin", config.admin.address);
  surface.listeners.front().tls = config.admin.tls;
  auto server = std::make_unique<Server>(std::move(surface));
  static_cast<void>(reload);
  server->get("/", [](const Request&) { return Response::redirect("/admin/"); });
  server->get("/admin/", [](const Request&) { return Response::literal(kPage, "text/html; charset=utf-8"); });
  server->get("/admin/status", handlers::status(traffic.view()));
  server->get("/metrics", metrics::exposition(traffic.view(), metrics_options(config)));
  return server;
}

}  // namespace equinox::appliance
