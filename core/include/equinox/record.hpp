#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <equinox/endpoint.hpp>
#include <equinox/ids.hpp>
#include <equinox/vocabulary.hpp>
#include <string>
#include <string_view>

/// What can be known of one connection, request or stall: plain values, copied out of the server's memory without
/// asking a reactor. Moments: `*_ns` are nanoseconds of the steady clock, `*_wall_ns` of the Unix epoch.
namespace equinox {

/// At most N bytes of text, cut at the end, zero-padded so that values can be copied as words. Bytes come from the
/// wire unchecked: escape before showing.
template <std::size_t N>
struct FixedText {
  std::array<char, N> bytes{};

  void assign(std::string_view text) noexcept {
    const std::size_t count = std::min(text.size(), N);
    if (count > 0) std::memcpy(bytes.data(), text.data(), count);
    if (count < N) std::memset(bytes.data() + count, 0, N - count);
  }
  [[nodiscard]] std::string_view view() const noexcept {
    const void* end = std::memchr(bytes.data(), 0, N);
    return {bytes.data(), end == nullptr ? N : static_cast<std::size_t>(static_cast<const char*>(end) - bytes.data())};
  }
  /// True when the text may have been cut.
  [[nodiscard]] bool is_full() const noexcept { return view().size() == N; }
};

/// The part of a record that changes with traffic; published once per turn.
struct RecordHot {
  std::uint32_t generation{0};  ///< 0: the slot is free
  ConnectionState state{ConnectionState::handshake};
  Protocol protocol{Protocol::unknown};
  DeadlineKind deadline{DeadlineKind::none};
  std::uint8_t method{0};              ///< of the current or newest request, index into kMethodLabels
  std::int64_t last_active_ns{0};      ///< last byte in either direction
  std::int64_t deadline_due_ns{0};     ///< meaningless with DeadlineKind::none
  std::uint64_t received_bytes{0};     ///< taken from the socket: with TLS records, handshake and alerts
  std::uint64_t sent_bytes{0};         ///< given to it, likewise
  std::uint32_t requests{0};           ///< begun
  std::uint32_t deadline_total_ms{0};  ///< the timeout the deadline was armed with
  std::uint32_t pending_bytes{0};      ///< ready for the peer, HTTP/2 windows permitting or not; saturates
  std::uint16_t streams{0};            ///< open HTTP/2 streams
  RouteId route{0};                    ///< of the current or newest request
};
static_assert(sizeof(RecordHot) == 56);

/// The part that is written at accept, after the handshake, and at most once a second; except for `memory_bytes` and
/// the target with its number, for which the other half has no room.
struct RecordCold {
  std::int64_t opened_ns{0};
  std::uint64_t memory_bytes{0};  ///< held by this connection at the end of its last turn, see ConnectionMemory
  std::array<std::uint8_t, 16> peer_address{};
  std::array<std::uint8_t, 16> client_address{};  ///< PROXY protocol, or a trusted proxy's newest request
  std::uint16_t peer_port{0};
  std::uint16_t client_port{0};
  std::uint16_t listener{0};
  TlsVersion tls{TlsVersion::none};
  Alpn alpn{Alpn::none};
  std::int64_t sampled_ns{0};  ///< when rtt, retransmits and limited_by were read; 0: never
  std::uint32_t rtt_us{0};
  std::uint32_t retransmits{0};
  std::uint32_t handshake_us{0};
  std::uint32_t target_request{0};  ///< number of the request `target` belongs to, 0: none yet
  std::uint16_t streams_peak{0};
  TlsCipher cipher{TlsCipher::other};
  LimitedBy limited_by{LimitedBy::none};
  bool peer_known{false};
  bool client_known{false};
  bool tls_resumed{false};
  std::uint8_t unused{0};
  FixedText<40> sni;
  FixedText<64> target;
};
static_assert(sizeof(RecordCold) == 192);

/// One live connection.
struct ConnectionRecord {
  ConnectionId id;
  RecordHot hot;
  RecordCold cold;

