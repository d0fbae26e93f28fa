#pragma once

#include <cstddef>
#include <cstdint>
#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "base/result.hpp"

namespace equinox::http {

enum class EventKind : std::uint8_t {
  head,       ///< a request's head; `end_of_message`: no body follows
  body,       ///< bytes of its body; may be empty with `end_of_message`
  announced,  ///< HTTP/1: a chunk of `size` bytes begins; one that is too large is refused before it comes
  reset,      ///< the peer gave the stream up (HTTP/2 RST_STREAM); `error_code`
  malformed,  ///< HTTP/2 has reset the stream for what is wrong with its head; `head` as for refused, nothing else came
  refused,  ///< this request cannot be served, others can: answer `error` (HTTP/2 only); a head event may not have come
            ///< before: `head` then has its method and the beginning of its target, where they are known
  sent,     ///< from transmit: the last byte of this stream's response is in the batch
  failed,   ///< from transmit: the response's body source failed; HTTP/2 has reset the stream, HTTP/1 must close
};

/// 32 bytes, tagged.
struct CodecEvent {
  EventKind kind{EventKind::head};
  bool end_of_message{false};
  Errc error{Errc::system};  ///< malformed, refused; reset: h2_protocol where it is ours, for a mistake of the peer
  StreamId stream{0};
  union {
    const RequestHead* head;   ///< head, malformed, refused
    const std::byte* data;     ///< body
    std::uint64_t error_code;  ///< reset: HTTP/2 error code
  };
  std::size_t size{0};  ///< body: bytes; reset: bytes of the answer's body that no frame has taken
  /// With `end_of_message` of a body event: the trailer fields (RFC 9110 §6.5), null when there are none. Fields that
  /// frame or route are left out. Live as long as the body bytes, and no longer than until the answer is begun.
  const std::span<const Field>* trailer_fields{nullptr};
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data, size}; }
  [[nodiscard]] std::span<const Field> trailers() const noexcept {
    return trailer_fields == nullptr ? std::span<const Field>{} : *trailer_fields;
  }
};
static_assert(sizeof(CodecEvent) <= 32);

/// What a connection asks after each piece of input.
struct InputState {
  bool can_receive{true};    ///< false: awaiting an answer (HTTP/1) or output backlog (HTTP/2); do not feed
  bool head_started{false};  ///< bytes of an incomplete request head are held or were seen (deadline kind `head`)
  bool request_head_started{false};  ///< … and of nothing else that is timed like one: the head itself has begun
  bool preface_is_open{false};       ///< HTTP/2: the connection preface has not come in whole
};

/// One answer for all questions a connection has after a turn; ask once a turn.
struct CodecState : InputState {
  bool is_finished{false};                ///< nothing more will be received or sent: close when the batch is empty
  bool wants_transmit{false};             ///< transmit() would append bytes now
  std::uint32_t open_streams{0};          ///< requests received and not completely answered
  std::uint32_t half_closed_streams{0};   ///< those of them whose request was received to its end; HTTP/1: 0
  std::uint32_t peak_streams{0};          ///< most that were open at once, within a turn too; HTTP/1: 0
  std::uint32_t window_blocked{0};        ///< streams with data ready and the peer's window closed
  std::uint64_t window_waiting_bytes{0};  ///< what they have ready, as far as the lengths of their bodies are known
  std::int64_t connection_window{0};      ///< bytes the peer lets us send on the connection; HTTP/1: 0
};

