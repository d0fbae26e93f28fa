#pragma once

#include <chrono>
#include <cstdint>
#include <equinox/log_level.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace equinox {

using std::chrono::milliseconds;

struct CertificateConfig {
  std::string name{"main"};   ///< metric label
  std::string certificate{};  ///< PEM file, leaf first
  std::string key{};          ///< PEM file
};

struct TlsConfig {
  std::vector<CertificateConfig> certificates{};  ///< chosen by SNI; the first serves everybody else
  bool self_signed{false};                        ///< an in-memory development certificate instead
  std::string min_version{"1.2"};                 ///< "1.2" or "1.3"
  std::string ciphers{};   ///< TLS 1.2, as OpenSSL writes them; empty: ECDHE+AESGCM:ECDHE+CHACHA20
  bool http2{true};        ///< offer "h2" in ALPN
  bool strict_sni{false};  ///< refuse unknown server names (unrecognized_name), and requests for one (421)
};

enum class H2c : std::uint8_t { on, prior_knowledge, off };

struct ListenerConfig {
  std::string name{};                   ///< metric label; "http" or "https" when empty
  std::string address{"0.0.0.0:8080"};  ///< "1.2.3.4:80", "[::]:80", ":80" (dual stack); port 0: any
  H2c h2c{H2c::on};                     ///< cleartext HTTP/2 on this listener; ignored with TLS
  std::optional<TlsConfig> tls{};
  std::vector<std::string> proxy_protocol_from{};  ///< networks that must send a PROXY header; empty: nobody does
  std::chrono::seconds defer_accept{0};            ///< TCP_DEFER_ACCEPT: hides silent peers; at most 60 s, 0: off
  std::vector<int> inherited{};  ///< listening sockets (socket activation); duplicated, the caller keeps and closes his
};

struct TimeoutConfig {
  milliseconds idle{60'000};        ///< between requests, or without streams
  milliseconds header{10'000};      ///< first request, and a head from its first byte; absolute
  milliseconds body{30'000};        ///< a window that must move at least the minimum rate
  milliseconds handler{60'000};     ///< until the handler answers: 503
  milliseconds write{30'000};       ///< a window that must move at least the minimum rate
  milliseconds handshake{10'000};   ///< TLS only
  milliseconds ping_after{30'000};  ///< HTTP/2: silence with open streams before a PING; 0: never
  milliseconds ping{10'000};        ///< until it is answered
  milliseconds max_age{0};          ///< a connection's age before it is ended gracefully; 0: never
  milliseconds linger{1'000};       ///< lingering close after an error
};

struct LimitConfig {
  std::uint32_t connections{0};              ///< of this server; 0: from RLIMIT_NOFILE; raised where that is too low
  std::uint32_t connections_per_client{0};   ///< 0: no limit
  std::uint32_t requests_per_connection{0};  ///< 0: no limit
  std::uint64_t request_head{64 * 1024};     ///< bytes
  std::uint64_t request_target{8 * 1024};    ///< bytes
  std::uint64_t request_body{16 * 1024 * 1024};  ///< bytes
  std::uint32_t fields{100};
  std::uint32_t http2_concurrent_streams{128};
  std::uint32_t minimum_rate{240};           ///< bytes per second for body and write windows; 0: any byte renews
  std::uint64_t output_buffer{1024 * 1024};  ///< bytes queued beyond which a connection's requests wait; 64 KiB or more
  std::uint64_t memory{0};              ///< of buffers, bodies, begun handshakes; beyond it nobody is admitted; 0: none
  std::uint32_t http2_resets{0};        ///< at once, and 33 a second; 0: twice the concurrent streams
  std::uint32_t http2_own_resets{100};  ///< resets a peer provokes: at once, and a tenth of it a second
  std::uint32_t http2_control_frames{1000};  ///< of each kind at once, and a fifth of it a second
  std::uint32_t http2_continuations{8};      ///< of one field block
  std::uint64_t trailers{8 * 1024};          ///< bytes
  std::uint64_t chunk_overhead{16 * 1024};   ///< bytes beyond a sixteenth of the body
};

/// See Server::drain().
struct DrainConfig {
  milliseconds delay{0};         ///< in which connections are still taken, so that balancers can look elsewhere
  milliseconds timeout{25'000};  ///< after it; then what still runs is cut off
};

struct HistoryConfig {
  std::uint32_t closed{50'000};  ///< entries, as those that follow; at most 10'000'000 of each kind
  std::uint32_t slow{2'000};
  std::uint32_t samples{20'000};
  std::uint32_t recent{8'000};  ///< newest requests: a connection's last ones, rates of routes
  std::uint32_t stalls{1'000};
  std::uint32_t events{50'000};  ///< state changes and requests behind the drawer's timeline
  std::uint32_t log{4'096};      ///< lines about connections, of the server log and of the access log each; 8'000'000
  std::uint32_t series{150};     ///< children of the request family until further routes fold into `_other`
  bool body_sizes{false};        ///< count the sizes of request and response bodies
  milliseconds slow_threshold{500};
  milliseconds stall_threshold{75};
};

struct WorkerConfig {
  std::uint32_t threads{2};   ///< of equinox::offload; at most 256
  std::uint32_t queue{1024};  ///< beyond it offload refuses
};

/// Receives the server's log lines already escaped; called on the log thread, never on a reactor.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

struct LogConfig {
  LogLevel level{LogLevel::info};
  std::string format{"text"};             ///< "text" or "json"
  std::string target{"stderr"};           ///< "stderr", "stdout", "off" or a file's path
  std::string access{"off"};              ///< "off", "-" (standard output) or a file's path
  std::string access_format{"combined"};  ///< "combined" or "json"
  LogSink sink{};                         ///< instead of `target`
};

/// What of a request its logs may show. Hooks are told as it came.
struct RedactionConfig {
  bool show_query_values{false};        ///< else "?name=***", of targets, referrers and texts of exceptions
  bool truncate_client_address{false};  ///< to 24 bits of IPv4 and 48 of IPv6, without the port
};

/// Everything a server is told at its making. A plain aggregate; a mistake in it is std::invalid_argument from the
/// constructor or from start(), and a log file that cannot be opened std::system_error from the constructor.
struct ServerConfig {
  std::vector<ListenerConfig> listeners{ListenerConfig{}};
  std::uint32_t reactors{0};  ///< 0: the CPUs this process may use, at most 255
  LimitConfig limits{};
  TimeoutConfig timeouts{};
  DrainConfig drain{};
  HistoryConfig history{};
  WorkerConfig workers{};
  LogConfig log{};
  RedactionConfig redaction{};
  std::vector<std::string> trusted_proxies{};  ///< networks whose Forwarded / X-Forwarded-For names the client
  bool request_ids{true};                      ///< X-Request-Id accepted or made, and answered
  /// Counters are always kept; without it there are no samples, no timeline, no slow log, no one-second series, no
  /// stalls in the log, no log lines about connections, and only the last 256 closed connections.
  bool observe{true};
  std::string server_field{"equinox"};  ///< Server field; empty: not sent
  std::string instance{};               ///< of the process, on the dashboard; empty: the host name
  std::string name{"traffic"};          ///< in log lines and thread names
};

}  // namespace equinox
