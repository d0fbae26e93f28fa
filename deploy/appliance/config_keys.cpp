#include "config_keys.hpp"

#include <algorithm>

namespace equinox::appliance {
namespace {

using enum KeyType;
constexpr Need kDefault = Need::defaulted;
constexpr Need kOptional = Need::optional;
constexpr Need kRequired = Need::required;
constexpr bool kLive = true;
constexpr bool kRestart = false;

// clang-format off
constexpr KeySpec kKeys[] = {
    // path, type, need, default, low, high, words, reloads, flag, help
    {"listeners", list, kOptional, "", "1", "64", "", kRestart, "--listen", "Where traffic is accepted; without any, one cleartext listener on 0.0.0.0:8080."},
    {"listeners[].name", text, kOptional, "", "", "", "", kRestart, "", "Label in metrics, logs and the dashboard; `http` or `https` when left out, which only one listener each can be."},
    {"listeners[].address", address, kRequired, "", "", "", "", kRestart, "--listen", "Address and port, port 0 for any free one."},
    {"listeners[].h2c", choice, kDefault, "on", "", "", "on|prior-knowledge|off", kRestart, "", "HTTP/2 without TLS: by preface and Upgrade, by preface only, or not at all; ignored with `tls`."},
    {"listeners[].tls", section, kOptional, "", "", "", "", kRestart, "--tls-listen", "Makes it a TLS listener; whether it is one stays till a restart, the keys in it reload."},
    {"listeners[].tls.certificates", list, kOptional, "", "0", "1000", "", kLive, "", "Chosen by the server name the client asks for (SNI); the first serves everybody else."},
    {"listeners[].tls.certificates[].name", text, kDefault, "main", "", "", "", kLive, "", "Label in metrics."},
    {"listeners[].tls.certificates[].certificate", file, kRequired, "", "", "", "", kLive, "--tls-cert", "PEM file, the leaf first, then its chain."},
    {"listeners[].tls.certificates[].key", file, kRequired, "", "", "", "", kLive, "--tls-key", "PEM file of the private key."},
    {"listeners[].tls.self_signed", boolean, kDefault, "false", "", "", "", kLive, "--tls-self-signed", "A development certificate made in memory, instead of `certificates`."},
    {"listeners[].tls.min_version", choice, kDefault, "1.2", "", "", "1.2|1.3", kLive, "", "Oldest TLS version spoken."},
    {"listeners[].tls.ciphers", text, kDefault, "", "", "", "", kLive, "", "TLS 1.2 cipher list in OpenSSL's syntax; empty for ECDHE with AES-GCM or ChaCha20."},
    {"listeners[].tls.http2", boolean, kDefault, "true", "", "", "", kLive, "", "Offer HTTP/2 (`h2`) in ALPN."},
    {"listeners[].tls.strict_sni", boolean, kDefault, "false", "", "", "", kLive, "", "Refuse a server name that no certificate carries, instead of answering with the first; and with 421 a request for a name of no certificate, as one for another certificate's name always is. Who names no server is not judged."},
    {"listeners[].proxy_protocol", section, kOptional, "", "", "", "", kRestart, "", "Connections begin with a PROXY protocol header (version 1 or 2); on TLS it comes before the handshake."},
    {"listeners[].proxy_protocol.from", networks, kRequired, "", "", "", "", kRestart, "", "Networks that must send it; anybody else must not."},
    {"listeners[].defer_accept", duration, kDefault, "off", "1s", "60s", "off", kRestart, "", "TCP_DEFER_ACCEPT: the kernel holds a connection back until its first byte; silent peers are then not seen."},
    {"ops", group, kOptional, "", "", "", "", kRestart, "", "The surface for probes and metrics, with a thread of its own."},
    {"ops.address", address, kDefault, "127.0.0.1:9180", "", "", "off", kRestart, "--ops", "Serves `/livez`, `/readyz` and `/metrics`."},
    {"ops.livez_limit", duration, kDefault, "30s", "2s", "10m", "", kRestart, "", "`/livez` fails when a traffic reactor has not turned for this long."},
    {"admin", group, kOptional, "", "", "", "", kRestart, "", "The surface for the dashboard and its API, with a thread of its own."},
    {"admin.address", address, kDefault, "127.0.0.1:9181", "", "", "off", kRestart, "--admin", "Serves `/admin/`, `/admin/api/v1/` and `/metrics`."},
    {"admin.tokens_file", file, kOptional, "", "", "", "", kRestart, "", "Who may look and act; holds only hashes (see `equinox token`). Needed beyond loopback."},
    {"admin.tls", section, kOptional, "", "", "", "", kRestart, "", "TLS on the admin surface, with the same keys as on a listener."},
    {"admin.tls.certificates", list, kOptional, "", "0", "1000", "", kRestart, "", "As on a listener."},
    {"admin.tls.certificates[].name", text, kDefault, "admin", "", "", "", kRestart, "", "What messages call it; the metrics tell of the listeners' certificates only."},
    {"admin.tls.certificates[].certificate", file, kRequired, "", "", "", "", kRestart, "", "PEM file, the leaf first, then its chain."},
    {"admin.tls.certificates[].key", file, kRequired, "", "", "", "", kRestart, "", "PEM file of the private key."},
    {"admin.tls.self_signed", boolean, kDefault, "false", "", "", "", kRestart, "", "A development certificate made in memory."},
    {"admin.tls.min_version", choice, kDefault, "1.2", "", "", "1.2|1.3", kRestart, "", "Oldest TLS version spoken."},
    {"admin.tls.ciphers", text, kDefault, "", "", "", "", kRestart, "", "TLS 1.2 cipher list in OpenSSL's syntax."},
    {"admin.tls.http2", boolean, kDefault, "true", "", "", "", kRestart, "", "Offer HTTP/2 in ALPN."},
    {"admin.tls.strict_sni", boolean, kDefault, "false", "", "", "", kRestart, "", "Refuse unknown server names."},
    {"admin.cleartext", boolean, kDefault, "false", "", "", "", kRestart, "", "Allows an address beyond loopback without TLS (something in front of it encrypts)."},
    {"admin.hosts", texts, kDefault, "", "", "", "", kRestart, "", "Hosts, without port, allowed in `Host` besides loopback names and the bound address (against DNS rebinding): names, `*.example.net` for every name below it, addresses, or `*` for every host."},
    {"admin.read_only", boolean, kDefault, "false", "", "", "", kRestart, "", "Refuses every action, whoever asks."},
    {"admin.viewers", integer, kDefault, "16", "1", "256", "", kRestart, "", "Most dashboards (event streams) connected at once."},
    {"trusted_proxies", networks, kDefault, "", "", "", "", kRestart, "", "Networks whose `Forwarded` or `X-Forwarded-For` names the client."},
    {"routes", list, kOptional, "", "0", "2000", "", kLive, "--root", "Tried in order, the first match wins. When left out: the welcome page at `/` and `status` at `/api/status`; `[]` is no route at all, and every request 404."},
    {"routes[].path", text, kRequired, "", "", "", "", kLive, "", "Begins with `/`; `{name}` is one segment, a `*` at the end is the rest."},
    {"routes[].name", text, kOptional, "", "", "", "", kLive, "", "Label in metrics and the dashboard, without `_` in front; the path when left out."},
    {"routes[].host", text, kOptional, "", "", "", "", kLive, "", "Only requests for this host; `*.example.net` for every name below it."},
    {"routes[].methods", texts, kOptional, "", "", "", "", kLive, "", "Only these methods; without it, every method its handler takes."},
    {"routes[].listener", text, kOptional, "", "", "", "", kLive, "", "Only connections of this listener."},
    {"routes[].headers", text_map, kOptional, "", "", "", "", kLive, "", "Fields added to every answer of the route, none that the server or its handler sets; a value of 8192 bytes at most, and 32768 in all, 32 for each field besides its name and value."},
    {"routes[].request_body", size, kOptional, "", "0", "1024G", "", kLive, "", "Largest request body in bytes, instead of `limits.request_body`."},
    {"routes[].status", section, kOptional, "", "", "", "", kLive, "", "Answers the server's state as JSON."},
    {"routes[].redirect", section, kOptional, "", "", "", "", kLive, "", "Sends the client elsewhere."},
    {"routes[].redirect.to", text, kRequired, "", "", "", "", kLive, "", "Where to; `{host}` (without its port), `{authority}` (host and port as asked for), `{path}`, `{query}`, `{rest}` and path parameters are replaced, encoded so that none can leave the path or the query it stands in; a `?` in front of an empty `{query}` goes."},
    {"routes[].redirect.code", integer, kDefault, "308", "301", "308", "", kLive, "", "301, 302, 303, 307 or 308."},
    {"routes[].respond", section, kOptional, "", "", "", "", kLive, "", "A fixed answer."},
    {"routes[].respond.code", integer, kDefault, "200", "200", "599", "", kLive, "", "Status code."},
    {"routes[].respond.content_type", text, kDefault, "text/plain; charset=utf-8", "", "", "", kLive, "", "Content-Type of the body."},
    {"routes[].respond.body", text, kDefault, "", "", "", "", kLive, "", "The body, as it is."},
    {"routes[].static", section, kOptional, "", "", "", "", kLive, "--root", "Files below a folder."},
    {"routes[].static.root", file, kRequired, "", "", "", "", kLive, "--root", "The folder; nothing outside of it is ever sent."},
    {"routes[].static.index", texts, kDefault, "index.html", "", "", "", kLive, "", "Files that answer for a folder, tried in order."},
    {"routes[].static.fallback", text, kOptional, "", "", "", "", kLive, "", "File below `root` that answers when nothing else does (single-page applications)."},
    {"routes[].static.listing", boolean, kDefault, "false", "", "", "", kLive, "", "Lists a folder that has no index."},
    {"routes[].static.precompressed", boolean, kDefault, "true", "", "", "", kLive, "", "Sends `file.br`, `file.zst` or `file.gz` beside the file where the client takes it."},
    {"routes[].static.compress", boolean, kDefault, "true", "", "", "", kLive, "", "Compresses text once, off the reactors, and keeps the result."},
    {"routes[].static.compressed_cache", size, kDefault, "32M", "0", "4G", "", kLive, "", "Most bytes of compressed answers kept."},
    {"routes[].static.cache_control", text, kDefault, "", "", "", "", kLive, "", "Cache-Control of every file; empty for none."},
    {"routes[].static.open_files", integer, kDefault, "1024", "0", "65536", "", kLive, "", "Most files kept open between requests, with the contents of small ones: 16 KiB each, over HTTP/2 128 KiB and 32 MiB in all."},
    {"routes[].echo", section, kOptional, "", "", "", "", kLive, "", "Answers the request's body, or without one a description of the request."},
    {"routes[].metrics", section, kOptional, "", "", "", "", kLive, "", "The metrics, for those who want them on traffic."},
    {"routes[].health", section, kOptional, "", "", "", "", kLive, "", "A probe, for those who want it on traffic."},
    {"routes[].health.check", choice, kDefault, "ready", "", "", "ready|live", kLive, "", "Which probe it answers."},
    {"routes[].welcome", section, kOptional, "", "", "", "", kLive, "", "The embedded welcome page."},
    {"limits", group, kOptional, "", "", "", "", kLive, "", "What is refused beyond."},
    {"limits.connections", integer, kDefault, "auto", "1", "16000000", "auto", kLive, "--max-connections", "Connections of all traffic listeners together; ops and admin have 1,024 each besides. `auto` from RLIMIT_NOFILE, which is raised to its hard limit first."},
    {"limits.connections_per_client", integer, kDefault, "0", "0", "16000000", "", kLive, "", "Connections of one client address; 0 for no limit."},
    {"limits.requests_per_connection", integer, kDefault, "0", "0", "4294967295", "", kLive, "", "Requests until a connection is closed; 0 for no limit."},
    {"limits.request_head", size, kDefault, "64k", "1k", "1M", "", kLive, "", "Request line and fields: 431 beyond."},
    {"limits.request_target", size, kDefault, "8k", "64", "64k", "", kLive, "", "Request target: 414 beyond."},
    {"limits.request_body", size, kDefault, "16M", "0", "1024G", "", kLive, "", "Request body: 413 beyond."},
    {"limits.fields", integer, kDefault, "100", "8", "1000", "", kLive, "", "Fields of a request, trailers included: 431 beyond."},
    {"limits.http2_concurrent_streams", integer, kDefault, "128", "1", "10000", "", kLive, "", "Requests one HTTP/2 connection may have open."},
    {"limits.http2_resets", integer, kDefault, "auto", "1", "1000000", "auto", kLive, "", "Requests an HTTP/2 client may cancel at once, and 33 more each second; `auto` is twice `http2_concurrent_streams`."},
    {"limits.http2_own_resets", integer, kDefault, "100", "1", "1000000", "", kLive, "", "Streams an HTTP/2 client may make the server reset at once, and a tenth of it more each second."},
    {"limits.http2_control_frames", integer, kDefault, "1000", "10", "10000000", "", kLive, "", "PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty, tiny and unknown frames of HTTP/2 at once, of each kind, and a fifth of it more each second; useful work earns more."},
    {"limits.http2_continuations", integer, kDefault, "8", "1", "1000", "", kLive, "", "CONTINUATION frames of one HTTP/2 field block."},
    {"limits.trailers", size, kDefault, "8k", "64", "1M", "", kLive, "", "Trailer fields: 431 beyond."},
    {"limits.chunk_overhead", size, kDefault, "16k", "256", "1M", "", kLive, "", "Chunk-size lines and extensions of an HTTP/1 body beyond a sixteenth of it: 413."},
    {"limits.minimum_rate", size, kDefault, "240", "0", "1G", "", kLive, "", "Bytes per second that a body or write window must move; 0: any byte renews it."},
    {"limits.output_buffer", size, kDefault, "1M", "64k", "1G", "", kLive, "", "Bytes queued for one connection beyond which no further request of it is read, or over HTTP/2 given to its handler."},
    {"limits.memory", size, kDefault, "auto", "16M", "16384G", "auto", kLive, "", "Budget of buffers, held request bodies and unfinished TLS handshakes, above which newcomers are refused; above three quarters of it no body grows, above half of it none of a connection whose bodies hold more than a sixteenth; `auto` is 80 % of the cgroup's limit, or none without one."},
    {"timeouts", group, kOptional, "", "", "", "", kLive, "", "How long each phase may take; what ends then is named in docs/operations.md."},
    {"timeouts.idle", duration, kDefault, "60s", "100ms", "24h", "", kLive, "--idle-timeout", "Silence between requests, or without streams."},
    {"timeouts.header", duration, kDefault, "10s", "100ms", "10m", "", kLive, "--header-timeout", "First request, and a head from its first byte; a drip does not renew it."},
    {"timeouts.body", duration, kDefault, "30s", "100ms", "1h", "", kLive, "--body-timeout", "Window in which a request body must move at the minimum rate."},
    {"timeouts.handler", duration, kDefault, "60s", "10ms", "24h", "", kLive, "--handler-timeout", "Until the handler answers: 503."},
    {"timeouts.write", duration, kDefault, "30s", "100ms", "1h", "", kLive, "--write-timeout", "Window in which an answer must move at the minimum rate."},
    {"timeouts.handshake", duration, kDefault, "10s", "100ms", "10m", "", kLive, "--handshake-timeout", "TLS handshake."},
    {"timeouts.ping_after", duration, kDefault, "30s", "1s", "24h", "0", kLive, "", "HTTP/2: silence with open streams before a PING is sent; 0: never."},
    {"timeouts.ping", duration, kDefault, "10s", "100ms", "10m", "", kLive, "", "HTTP/2: until a PING is answered."},
    {"timeouts.max_age", duration, kDefault, "0s", "1s", "720h", "0", kLive, "", "Age at which a connection is ended gracefully; 0: never."},
    {"timeouts.linger", duration, kDefault, "1s", "0", "30s", "", kLive, "", "Lingering close, so that an error answer is not lost."},
    {"drain", group, kOptional, "", "", "", "", kLive, "", "How the server stops."},
    {"drain.delay", duration, kDefault, "0s", "0", "10m", "", kLive, "--drain-delay", "Time between failing readiness and closing the listeners."},
    {"drain.timeout", duration, kDefault, "25s", "0", "24h", "", kLive, "--drain-timeout", "Time for what runs to finish."},
    {"reactors", integer, kDefault, "auto", "1", "255", "auto", kRestart, "--reactors", "Threads that serve traffic; `auto`: the CPUs this process may use (affinity, cgroup quota)."},
    {"workers", group, kOptional, "", "", "", "", kRestart, "", "The pool for work that would block a reactor."},
    {"workers.threads", integer, kDefault, "2", "1", "256", "", kRestart, "", "Threads."},
    {"workers.queue", integer, kDefault, "1024", "1", "1000000", "", kRestart, "", "Tasks that may wait; beyond it work is refused."},
    {"log", group, kOptional, "", "", "", "", kRestart, "", "Written by one thread from bounded rings; a full ring drops lines and counts them."},
    {"log.level", choice, kDefault, "info", "", "", "debug|info|warn|warning|error|off", kLive, "--log-level", "Least severe line written."},
    {"log.format", choice, kDefault, "auto", "", "", "auto|text|json", kRestart, "--log-format", "`auto`: text on a terminal, json elsewhere."},
    {"log.target", text, kDefault, "stdout", "", "", "", kRestart, "", "`stdout`, `stderr`, `off` or a file, which SIGHUP reopens."},
    {"log.access", text, kDefault, "off", "", "", "", kRestart, "--access-log", "`off`, `-` (standard output) or a file, which SIGHUP reopens."},
    {"log.access_format", choice, kDefault, "auto", "", "", "auto|combined|json", kRestart, "", "One line per request: the combined format or JSON, which also holds request id and trace id; `auto`: json where `log.format` is json, else combined."},
    {"rings", group, kOptional, "", "", "", "", kRestart, "", "How far back the dashboard can look; entries of the whole process, made and touched at start."},
    {"rings.closed", integer, kDefault, "50000", "16", "10000000", "", kRestart, "", "Closed connections with their reason."},
    {"rings.slow", integer, kDefault, "2000", "16", "1000000", "", kRestart, "", "Slow requests."},
    {"rings.samples", integer, kDefault, "20000", "16", "10000000", "", kRestart, "", "Further requests behind the cells of the latency map: the first of each cell and second. One for each cell of the last 15 min is kept besides, whatever the load."},
    {"rings.recent", integer, kDefault, "8000", "16", "10000000", "", kRestart, "", "Newest requests: the last ones of a connection, rates of routes; at most 500 a second enter."},
    {"rings.stalls", integer, kDefault, "1000", "16", "100000", "", kRestart, "", "Reactor stalls."},
    {"rings.events", integer, kDefault, "50000", "16", "10000000", "", kRestart, "", "State changes behind a connection's timeline."},
    {"rings.log", integer, kDefault, "4096", "16", "1000000", "", kRestart, "", "Log lines about connections, shown with each; as many again of the access log when it is on."},
    {"thresholds", group, kOptional, "", "", "", "", kRestart, "", "From when something is remarkable."},
    {"thresholds.slow", duration, kDefault, "500ms", "1ms", "1h", "", kRestart, "", "A request that takes longer is slow."},
    {"thresholds.stall", duration, kDefault, "75ms", "1ms", "1m", "", kRestart, "", "A turn of a reactor that takes longer is a stall."},
    {"metrics", group, kOptional, "", "", "", "", kRestart, "", "What is exported."},
    {"metrics.status", choice, kDefault, "exact", "", "", "exact|class", kRestart, "", "Status label of requests: the code, or `2xx` … `5xx`."},
    {"metrics.series", integer, kDefault, "150", "10", "100000", "", kRestart, "", "Children of one family until further routes fold into `_other` (cardinality)."},
    {"metrics.body_sizes", boolean, kDefault, "false", "", "", "", kRestart, "", "Histograms of the sizes of request and response bodies."},
    {"redaction", group, kOptional, "", "", "", "", kRestart, "", "What of a request observers may see: dashboard, API and logs."},
    {"redaction.query_values", choice, kDefault, "mask", "", "", "mask|show", kRestart, "", "Values in the query part of targets and, in logs, of referrers."},
    {"redaction.client_address", choice, kDefault, "full", "", "", "full|truncate", kRestart, "", "`truncate` keeps 24 bits of IPv4 and 48 bits of IPv6, and no port."},
    {"request_ids", boolean, kDefault, "true", "", "", "", kRestart, "", "Take `X-Request-Id` from the client or make one, log and answer it; one of more than 64 characters, or of others than letters, digits and `._:/+=-`, is replaced."},
    {"server_field", text, kDefault, "equinox", "", "", "", kRestart, "", "Server field of answers, 8192 bytes at most; empty: not sent."},
    {"instance", text, kOptional, "", "", "", "", kRestart, "", "Name of this process on the dashboard; the host name when left out."},
    {"reload", group, kOptional, "", "", "", "", kRestart, "", "When files are read again."},
    {"reload.config", choice, kDefault, "signal", "", "", "signal|watch", kRestart, "", "The configuration: on SIGHUP, or also when the file changes."},
    {"reload.certificates", choice, kDefault, "watch", "", "", "signal|watch", kRestart, "", "Certificates: on SIGHUP, or also when their folder changes."},
    {"reload.poll", duration, kDefault, "60s", "1s", "24h", "", kRestart, "", "How often watched files are compared although nothing announced a change."},
    {"sandbox", choice, kDefault, "auto", "", "", "auto|off|strict", kRestart, "--sandbox", "What the process may still do once it listens: `auto` takes all that the kernel has, `strict` refuses to start without all of it, `off` takes nothing."},
    {"hand_over", group, kOptional, "", "", "", "", kRestart, "", "SIGUSR2: a new process takes the listening sockets over without a refused connection."},
    {"hand_over.enabled", boolean, kDefault, "false", "", "", "", kRestart, "", "Keeps a small launcher process outside the sandbox, which starts the new one."},
    {"hand_over.timeout", duration, kDefault, "30s", "1s", "10m", "", kRestart, "", "Time for the new process to become ready; after it the old one goes on serving."},
    {"$schema", text, kOptional, "", "", "", "", kLive, "", "For editors; not used."},
};
// clang-format on

std::string_view parent_of(std::string_view path) noexcept {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

}  // namespace

std::span<const KeySpec> config_keys() noexcept { return kKeys; }

const KeySpec* find_key(std::string_view path) noexcept {
  const auto* found =
      std::find_if(std::begin(kKeys), std::end(kKeys), [&](const auto& key) { return key.path == path; });
  return found == std::end(kKeys) ? nullptr : found;
}

std::vector<const KeySpec*> child_keys(std::string_view parent) {
  std::vector<const KeySpec*> found;
  for (const KeySpec& key : kKeys) {
    if (parent_of(key.path) == parent) found.push_back(&key);
  }
  return found;
}

std::string_view last_part(std::string_view path) noexcept {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

}  // namespace equinox::appliance
