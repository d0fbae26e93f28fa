#pragma once

#include <chrono>
#include <cstdint>
#include <equinox/ids.hpp>
#include <equinox/log_level.hpp>
#include <equinox/record.hpp>
#include <equinox/snapshot.hpp>
#include <equinox/vocabulary.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The narrow door: what may be asked about a running server. Nothing here makes a traffic reactor wait.
namespace equinox {

/// One second of the recorded series. Counters are the increase within it.
struct SeriesPoint {
  static constexpr std::size_t kBuckets = kDurationEdges.size() + 1;
  std::int64_t at_wall_ns{0};  ///< begin of the second
  bool recorded{false};
  std::uint64_t connections{0}, in_flight{0}, h2_streams{0}, pending_bytes{0};
  std::uint64_t accepted{0}, rejected{0}, closed{0}, requests{0}, errors_4xx{0}, errors_5xx{0}, evictions{0};
  std::uint64_t received_bytes{0}, sent_bytes{0}, h2_resets{0}, h2_blocked_ns{0};
  std::array<std::uint64_t, kCount<RequestPhase>> phase_ns{};
  std::array<std::uint32_t, kCloseReasons> closed_by_reason{};
  std::array<std::uint32_t, kCount<EvictionPhase>> evicted_by_phase{};
  /// Duration histogram by protocol (index of Protocol; `unknown` is unused), not cumulative.
  std::array<std::array<std::uint32_t, kBuckets>, kCount<Protocol>> duration{};
  std::array<std::uint32_t, kBuckets> first_byte{}, queue{}, handler{};
  std::vector<float> reactor_busy_ratio;      ///< by reactor
  std::vector<float> reactor_cpu_ratio;       ///< by reactor: of the same time, what its thread computed
  std::vector<std::uint32_t> reactor_stalls;  ///< by reactor
  [[nodiscard]] std::array<std::uint64_t, kBuckets> duration_all() const noexcept;
  [[nodiscard]] double busy_ratio() const noexcept;  ///< mean over the reactors
};

/// Who this server is.
struct ServerIdentity {
  std::string boot_id;   ///< new with every start; ids of another boot mean nothing
  std::string instance;  ///< host name or configured name
  std::string name;      ///< of the server within its process: "traffic"
  std::string version;
  std::int64_t started_wall_ns{0};
  std::int64_t started_ns{0};  ///< steady clock
};

struct ListenerFacts {
  std::string name;
  std::string address;  ///< as bound
  bool tls{false};
  std::uint64_t connections_limit{0};
  std::optional<std::uint32_t> accept_queue_length;
  std::optional<std::uint32_t> accept_queue_limit;
};

struct CertificateFacts {
  std::string name;
  std::string listener;
  std::vector<std::string> names;  ///< subject alternative names
  std::string issuer;
  std::string key;  ///< "RSA 2048", "EC P-256"
  std::int64_t not_before_s{0};
  std::int64_t not_after_s{0};
  std::int64_t loaded_wall_ns{0};
  bool self_signed{false};
};

enum class DrainState : std::uint8_t { none, delay, draining, drained };
template <>
struct Vocabulary<DrainState> {
  static constexpr std::array<std::string_view, 4> names{"none", "delay", "draining", "drained"};
};

/// One configured timeout, for predictions about deadlines.
struct TimeoutFacts {
  DeadlineKind kind{DeadlineKind::idle};
  std::int64_t timeout_ns{0};
};

struct PoolFacts {
  std::string name;
  std::uint64_t used_bytes{0}, free_bytes{0};
  std::uint64_t hits{0}, misses{0};
};

struct WorkerFacts {
  std::uint64_t busy{0}, idle{0}, queue_length{0};
  HistogramValue<kDurationEdges.size()> queue_wait{};
};

/// What is true now and is not a count.
struct LiveFacts {
  bool ready{false};
  DrainState drain{DrainState::none};
  std::int64_t drain_started_wall_ns{0};
  std::int64_t drain_delay_ns{0};
  std::int64_t drain_timeout_ns{0};
  std::string drain_by;
  std::uint64_t connections_limit{0};
  std::uint32_t h2_concurrent_streams{0};
  std::int64_t slow_threshold_ns{0};
  std::int64_t stall_threshold_ns{0};
  std::vector<ListenerFacts> listeners;
  std::vector<CertificateFacts> certificates;
  std::vector<TimeoutFacts> timeouts;
  std::vector<PoolFacts> pools;
  WorkerFacts workers;
  std::int64_t last_reload_wall_ns{0};  ///< 0: never
  bool last_reload_successful{true};
  std::string last_reload_error;
  std::vector<std::array<std::uint64_t, kLogLevels>> log_messages;  ///< [component][level]
  std::vector<std::string> log_components;
  [[nodiscard]] bool is_draining() const noexcept { return drain != DrainState::none; }
};

/// One HTTP/2 stream, asked of the owning reactor.
struct StreamFacts {
  StreamId stream{0};
  std::uint8_t method{0};
  std::uint8_t urgency{3};
  bool incremental{false};
  bool local_closed{false};
  bool remote_closed{false};
  std::int64_t send_window_bytes{0};
  std::int64_t receive_window_bytes{0};
  std::uint64_t pending_bytes{0};
  std::uint64_t blocked_ns{0};
  std::string target;
};

/// The kernel's opinion of a connection (Linux TCP_INFO).
struct TcpFacts {
  std::uint32_t rtt_us{0}, rtt_variance_us{0}, congestion_window_segments{0}, receiver_window_bytes{0};
  std::uint32_t retransmits{0}, mss_bytes{0};
  std::uint64_t segments_sent{0}, unacknowledged_bytes{0}, not_sent_bytes{0}, delivery_bytes_per_second{0};
  double limited_receiver_ratio{0}, limited_send_buffer_ratio{0};
};

/// What one connection holds of this process's memory, by whom. Not in it: what OpenSSL allocates once a handshake
/// is over, what the kernel keeps for the socket, what handlers hold themselves, and texts that are shared with others.
struct ConnectionMemory {
  std::uint64_t connection_bytes{0};  ///< itself, its public record, and what few connections need
  std::uint64_t input_bytes{0};       ///< received and not yet used: messages cut in two
  std::uint64_t output_bytes{0};      ///< to be sent: the batch, and texts of answers that nobody else holds
  std::uint64_t requests_bytes{0};    ///< those being received or answered, with their bodies
  std::uint64_t codec_bytes{0};       ///< HTTP/1: the parser; HTTP/2: the session, its tables, streams and their texts
  std::uint64_t tls_bytes{0};         ///< with an estimate of OpenSSL's own until the handshake is over