/// Counted by codecs, taken by the connection once a turn. HTTP/2 only; plain deltas since the last take.
struct ProtocolCounters {
  static constexpr std::size_t kFrameTypes = 11;  ///< RFC 9113 types 0–9, then all others
  static constexpr std::size_t kErrorCodes = 15;  ///< RFC 9113 §7 codes 0–13, then all others
  std::uint32_t frames_received[kFrameTypes]{};
  std::uint32_t frames_sent[kFrameTypes]{};
  std::uint32_t resets_received[kErrorCodes]{};
  std::uint32_t resets_sent[kErrorCodes]{};
  std::uint32_t goaways_received[kErrorCodes]{};
  std::uint32_t goaways_sent[kErrorCodes]{};
  std::uint32_t streams_opened{0};
  std::uint32_t last_goaway_code{0};  ///< HTTP/2 error code of the last GOAWAY sent or received
  std::uint32_t last_stream{0};
  std::uint64_t ping_rtt_ns{0};        ///< last measured round trip, 0 when none since the last take
  std::uint64_t stream_blocked_ns{0};  ///< data ready, stream window closed
  std::uint64_t connection_blocked_ns{0};
};

/// One stream as the drawer shows it.
struct StreamDescription {
  StreamId stream{0};
  Method method{Method::get};
  std::uint8_t urgency{3};
  bool incremental{false};
  bool is_local_closed{false};
  bool is_remote_closed{false};
  std::int64_t send_window_bytes{0};
  std::int64_t receive_window_bytes{0};
  std::uint64_t pending_bytes{0};
  std::uint64_t blocked_ns{0};
  std::string target;
};

enum class DrainStep : std::uint8_t {
  announce,  ///< HTTP/2: first GOAWAY (2^31-1); HTTP/1: the next answers carry Connection: close
  final,  ///< HTTP/2: GOAWAY with the last stream taken; HTTP/1: closes after the answer in progress, at once when idle
};

/// Bytes ↔ events for one protocol version on one connection. Owning reactor's thread only; never throws (allocation
/// failure ends the process). Knows no descriptor and no clock: `now` arrives with receive and transmit.
class Codec {
 public:
  virtual ~Codec() = default;

  /// Turns received bytes into events.
  /// @param input   unread bytes, oldest first; bytes not used must be presented again, with more behind them
  /// @param events  appended in wire order. HTTP/1: views inside `head` point into `input` and into the lent parser and
  ///                live until the next receive() or until `input` is reused, whichever is first. HTTP/2: a head lives
  ///                until its stream is closed; body bytes live until the next receive().
  /// @return bytes used, 0..input.size(). HTTP/1 stops at the end of each request: fewer are used while a request
  ///         awaits its answer (RFC 9112 §9.3.2) or a head is not complete.
  /// @error  HTTP/1: refuse with the status of the code and close; HTTP/2 has queued its GOAWAY already: transmit,
  /// close.
  virtual Result<std::size_t> receive(std::span<const std::byte> input, std::vector<CodecEvent>& events,
                                      TimePoint now) = 0;

  /// Starts the answer to `stream`. HTTP/1 renders head and small bodies into `batch` at once; HTTP/2 keeps the
  /// response and lets transmit() pull. A response to a stream that is gone is dropped. HEAD, 204 and 304 are the
  /// codec's concern. When no more of the response remains to be pulled, appends a `sent` event (HTTP/1; HTTP/2 does so
  /// in transmit).
  virtual void respond(StreamId stream, Response&& response, EgressBatch& batch, std::vector<CodecEvent>& events) = 0;

  /// HTTP/1: 100 Continue (RFC 9110 §15.2.1), at most once and only while no answer has started; HTTP/2: 100 HEADERS.
  virtual void send_continue(StreamId stream, EgressBatch& batch) = 0;

  /// Appends what is ready until `batch` holds `high_watermark` bytes; appends `sent` and `failed` events.
  virtual void transmit(EgressBatch& batch, std::size_t high_watermark, std::vector<CodecEvent>& events,
                        TimePoint now) = 0;

  /// The body source of `stream` said `pending` and has been resumed.
  virtual void resume(StreamId stream) = 0;

  /// `bytes` of the body of `stream` were taken by the application: HTTP/2 opens the windows again (RFC 9113 §5.2).
  virtual void consume(StreamId stream, std::size_t bytes) = 0;

  /// Gives a stream up: HTTP/2 RST_STREAM with `error_code` (RFC 9113 §7); HTTP/1 finishes the connection.
  virtual void reset(StreamId stream, std::uint32_t error_code) = 0;