  [[nodiscard]] Endpoint peer() const noexcept { return {cold.peer_address, cold.peer_port, cold.peer_known}; }
  /// The peer when nothing else is known.
  [[nodiscard]] Endpoint client() const noexcept {
    return cold.client_known ? Endpoint{cold.client_address, cold.client_port, true} : peer();
  }
  [[nodiscard]] bool has_deadline() const noexcept { return hot.deadline != DeadlineKind::none; }
  /// The stored target belongs to the newest request (else to one that ended later than that began).
  [[nodiscard]] bool target_is_newest() const noexcept {
    return cold.target_request != 0 && cold.target_request == hot.requests;
  }
};

/// One ended connection with the details that must not be labels.
struct ClosedRecord {
  std::uint64_t sequence{0};  ///< 1, 2, 3 … in the order of the closes of this server
  std::int64_t closed_wall_ns{0};
  std::int64_t age_ns{0};
  std::uint64_t connection{0};      ///< ConnectionId::packed()
  std::uint64_t received_bytes{0};  ///< as in RecordHot
  std::uint64_t sent_bytes{0};
  std::array<std::uint8_t, 16> peer_address{};
  std::array<std::uint8_t, 16> client_address{};  ///< PROXY protocol, or a trusted proxy's last request
  std::uint32_t requests{0};
  std::uint32_t pending_bytes{0};  ///< not sent when it ended
  std::uint32_t timer_ms{0};       ///< value of the timer that fired; 0: none
  std::uint32_t silent_ms{0};      ///< since the last byte in either direction but the farewell
  std::uint32_t h2_error_code{0};
  std::uint32_t last_stream{0};
  std::uint32_t rtt_us{0};
  std::uint32_t retransmits{0};
  std::uint16_t peer_port{0};
  std::uint16_t client_port{0};
  std::uint16_t listener{0};
  RouteId route{0};            ///< of the last request
  std::uint16_t status{0};     ///< answered to the last request, 0: none
  std::int16_t os_errno{0};    ///< 0: none
  std::int16_t tls_alert{-1};  ///< RFC 8446 §6; -1: none
  CloseReason reason{CloseReason::client_fin_idle};
  Protocol protocol{Protocol::unknown};
  ConnectionState state{ConnectionState::idle};  ///< in which it was
  DeadlineKind timer{DeadlineKind::none};        ///< the timer that fired
  std::uint8_t method{0};                        ///< of the last request
  TlsVersion tls{TlsVersion::none};
  LimitedBy limited_by{LimitedBy::none};
  bool peer_known{false};
  bool client_known{false};
  bool has_h2_error{false};
  bool tls_alert_sent{false};  ///< by us; else received
  bool was_rejected{false};    ///< it ended because the last request was refused
  std::uint16_t streams_peak{0};
  FixedText<16> actor;  ///< who did it, for administrative closes
  FixedText<40> sni;
  FixedText<64> target;            ///< of the last request; empty when it was not kept
  RequestRejectReason rejected{};  ///< why it was refused, where that was the end
  CloseDetail detail{CloseDetail::none};

  [[nodiscard]] ConnectionId id() const noexcept { return ConnectionId::unpack(connection); }
  [[nodiscard]] Endpoint peer() const noexcept { return {peer_address, peer_port, peer_known}; }
  /// The peer when nothing else is known.
  [[nodiscard]] Endpoint client() const noexcept {
    return client_known ? Endpoint{client_address, client_port, true} : peer();
  }
};
static_assert(sizeof(ClosedRecord) == 264);

/// One finished request.
struct RequestRecord {
  std::int64_t started_wall_ns{0};
  std::int64_t total_ns{0};
  std::int64_t first_byte_ns{-1};                              ///< head complete → first response byte; -1: none
  std::array<std::int64_t, kCount<RequestPhase>> phases_ns{};  ///< add up to total_ns
  std::uint64_t connection{0};
  std::uint64_t received_bytes{0};  ///< body
  std::uint64_t sent_bytes{0};      ///< body
  StreamId stream{0};
  RouteId route{0};
  std::uint16_t status{0};
  std::uint8_t method{0};
  std::uint8_t version{1};
  std::uint8_t scheme{0};
  ErrorType error{ErrorType::none};
  Protocol protocol{Protocol::unknown};
  std::uint8_t bucket{0};  ///< of the duration histogram
  std::uint16_t unused{0};
  FixedText<64> request_id;  ///< whole: it is what one searches other logs for
  FixedText<32> trace_id;
  FixedText<80> target;

  [[nodiscard]] ConnectionId connection_id() const noexcept { return ConnectionId::unpack(connection); }
};
static_assert(sizeof(RequestRecord) == 280);

/// An iteration of a reactor that took too long, with its culprit.
struct StallRecord {
  std::int64_t started_wall_ns{0};
  std::int64_t started_ns{0};
  std::int64_t duration_ns{0};  ///< so far while `running`
  std::int64_t cpu_ns{-1};      ///< CPU of the thread since it was first looked at (≤ 40 ms late); -1: it never was
  std::uint64_t connection{0};
  std::uint32_t delayed_connections{0};  ///< open on that reactor while running; afterwards the exact ready events
  StreamId stream{0};
  RouteId route{0};
  StallCause cause{StallCause::unknown};
  std::uint8_t reactor{0};
  std::uint8_t method{0};
  bool running{false};
  bool has_route{false};
  std::uint8_t unused{0};
  FixedText<64> target;
};
static_assert(sizeof(StallRecord) == 120);

/// One change of a connection's state.
struct StateChange {
  std::uint64_t connection{0};
  std::int64_t at_wall_ns{0};
  ConnectionState state{ConnectionState::idle};
  Protocol protocol{Protocol::unknown};
  std::array<std::uint8_t, 6> unused{};
};
static_assert(sizeof(StateChange) == 24);

/// Explains a close in one plain English sentence: the timer and its value, errno, alert or HTTP/2 code, bytes, last
/// request, who did it. `route` and `listener` are names for the numbers inside, empty when not known.
std::string sentence(const ClosedRecord& record, std::string_view route = {}, std::string_view listener = {});
/// A few words for a table: "60 s of silence", "ECONNRESET", "alert 42 bad_certificate"; may be empty.
std::string detail(const ClosedRecord& record);
/// RFC 8446 §6 name of a TLS alert: "bad_certificate"; "alert 200" for an unregistered one.
std::string tls_alert_name(int alert);

}  // namespace equinox
