#include "server/settings.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string_view>

#include "http/headers.hpp"
#include "server/machine.hpp"

namespace equinox::server {

namespace {

constexpr std::uint32_t kDescriptorReserve = 64;  // listeners, logs, files being served, epoll and event descriptors

std::vector<Network> parse_networks(const std::vector<std::string>& texts, const std::string& key) {
  std::vector<Network> out;
  for (const std::string& text : texts) {
    auto network = Network::parse(text);
    if (!network) throw std::invalid_argument{key + ": \"" + text + "\" is not a network such as 10.0.0.0/8"};
    out.push_back(*network);
  }
  return out;
}

}  // namespace

net::TlsSettings tls_settings(const TlsConfig& config) {
  net::TlsSettings out;
  for (const CertificateConfig& certificate : config.certificates) {
    out.certificates.push_back({certificate.name, certificate.certificate, certificate.key});
  }
  out.self_signed = config.self_signed;
  if (config.min_version != "1.2" && config.min_version != "1.3") {
    throw std::invalid_argument{"tls.min_version: \"" + config.min_version + "\" is neither 1.2 nor 1.3"};
  }
  out.min_version = config.min_version == "1.3" ? net::TlsVersion::v1_3 : net::TlsVersion::v1_2;
  out.alpn_h2 = config.http2;
  out.strict_sni = config.strict_sni;
  out.cipher_list = config.ciphers;
  return out;
}

namespace {

ListenerSettings listener_settings(const ListenerConfig& config, const ListenerSettings* previous) {
  ListenerSettings out;
  out.name = listener_name(config);
  out.is_tls = config.tls.has_value();
  out.h2c = config.h2c;
  out.proxy_protocol_from = parse_networks(config.proxy_protocol_from, "proxy_protocol.from");
  if (!config.tls) return out;
  net::TlsSettings settings = tls_settings(*config.tls);
  if (previous != nullptr && previous->tls != nullptr) {
    settings.ticket_keys = previous->tls->ticket_keys();
    // A development certificate is made once: a reload must not change what clients have come to trust.
    settings.self_signed_from = previous->tls;
  }
  auto loaded = net::TlsContext::load(settings);
  if (!loaded) throw std::invalid_argument{"listener \"" + out.name + "\": " + loaded.error().text};
  out.tls = *loaded;
  return out;
}

std::uint64_t nanoseconds(std::chrono::milliseconds value) noexcept {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds{value}.count());
}

/// Names are how metrics, pages and routes tell listeners apart.
void check_listener_names(const std::vector<ListenerSettings>& listeners, const http::Router& router) {
  std::set<std::string_view> names;
  for (const ListenerSettings& listener : listeners) {
    if (!names.insert(listener.name).second) {
      throw std::invalid_argument{"listeners: two are named \"" + listener.name + "\"; give each a name of its own"};
    }
  }
  for (const auto& route : router.routes()) {
    const std::string& wanted = route->options.listener;
    if (!wanted.empty() && !names.contains(wanted)) {
      throw std::invalid_argument{"route \"" + route->pattern + "\": there is no listener \"" + wanted + "\""};
    }
  }
}

void require(bool is_fine, const char* message) {
  if (!is_fine) throw std::invalid_argument{message};
}

void validate(const ServerConfig& config) {
  require(!config.listeners.empty(), "listeners: at least one is needed");
  require(config.reactors <= 255, "reactors: at most 255");
  const TimeoutConfig& timeouts = config.timeouts;
  for (const std::chrono::milliseconds value :
       {timeouts.idle, timeouts.header, timeouts.body, timeouts.handler, timeouts.write, timeouts.handshake}) {
    require(value.count() > 0, "timeouts: must be longer than 0");
  }
  for (const std::chrono::milliseconds value :
       {timeouts.linger, timeouts.ping, timeouts.ping_after, timeouts.max_age, config.drain.delay, config.drain.timeout,
        config.history.slow_threshold, config.history.stall_threshold}) {
    require(value.count() >= 0, "timeouts, drain and thresholds: must not be negative");
  }
  require(config.limits.request_head >= 256, "limits.request_head: at least 256 bytes");
  require(config.limits.request_target >= 16, "limits.request_target: at least 16 bytes");
  require(config.limits.fields >= 1 && config.limits.fields <= 65'535, "limits.fields: 1 to 65535");
  require(config.limits.http2_concurrent_streams >= 1 && config.limits.http2_concurrent_streams <= 1'000'000,
          "limits.http2_concurrent_streams: 1 to 1000000");
  require(config.limits.request_head <= 1ULL << 30U, "limits.request_head: at most 1 GiB");
  require(config.limits.http2_own_resets >= 1, "limits.http2_own_resets: at least 1");
  require(config.limits.http2_control_frames >= 10, "limits.http2_control_frames: at least 10");
  require(config.limits.http2_continuations >= 1, "limits.http2_continuations: at least 1");
  // With less room than a connection's own tables take, no second request over HTTP/2 would ever be answered.
  require(config.limits.output_buffer >= 64 * 1024, "limits.output_buffer: at least 64 KiB");
  require(config.limits.connections <= 16'000'000, "limits.connections: at most 16000000");
  const HistoryConfig& history = config.history;
  for (const std::uint32_t entries :
       {history.closed, history.slow, history.samples, history.recent, history.stalls, history.events, history.log}) {
    require(entries <= 10'000'000, "history: at most 10000000 of each kind");
  }
  require(history.log <= 8'000'000, "history.log: at most 8000000");
  require(config.workers.threads <= 256, "workers.threads: at most 256");
  for (const ListenerConfig& listener : config.listeners) {
    require(listener.defer_accept.count() >= 0 && listener.defer_accept <= std::chrono::seconds{60},
            "listeners: defer_accept is 0 to 60 s");
  }
  require(http::all_octets(config.server_field, http::kFieldValue),
          "server_field: control characters, allowed is text on one line, or none");
  require(!http::has_outer_blank(config.server_field), "server_field: blanks around it, allowed is text without them");
  require(config.log.format == "text" || config.log.format == "json", "log.format: neither text nor json");
  require(config.log.access_format == "combined" || config.log.access_format == "json",
          "log.access_format: neither combined nor json");
}

}  // namespace

http::Limits protocol_limits(const LimitConfig& limits) {
  http::Limits out;
  out.head_max_bytes = limits.request_head;
  out.target_max_bytes = limits.request_target;
  out.fields_max_count = limits.fields;
  out.body_max_bytes = limits.request_body;
  out.h2_concurrent_streams = limits.http2_concurrent_streams;
  // A browser that leaves a page cancels all its streams at once: twice as many are no abuse.
  out.h2_reset_burst = limits.http2_resets != 0 ? limits.http2_resets : 2 * limits.http2_concurrent_streams;
  out.h2_own_reset_burst = limits.http2_own_resets;
  out.h2_own_reset_per_second = std::max(1U, limits.http2_own_resets / 10);
  out.h2_control_burst = limits.http2_control_frames;
  out.h2_control_per_second = std::max(1U, limits.http2_control_frames / 5);
  out.h2_max_continuations = limits.http2_continuations;
  out.trailers_max_bytes = limits.trailers;
  out.chunk_overhead_max_bytes = limits.chunk_overhead;
  return out;
}

ServerConfig with_bounded_times(ServerConfig config) noexcept {
  TimeoutConfig& timeouts = config.timeouts;
  for (std::chrono::milliseconds* value :
       {&timeouts.idle, &timeouts.header, &timeouts.body, &timeouts.handler, &timeouts.write, &timeouts.handshake,
        &timeouts.linger, &timeouts.ping, &timeouts.ping_after, &timeouts.max_age, &config.drain.delay,
        &config.drain.timeout, &config.history.slow_threshold, &config.history.stall_threshold}) {
    *value = std::min(*value, kLongest);
  }
  return config;
}

std::string listener_name(const ListenerConfig& listener) {
  return !listener.name.empty() ? listener.name : listener.tls ? "https" : "http";
}

std::uint32_t connection_limit(const LimitConfig& limits) {
  if (limits.connections != 0) {
    if (std::uint64_t{limits.connections} + kDescriptorReserve > descriptor_limit()) raise_descriptor_limit();
    return limits.connections;
  }
  const std::uint64_t descriptors = std::min<std::uint64_t>(raise_descriptor_limit(), kDescriptorsAtMost);
  return static_cast<std::uint32_t>(descriptors > 2 * kDescriptorReserve ? descriptors - kDescriptorReserve
                                                                         : descriptors / 2);
}

std::shared_ptr<const Settings> make_settings(const ServerConfig& config, const Routes& routes,
                                              const RouteNumbering& number_of, const Settings* previous) {
  validate(config);
  auto out = std::make_shared<Settings>();
  out->router = http::Router{routes};
  for (const auto& route : out->router.routes()) out->route_ids.push_back(number_of(route->options.name));
  out->limits = protocol_limits(config.limits);
  out->bounds = config.limits;
  out->timeouts = config.timeouts;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const ListenerSettings* before =
        previous != nullptr && i < previous->listeners.size() ? &previous->listeners[i] : nullptr;
    out->listeners.push_back(listener_settings(config.listeners[i], before));
  }
  check_listener_names(out->listeners, out->router);
  out->trusted_proxies = parse_networks(config.trusted_proxies, "trusted_proxies");
  out->slow_ns = nanoseconds(config.history.slow_threshold);
  out->stall_ns = nanoseconds(config.history.stall_threshold);
  out->request_ids = config.request_ids;
  out->redaction = config.redaction;
  out->access_log = config.log.access != "off";
  return out;
}

}  // namespace equinox::server
