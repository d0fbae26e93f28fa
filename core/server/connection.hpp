#pragma once

#include <cstdint>
#include <equinox/endpoint.hpp>
#include <equinox/ids.hpp>
#include <equinox/record.hpp>
#include <equinox/view.hpp>
#include <equinox/vocabulary.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "base/in_place.hpp"
#include "base/late.hpp"
#include "base/unique_fd.hpp"
#include "http/http1_codec.hpp"
#include "net/poller.hpp"
#include "net/tcp_transport.hpp"
#include "net/timer_wheel.hpp"
#include "server/byte_hold.hpp"
#include "server/exchange.hpp"
#include "server/write_window.hpp"
#include "telemetry/connection_record.hpp"

namespace equinox::telemetry {
struct CloseFacts;
}
namespace equinox::http {
struct ProxyHeader;
}
namespace equinox::net {
struct TcpInfo;
}

namespace equinox::server {

struct Lending;
struct RefusedRequest;

/// What a connection wants after a turn.
enum class Turn : std::uint8_t {
  waiting,   ///< for an edge, a timer or the mailbox
  runnable,  ///< it has work left beyond its budget: run it again next turn
  finished,  ///< reap it
};

/// One peer, from accept to close. Owns transport and codec; buffers, parser and exchanges are lent by the reactor and
/// kept only while a message is cut in two or being answered. Nothing below calls back: every entry point does its
/// work and says how to go on. Owning reactor's thread only.
class Connection {
 public:
  struct Origin {
    ConnectionId id;
    std::uint16_t listener{0};
    bool is_tls{false};
    bool expects_proxy_header{false};
    std::uint16_t counted_in{0};  ///< see Admission::admit()
    Endpoint peer;
  };

  Connection(const Origin& origin, UniqueFd socket, Lending& lent);
  Connection(const Origin& origin, std::unique_ptr<net::Transport> transport, Lending& lent);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// The poller announced something.
  Turn advance(Lending& lent, const net::ReadyEvent& ready);
  /// Work left from an earlier turn.
  Turn run_again(Lending& lent);
  /// The same from the run queue, late in a turn.
  Turn run_queued(Lending& lent);
  /// The armed deadline has come (or the wheel woke early: then nothing happens).
  Turn expire(Lending& lent);
  /// Another thread answered (with nothing: it dropped the right to), or resumed a body.
  Turn answer(Lending& lent, const http::ExchangeLink& link, std::optional<Response>&& answer);
  Turn resume(Lending& lent, const http::ExchangeLink& link);
  /// Ends it for a reason from outside. Graceful: HTTP/2 gets a GOAWAY and what is queued is still sent, except
  /// with `admin_close`, which ends what the peer has not taken.
  /// `admin_drain` lets it finish what it does.
  Turn close(Lending& lent, CloseReason reason, const FixedText<16>& actor = {});
  /// Ends it without another byte.
  /// @param after  the timer that says so, where it is one
  void abandon(Lending& lent, CloseReason reason, const Error& error = {}, Duration after = Duration{0});
  [[nodiscard]] TimePoint opened_at() const noexcept { return TimePoint{Duration{record_->own_opened_ns()}}; }
  /// A step of a drain; see DrainStage.
  Turn drain_step(Lending& lent);
  /// A drain was taken back: goes on as before where the protocol still allows it.
  Turn rearm(Lending& lent);

  /// Books the end: counters, closed ring, record. Called once by the reactor before it is destroyed.
  void settle_accounts(Lending& lent);

  [[nodiscard]] ConnectionId id() const noexcept { return ConnectionId::unpack(timer_.token); }
  [[nodiscard]] int descriptor() const noexcept { return transport_->descriptor(); }
  [[nodiscard]] std::uint16_t listener() const noexcept { return listener_; }
  [[nodiscard]] std::uint16_t counted_in() const noexcept { return counted_in_; }
  [[nodiscard]] Endpoint peer() const noexcept { return record_->own_peer(); }
  /// The peer, or whom its PROXY header names.
  [[nodiscard]] Endpoint client() const noexcept {
    return known_aside().is_proxied ? aside_->proxied_client : record_->own_peer();
  }
  /// Nothing goes on: between requests, or not a byte has come yet.
  [[nodiscard]] bool is_idle() const noexcept {
    const bool is_silent = (state_ == ConnectionState::reading_head || state_ == ConnectionState::handshake) &&
                           !got_bytes_ && request_count_ == 0;
    return state_ == ConnectionState::idle || is_silent;
  }
  [[nodiscard]] bool is_http2() const noexcept { return equinox::is_http2(protocol_); }
  /// Since when it is idle; meaningless otherwise.
  [[nodiscard]] TimePoint idle_since() const noexcept { return phase_start_; }
  [[nodiscard]] net::TimerNode& timer() noexcept { return timer_; }
  /// What only the owning reactor knows: streams, windows, buffers, TCP_INFO.
  [[nodiscard]] ConnectionInside inside(TimePoint now) const;
  [[nodiscard]] std::uint64_t pending_bytes() const noexcept { return egress_ ? egress_->pending_bytes() : 0; }
  [[nodiscard]] ConnectionMemory memory() const noexcept;
  bool is_queued{false};    ///< on the reactor's run queue
  bool is_finished{false};  ///< on its list of those to reap