  [[nodiscard]] std::uint64_t total() const noexcept {
    return connection_bytes + input_bytes + output_bytes + requests_bytes + codec_bytes + tls_bytes;
  }
};

/// What only the owning reactor knows.
struct ConnectionInside {
  std::vector<StreamFacts> streams;
  std::int64_t send_window_bytes{0};
  std::int64_t receive_window_bytes{0};
  std::uint64_t blocked_ns{0};
  std::uint64_t ping_rtt_ns{0};  ///< 0: none measured
  ConnectionMemory memory;
  std::optional<TcpFacts> tcp;
  std::string certificate;  ///< configured name of the one that was served
};

/// One line of the server log or of the access log. Bytes from the wire are in it as they came.
struct LogLine {
  std::int64_t at_wall_ns{0};
  LogLevel level{LogLevel::info};
  std::string component;  ///< "connection", "handler", "access" …
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;  ///< in the line's order
  bool is_cut{false};                                       ///< it was longer
};

/// The lines about one connection, oldest first.
struct LogExcerpt {
  std::vector<LogLine> lines;
  std::int64_t from_wall_ns{0};  ///< lines from before may be missing: forgotten, or beyond the limit; 0: none is
};

/// One effective configuration value.
struct ConfigFact {
  std::string key;
  std::string value;
  std::string default_value;
  std::string origin;  ///< "default", a flag, "file:line:column", or the rule that computed it
  bool changed{false};
  std::string reload;  ///< "yes", "restart", "new_connections"
};

/// How long a reactor has been silent, and what it is busy with.
struct ReactorFacts {
  std::uint8_t reactor{0};
  std::int64_t last_iteration_ns_ago{0};
  std::optional<StallRecord> stall;  ///< the one that is running
};

/// Observers see a server only through this. Every member may be called from any thread and never blocks a reactor;
/// returned values are copies. A visitor returns false to stop; it must not keep references.
class ServerView {
 public:
  template <typename T>
  using Visitor = std::function<bool(const T&)>;