  /// The peer will send no more bytes (FIN). Idempotent. An incomplete message is reported by a return of true.
  virtual bool end_of_input() = 0;

  virtual void begin_drain(DrainStep step) = 0;

  /// HTTP/2: queues a PING whose answer gives ping_rtt_ns; HTTP/1: nothing.
  virtual void ping(TimePoint now) { static_cast<void>(now); }

  /// HTTP/2: when give_up_due() has something to do; kNever without.
  [[nodiscard]] virtual TimePoint next_due() const noexcept { return kNever; }
  /// HTTP/2: resets streams that were answered a while ago and whose requests still come.
  virtual void give_up_due(TimePoint now) { static_cast<void>(now); }

  /// HTTP/2: what ends the connection, once something does; it may have been found while sending. nullptr otherwise.
  [[nodiscard]] virtual const Error* failure() const noexcept { return nullptr; }

  /// HTTP/2: whether a further answer may be made although earlier ones wait in memory of their own for the peer's
  /// windows: those take `bound` bytes at most, the largest left out, or were all asked for less urgently. So one large
  /// answer holds up nobody, and their memory has an end all the same: there are eight urgencies.
  [[nodiscard]] virtual bool may_answer(std::uint8_t /*urgency*/, std::size_t /*bound*/) const noexcept { return true; }

  /// HTTP/2: a window of time begins after which stalled_streams() is asked.
  virtual void begin_write_window() noexcept {}
  /// HTTP/2: bytes of answers that the peer's windows let through since then.
  [[nodiscard]] virtual std::uint64_t moved_bytes() const noexcept { return 0; }
  /// HTTP/2: streams that had data for the peer when that window began, still have it behind a closed window, and got
  /// less than `need` bytes through. Where all together got that much, the window has to be their own.
  virtual void stalled_streams(std::vector<StreamId>& into, std::uint64_t need) const {
    static_cast<void>(into);
    static_cast<void>(need);
  }

  /// HTTP/2: queues GOAWAY with this code (eviction, abuse); HTTP/1: nothing.
  virtual void terminate(std::uint32_t error_code) { static_cast<void>(error_code); }

  [[nodiscard]] virtual CodecState state() const = 0;
  /// That part of it alone: it is asked more often than the rest.
  [[nodiscard]] virtual InputState input_state() const noexcept = 0;
  /// CodecState::is_finished alone, likewise.
  [[nodiscard]] virtual bool is_finished() const noexcept = 0;

  /// Adds the counts since the last call to `into`, blocked time up to `now`; false when there is nothing to add.
  virtual bool take_counters(ProtocolCounters& into, TimePoint now) {
    static_cast<void>(into);
    static_cast<void>(now);
    return false;
  }

  /// Fills one entry per open stream (HTTP/2), blocked time up to `now`.
  virtual void describe(std::vector<StreamDescription>& into, TimePoint now) const {
    static_cast<void>(into);
    static_cast<void>(now);
  }

  /// HTTP/2: whether the stream is being answered and the peer's windows, or the room in a batch, keep it from that;
  /// what its body source waits for does not.
  [[nodiscard]] virtual bool is_held_up(StreamId /*stream*/) { return false; }
  /// HTTP/2: bytes of the stream's answer that no frame has taken yet; 0 once the stream is gone.
  [[nodiscard]] virtual std::uint64_t unframed_bytes(StreamId /*stream*/) { return 0; }

  /// Bytes of memory held beyond sizeof(Http1Codec), which a connection has room for: a lent parser; a session with its
  /// streams and the texts they answer with. Ask once a turn.
  [[nodiscard]] virtual std::size_t memory_bytes() const noexcept = 0;

  /// Bytes the peer may send on the connection before we grant more (HTTP/2; else 0). Asked by observers only.
  [[nodiscard]] virtual std::int64_t receive_window() const noexcept { return 0; }
};

}  // namespace equinox::http