 private:
  /// Bodies are pulled up to here: seven DATA frames of 16 KiB. The kernel's packets are 64 KiB; eight frames would be
  /// two of them and one of 72 octets.
  static constexpr std::size_t kHighWatermarkBytes = 112 * 1024;
  static constexpr std::size_t kReadBudgetBytes = 256 * 1024;  ///< a turn of one connection
  static constexpr int kRequestsPerTurn = 128;

  enum class Ending : std::uint8_t { none, after_flush, after_flush_linger, lingering, dead };
  /// Facts only an HTTP/2 connection needs.
  struct Http2Facts {
    TimePoint last_alive{};  ///< a byte came, or some of what filled the socket was taken
    TimePoint ping_sent{kNever};
    std::uint64_t ping_acknowledged{0};  ///< of all that was sent, when the PING was last looked for
    TimePoint deadline_due{kNever};      ///< as in Aside
    TimePoint began{};
    TimePoint idle_since{};  ///< what phase_start_ is again after a frame that came in pieces and was no request
    std::uint32_t peak_streams{0};
    std::uint32_t open_streams{0};
    std::uint32_t half_closed_streams{0};   ///< those of them whose request is complete
    std::uint64_t window_waiting_bytes{0};  ///< of answers, ready and not yet allowed by the peer's windows
    std::uint64_t ping_rtt_ns{0};           ///< as measured last; 0: never
    std::uint64_t held_bytes{0};            ///< of all exchanges
    std::uint32_t held_back{0};             ///< exchanges whose handlers wait for room
    std::uint32_t goaway_code{0};
    std::uint32_t last_stream{0};
    bool has_greeted{false};  ///< its preface is in
    bool was_announced{false};
    bool was_finalised{false};
    TimePoint final_due{kNever};  ///< of the second GOAWAY, once the first is out
    bool peer_said_goaway{false};
    std::unique_ptr<std::unordered_map<StreamId, Exchange*>> index;  ///< of the exchanges, once they are many
  };
  /// What few connections ever need, so that idle ones need not hold it.
  struct Aside {
    Endpoint proxied_client;         ///< as the PROXY header names it
    WriteWindow write_window;        ///< while the peer is behind
    TimePoint sample_at{kNever};     ///< when to look at TCP_INFO meanwhile
    TimePoint deadline_due{kNever};  ///< of the deadline, when the timer comes earlier to look
    std::uint64_t pending_told{0};   ///< of waiting_bytes(), to the gauge
    Errc reason_code{Errc::system};
    std::uint32_t reason_detail{0};
    std::int32_t reason_errno{0};
    std::uint32_t fired_ms{0};
    CloseDetail detail{CloseDetail::none};
    std::optional<RequestRejectReason> rejected;  ///< why the request that ended it was refused
    FixedText<16> closed_by;                      ///< who asked for it to be closed
    bool is_proxied{false};
  };
  struct Deadline {
    DeadlineKind kind{DeadlineKind::none};
    TimePoint due{kNever};
    Exchange* exchange{nullptr};
    void offer(DeadlineKind other, TimePoint at, Exchange* which = nullptr) noexcept {
      if (at < due) *this = {other, at, which};
    }
  };

  Connection(const Origin& origin, Lending& lent);

  // connection.cpp: the turn
  Turn turn(Lending& lent);
  Turn settle(Lending& lent);
  bool find_reset(Lending& lent);
  bool shake_hands(Lending& lent);
  void on_handshake_halt(Lending& lent, const net::IoResult& result);
  void after_handshake(Lending& lent);

  /// Made at the first use.
  Aside& aside() {
    if (aside_ == nullptr) aside_ = std::make_unique<Aside>();
    return *aside_;
  }
  /// To look at, also where there is none.
  [[nodiscard]] const Aside& known_aside() const noexcept {
    static const Aside kNone;
    return aside_ == nullptr ? kNone : *aside_;
  }