  virtual ~ServerView() = default;

  [[nodiscard]] virtual ServerIdentity identity() const = 0;
  [[nodiscard]] virtual LiveFacts live() const = 0;
  [[nodiscard]] virtual ServerSnapshot snapshot() const = 0;

  /// Names by index; "_unmatched" and "_other" are the first two routes.
  [[nodiscard]] virtual std::vector<std::string> route_names() const = 0;
  [[nodiscard]] virtual std::vector<std::string> listener_names() const = 0;
  [[nodiscard]] virtual std::size_t reactor_count() const = 0;

  /// Live connections, by reactor and slot.
  virtual void for_each_record(const Visitor<ConnectionRecord>& visit) const = 0;
  /// Slots of one reactor that were ever used (for the state strip).
  [[nodiscard]] virtual std::uint32_t record_extent(std::size_t reactor) const = 0;
  /// The record in a slot, nothing when it is free.
  [[nodiscard]] virtual std::optional<ConnectionRecord> record_at(std::size_t reactor, std::uint32_t slot) const = 0;
  /// Nothing when the id is stale.
  [[nodiscard]] virtual std::optional<ConnectionRecord> record(ConnectionId id) const = 0;

  /// Histories, newest first over all reactors.
  virtual void closed(const Visitor<ClosedRecord>& visit) const = 0;
  virtual void slow_requests(const Visitor<RequestRecord>& visit) const = 0;
  /// Requests kept for the cells of the latency map: at least one for each bucket, step and reactor as far as the map
  /// reaches back, and for each second as far as the ring of configured length does.
  virtual void sampled_requests(const Visitor<RequestRecord>& visit) const = 0;
  /// The newest requests, all of them at moderate rates.
  virtual void recent_requests(const Visitor<RequestRecord>& visit) const = 0;
  /// Ended and running stalls.
  virtual void stalls(const Visitor<StallRecord>& visit) const = 0;
  /// State changes of one connection, newest first, at most `limit`, as far back as the ring reaches.
  [[nodiscard]] virtual std::vector<StateChange> timeline(ConnectionId id, std::size_t limit = 64) const = 0;
  /// Wall time of the oldest entry the timeline ring of that reactor still holds; 0 when it is empty.
  [[nodiscard]] virtual std::int64_t timeline_reach_wall_ns(std::size_t reactor) const = 0;

  /// Per reactor: how long silent, running stall.
  [[nodiscard]] virtual std::vector<ReactorFacts> reactors() const = 0;

  /// Seconds from `since_wall_ns` on, oldest first, at most the last 15 minutes.
  [[nodiscard]] virtual std::vector<SeriesPoint> series(std::int64_t since_wall_ns) const = 0;

  /// Asks the owning reactor by mailbox; nothing when it does not answer in time or the connection is gone.
  [[nodiscard]] virtual std::optional<ConnectionInside> inside(ConnectionId id,
                                                               std::chrono::milliseconds timeout) const {
    static_cast<void>(id);
    static_cast<void>(timeout);
    return std::nullopt;
  }
  [[nodiscard]] virtual std::vector<ConfigFact> config() const { return {}; }
  /// The newest `limit` lines about one connection, open or closed, that its server wrote: what the level hides, an
  /// access log that is off, or a full ring keeps out of the log is not here either. A line comes a few milliseconds
  /// after what it tells of.
  [[nodiscard]] virtual LogExcerpt log(ConnectionId id, std::size_t limit) const {
    static_cast<void>(id);
    static_cast<void>(limit);
    return {};
  }
};

}  // namespace equinox