  void announce_drain(Lending& lent);
  /// What reading the codec's input counts as, should it stall.
  [[nodiscard]] StallCause parsing() const noexcept { return is_http2() ? StallCause::h2 : StallCause::parse; }
  [[nodiscard]] bool is_ending() const noexcept { return ending_ != Ending::none; }
  [[nodiscard]] bool wants_input(const Lending& lent) const noexcept;
  /// Held bytes can be used further without new ones.
  [[nodiscard]] bool has_fresh_input() const noexcept { return held_ != nullptr && !held_->empty() && held_is_fresh_; }
  void update_state(Lending& lent);

  // connection_ingress.cpp
  void take_input(Lending& lent);
  std::size_t feed(Lending& lent, std::span<const std::byte> input);
  bool choose_codec(Lending& lent, std::span<const std::byte> input, std::size_t& used);
  bool take_proxy_header(Lending& lent, std::span<const std::byte> input, std::size_t& used);
  void use_http1(Lending& lent);
  bool take_proxy_header_before_tls(Lending& lent);
  /// @param bytes  the header was read from
  bool adopt_proxy_header(Lending& lent, const http::ProxyHeader& header, std::string_view bytes);
  void adopt_protocol(Lending& lent, Protocol protocol);
  void hold(Lending& lent, std::span<const std::byte> rest);
  void on_input_end(Lending& lent);
  void keep_requests();
  void keep_settings(const Lending& lent);

  // connection_exchanges.cpp, connection_body.cpp, connection_handlers.cpp
  void apply_events(Lending& lent);
  void on_head(Lending& lent, StreamId stream, const RequestHead& head, bool is_complete);
  void on_body(Lending& lent, const http::CodecEvent& event);
  void on_announced(Lending& lent, const http::CodecEvent& event);
  void on_reset(Lending& lent, const http::CodecEvent& event);
  void begin_exchange(Lending& lent, Exchange& exchange, const RequestHead& head);
  void identify(Lending& lent, Exchange& exchange);
  /// With strict SNI: the request is for a name whose certificate this connection was not shown (RFC 9110 §15.5.20).
  [[nodiscard]] bool is_misdirected(const Exchange& exchange) const noexcept;
  void start_body(Lending& lent, Exchange& exchange);
  bool upgrade_to_h2c(Lending& lent, const RequestHead& head);
  void follow_upgrade(Lending& lent);
  void take_body(Lending& lent, Exchange& exchange, std::span<const std::byte> bytes, bool is_last);
  void count_held(Lending& lent, Exchange& exchange) noexcept;
  [[nodiscard]] std::uint64_t held_by_exchanges() const noexcept;
  [[nodiscard]] bool may_hold_more(const Lending& lent) const noexcept;
  Exchange* on_response_end(Lending& lent, http::EventKind kind, StreamId stream, Exchange* expected);
  bool open_sink(Lending& lent, Exchange& exchange);
  bool push_to_sink(Lending& lent, Exchange& exchange, std::span<const std::byte> bytes);
  void run_handler(Lending& lent, Exchange& exchange);
  void produce(Lending& lent, Exchange& exchange, const Request& request, Late<Response>& response);
  void make_sink(Lending& lent, Exchange& exchange, const Request& request);
  [[nodiscard]] bool has_room_for_answer(const Lending& lent, const Exchange& exchange) const noexcept;
  void hold_back(Lending& lent, Exchange& exchange);
  void run_held_back(Lending& lent);
  void run_async(Lending& lent, Exchange& exchange, const AsyncHandler& handler);
  Response failure(Lending& lent, Exchange& exchange, int status);
  void fail_exchange(Lending& lent, Exchange& exchange, int status, ErrorType error);
  void respond(Lending& lent, Exchange& exchange, Response&& response);
  bool make_ready(Lending& lent, Exchange& exchange, Response& response);
  void decide_persistence(Lending& lent, Exchange& exchange, Response& response);
  [[nodiscard]] Exchange* find(StreamId stream) noexcept;
  /// The very exchange that the link was made for; null when it is over, whoever has its stream's number now.
  [[nodiscard]] Exchange* find(const http::ExchangeLink& link) noexcept;
  void index_exchanges();
  /// The newest, or none.
  [[nodiscard]] Exchange* last_exchange() const noexcept { return exchanges_ == nullptr ? nullptr : exchanges_->last; }
  Exchange& add_exchange(Lending& lent, StreamId stream);
  void complete(Lending& lent, Exchange& exchange);
  void cut(Lending& lent, Exchange& exchange, ErrorType error);
  void discard(Lending& lent, Exchange& exchange, ErrorType error);
  void take_off_unsent(Exchange& exchange) const noexcept;
  void take_off_unframed(Exchange& exchange) const;
  void discard_all(Lending& lent, ErrorType error);
  void unlink(Exchange& exchange) noexcept;
  std::shared_ptr<http::ExchangeLink> link(Lending& lent, Exchange& exchange);

  // connection_refusal.cpp
  void turn_away(Lending& lent, std::string_view bytes);
  void on_refused(Lending& lent, const http::CodecEvent& event);
  void on_malformed(Lending& lent, const http::CodecEvent& event);
  void end_refused_head(const Lending& lent) noexcept;
  /// @param head  the request's bytes, where it has no exchange
  void refuse_request(Lending& lent, Exchange* exchange, Errc code, std::string_view head = {});
  /// A head that did not come in time.
  void refuse_late(Lending& lent, Status status);
  void answer_refused(Lending& lent, RefusedRequest request, Response&& response,
                      std::optional<RequestRejectReason> why);
  void account_refused(Lending& lent, const RefusedRequest& request, std::uint16_t status, std::uint64_t sent_bytes,
                       std::optional<RequestRejectReason> why);

  // connection_egress.cpp
  EgressBatch& batch(Lending& lent);
  void pump(Lending& lent);
  void finish_sent(Lending& lent);
  void return_batch(Lending& lent);

  // connection_ending.cpp
  void note(CloseReason reason, const Error& error = {}) noexcept;
  void plan(CloseReason reason) noexcept;
  void end_after_flush(CloseReason reason, bool linger, const Error& error = {});
  void note_detail(CloseDetail detail);
  void end_now(Lending& lent, CloseReason reason, const Error& error = {});
  [[nodiscard]] bool is_behind_shut_windows() const;
  void leave_shut_windows(Lending& lent);
  bool cut_held_up(Lending& lent);
  void end_flushed(Lending& lent);
  Turn drain_alone(Lending& lent, const FixedText<16>& actor);
  [[nodiscard]] bool would_be_cut(Lending& lent);
  [[nodiscard]] std::uint64_t sent_bytes(Lending& lent);
  [[nodiscard]] std::uint64_t acknowledged_bytes(Lending& lent);
  Turn linger(Lending& lent);
  void on_io_failure(Lending& lent, const Error& error);

  // connection_deadline.cpp
  [[nodiscard]] Deadline next_deadline(const Lending& lent) const;
  [[nodiscard]] TimePoint ping_due(const Lending& lent) const noexcept;
  [[nodiscard]] bool may_be_asked() const noexcept;
  [[nodiscard]] bool comes_nearer_to_the_ping(Lending& lent);
  void note_alive(TimePoint now) noexcept {
    if (h2_ == nullptr) return;
    h2_->last_alive = now;
    h2_->ping_sent = kNever;
  }
  [[nodiscard]] TimePoint deadline_due() const noexcept;
  void arm(Lending& lent);
  void on_deadline(Lending& lent, const Deadline& deadline);
  void on_window_end(Lending& lent, const Deadline& deadline);
  void on_handler_timeout(Lending& lent, Exchange& exchange);
  void cut_stalled(Lending& lent, std::uint64_t need);
  [[nodiscard]] bool serves_others() const;
  void on_max_age(Lending& lent);
  void retire(Lending& lent, CloseReason reason);
  [[nodiscard]] TimePoint goaway_due(const Lending& lent) const noexcept;
  void finish_retiring(Lending& lent);
  void evict(Lending& lent, const TimerVerdict& verdict, DeadlineKind kind, Duration after, int status);
  /// A reload changes nothing for an answer that is on its way: until it is out, the settings of the oldest request
  /// hold.
  [[nodiscard]] const Settings& oldest_settings(const Lending& lent) const noexcept;

  // connection_account.cpp: everything telemetry is told
  void account_opened(Lending& lent, const Endpoint& peer);
  void account_handshake(Lending& lent);
  void account_handshake_failed(Lending& lent, const Error& error);
  void account_client(const Endpoint& client);
  void account_request_client(const Endpoint& client);
  void account_protocol(Lending& lent, Protocol protocol);
  void account_upgrade(Lending& lent);
  void account_received(Lending& lent, std::size_t bytes);
  void account_sent(Lending& lent, std::uint64_t bytes);
  void account_turn(Lending& lent);
  void publish_record(Lending& lent);
  void count_bytes(Lending& lent);
  std::uint64_t count_socket_bytes(Lending& lent);
  void account_refusal(Lending& lent, Errc code);
  void account_rejected(Lending& lent, RequestRejectReason reason);
  void account_request_started(Lending& lent, Exchange& exchange);
  void account_request(Lending& lent, Exchange& exchange);
  /// What is shown of "the" request is of one: with HTTP/2 an older one may be open longer, or end later.
  [[nodiscard]] bool is_newest(const Exchange& exchange) const noexcept {
    return exchange.stream == newest_stream_ && !newest_is_refused_;
  }
  void account_counters(Lending& lent);
  void tell_peak_streams(std::uint32_t peak) noexcept;
  void tell_streams(Lending& lent, std::uint32_t open, std::uint32_t half_closed);
  void begin_write_window(Lending& lent);
  /// The peer has not taken what there is for it.
  [[nodiscard]] bool is_behind() const noexcept { return aside_ != nullptr && aside_->write_window.is_running(); }
  void refresh_sample(Lending& lent);
  void look_again_while_blocked(Lending& lent) noexcept;
  [[nodiscard]] LimitedBy limited_by(const net::TcpInfo& info) const noexcept;
  void sample_at_close(Lending& lent, telemetry::CloseFacts& facts) const;
  void log_close(Lending& lent) const;
  [[nodiscard]] inline RecordHot hot_record(const Lending& lent) const noexcept;
  /// What is ready for the peer and waits for it: in the batch, and behind the windows of HTTP/2.
  [[nodiscard]] std::uint64_t waiting_bytes() const noexcept {
    return pending_bytes() + (h2_ == nullptr ? 0 : h2_->window_waiting_bytes);
  }
  /// memory().total(), quickly where there is nothing but the connection: after most turns.
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept;

  net::TimerNode timer_;  ///< its token is the id
  /// What observers read; peer, time of opening and byte counts stand nowhere else.
  telemetry::RecordSlot* record_;
  InPlace<net::Transport, sizeof(net::TcpTransport)> transport_;
  InPlace<http::Codec, sizeof(http::Http1Codec)> codec_;
  std::unique_ptr<ByteHold> held_;
  std::unique_ptr<EgressBatch> egress_;
  std::unique_ptr<Http2Facts> h2_;
  std::unique_ptr<Aside> aside_;
  Exchange* exchanges_{nullptr};  ///< oldest first
  TimePoint phase_start_;         ///< start of what the deadline watches: handshake, first request, head, idle
  std::uint16_t listener_{0};
  std::uint16_t counted_in_{0};
  std::uint32_t request_count_{0};
  StreamId newest_stream_{0};  ///< of the newest request that became an exchange
  RouteId newest_route_{0};
  std::uint16_t newest_status_{0};
  std::uint8_t newest_method_{0};
  Protocol protocol_{Protocol::unknown};
  ConnectionState state_{ConnectionState::reading_head};
  DeadlineKind deadline_kind_{DeadlineKind::none};
  CloseReason reason_{};
  std::optional<CloseReason> planned_;      ///< of a connection that ends once all is sent, if nothing is quicker
  DeadlineKind fired_{DeadlineKind::none};  ///< the timer that ended it
  Ending ending_{Ending::none};
  bool has_reason_ : 1 {false};
  bool is_tls_ : 1 {false};
  bool is_shaking_hands_ : 1 {false};
  bool awaits_proxy_header_ : 1 {false};
  bool is_readable_ : 1 {true};  ///< at first too: often the request is there already when its connection is accepted
  bool is_writable_ : 1 {true};
  bool saw_hangup_ : 1 {false};     ///< RDHUP or HUP: a short read no longer means drained
  bool peer_finished_ : 1 {false};  ///< FIN received
  bool input_end_told_ : 1 {false};
  bool head_started_ : 1 {false};          ///< phase_start_ is the first byte of a head, or of what is timed like one
  bool request_head_started_ : 1 {false};  ///< of a request's own
  bool codec_accepts_ : 1 {true};          ///< CodecState::can_receive of the last turn
  bool window_blocked_ : 1 {false};        ///< HTTP/2: data is ready and the peer's windows are closed
  bool closes_after_response_ : 1 {false};
  bool got_bytes_ : 1 {false};
  bool owes_egress_ : 1 {false};        ///< the turn's budget ended before the bodies did
  bool awaits_preface_ : 1 {false};     ///< upgraded to h2c: nothing is sent before the client has followed
  bool newest_is_refused_ : 1 {false};  ///< the newest request never became an exchange
  bool moved_ : 1 {false};              ///< bytes in this turn, before there was a reason to end
  bool has_lingered_ : 1 {false};       ///< from phase_start_ on
  bool held_is_fresh_ : 1 {false};      ///< the held bytes may be used further without new ones
};

}  // namespace equinox::server
