#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "base/result.hpp"
#include "http/codec.hpp"
#include "http/date.hpp"
#include "http/http2_budget.hpp"
#include "http/http2_error.hpp"
#include "http/http2_priority_wishes.hpp"
#include "http/http2_session_memory.hpp"
#include "http/http2_stream.hpp"
#include "http/limits.hpp"

struct nghttp2_session;
struct nghttp2_rcbuf;

namespace equinox::http {

inline constexpr std::uint32_t kMaxSettingsEntries = 32;  ///< in one SETTINGS frame (CVE-2020-11080)

/// One nghttp2 server session and its streams. The library is visible in the implementation of this class only: its
/// callbacks, all noexcept, append events and note what went wrong; they never call outward.
/// Owning reactor's thread only. `limits` and `memory` outlive the session.
class Http2Session {
 public:
  /// Queues SETTINGS and the connection's window first.
  Http2Session(const Limits& limits, Scheme scheme, Http2Memory& memory, TimePoint now);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  /// Opens stream 1, half-closed, from a request that came by HTTP/1.1 (RFC 7540 §3.2).
  /// @return nullptr when the settings cannot be applied
  Http2Stream* upgrade(std::string_view settings_payload, const RequestHead& head);

  /// Frees what the last turn closed and takes the time for everything until the next call.
  void begin_turn(TimePoint now) noexcept;
  /// Feeds whole or cut frames. Check failure() afterwards.
  void receive(std::span<const std::byte> bytes, std::vector<CodecEvent>& events);
  /// Appends frames until `batch` holds `high_watermark` bytes or nothing more may be sent.
  void transmit(EgressBatch& batch, std::size_t high_watermark, std::vector<CodecEvent>& events);
  /// Why the connection ends, once it does. Its GOAWAY is queued.
  [[nodiscard]] const std::optional<Error>& failure() const noexcept { return failure_; }
  void fail(Errc code, std::uint32_t h2_error);

  /// The open stream of that id, or nullptr.
  [[nodiscard]] Http2Stream* find(StreamId stream) noexcept {
    // Streams are mostly asked for in the order they came.
    if (next_asked_ == nullptr || next_asked_->id != stream) return look_up(stream);
    Http2Stream* found = next_asked_;
    next_asked_ = found->previous;
    return found;
  }
  /// Hands a head over: appends its event.
  void announce(Http2Stream& stream, std::vector<CodecEvent>& events);
  /// Queues the response kept in `stream`; its body, if any, is pulled by transmit(). `date` may be nullptr.
  void submit_response(Http2Stream& stream, const DateCache* date);
  void submit_continue(Http2Stream& stream);
  /// Overrides what the client wished (RFC 9218 §8).
  void prioritize(Http2Stream& stream, Priority priority);
  void resume(Http2Stream& stream);
  void consume(Http2Stream& stream, std::size_t bytes);
  void reset(Http2Stream& stream, std::uint32_t error_code);
  void terminate(std::uint32_t error_code);
  void announce_shutdown();
  void finish_shutdown();
  void ping();
  /// One that is out will not be answered any more; another may be sent.
  void forget_ping() noexcept { ping_is_out_ = false; }

  /// When a stream that was answered before its request was complete has had time enough to complete it; kNever
  /// without one. RFC 9113 §8.1 allows to reset it at once, but not every client then looks at the answer.
  [[nodiscard]] TimePoint spent_due() const noexcept;
  /// Resets those whose time has come: the rest of the request is not wanted, and that is no error.
  void give_up_spent(TimePoint now);
  /// From here on it is counted what each stream gets through to the peer.
  void begin_write_window() noexcept;
  /// Of answers since then: heads and bodies, but nothing that only answers the peer's control frames.
  [[nodiscard]] std::uint64_t moved_bytes() const noexcept { return moved_bytes_; }
  /// Those that were behind a closed window when it began, still are, and got less than `need` bytes through. Where all
  /// together got that much, the window has to be their own.
  void stalled_streams(std::vector<StreamId>& into, std::uint64_t need) const;

  [[nodiscard]] bool wants_transmit() const noexcept;
  /// Neither side has anything left to say.
  [[nodiscard]] bool is_finished() const noexcept;
  /// An estimate of what is queued and not yet in a batch, bytes, without bodies.
  [[nodiscard]] std::size_t backlog_bytes() const noexcept;
  [[nodiscard]] std::uint32_t open_streams() const noexcept { return open_streams_; }
  [[nodiscard]] std::uint32_t half_closed_streams() const noexcept { return half_closed_streams_; }
  [[nodiscard]] std::uint32_t blocked_streams() const noexcept { return blocked_streams_; }
  /// What the blocked streams have ready, as far as it is known; an answer that fills the batch waits there instead.
  [[nodiscard]] std::uint64_t waiting_bytes() const noexcept { return waiting_bytes_; }
  [[nodiscard]] std::uint32_t peak_streams() const noexcept { return peak_streams_; }
  [[nodiscard]] std::int64_t connection_window() const noexcept;
  [[nodiscard]] std::int64_t receive_window() const noexcept;
  [[nodiscard]] bool has_unfinished_request() const noexcept;
  void describe(std::vector<StreamDescription>& into, TimePoint now) const;
  /// Bytes of memory held beyond this object. The library's table of streams is part of it while there are any: the
  /// page of an idle session may be the kernel's again at any time.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  [[nodiscard]] bool may_answer(std::uint8_t urgency, std::size_t bound) const noexcept {
    return memory_.charged_bytes() <= bound || may_answer_beyond(urgency, bound);
  }
  [[nodiscard]] Http2Budget& budget() noexcept { return budget_; }
  /// Made when first counted into, given back when taken: an idle connection has none.
  ProtocolCounters& counters();
  bool take_counters(ProtocolCounters& into, TimePoint now) noexcept;
  /// True for one of the last streams that both sides had ended: more frames for it are an error, not a race.
  [[nodiscard]] bool was_completed(StreamId stream) const noexcept;

 private:
  struct Callbacks;
  friend struct Callbacks;

  void rest() noexcept;
  Http2Stream* look_up(StreamId stream) noexcept;
  Http2Stream* find_sending(StreamId stream) noexcept {
    return sending_ != nullptr && sending_->id == stream ? sending_ : find(stream);
  }
  bool is_valid(nghttp2_rcbuf* authority, std::string_view text) noexcept;
  void open(Http2Stream& stream) noexcept;
  void close(Http2Stream& stream, std::uint32_t error_code);
  void count(const Http2Stream& stream) noexcept {
    ++open_streams_;
    half_closed_streams_ += stream.is_remote_closed ? 1U : 0U;
  }
  void uncount(const Http2Stream& stream) noexcept {
    --open_streams_;
    half_closed_streams_ -= stream.is_remote_closed ? 1U : 0U;
  }
  void note_upload(Http2Stream& stream, std::size_t bytes) noexcept;
  void forget_upload(Http2Stream& stream);
  void widen(Http2Stream& stream);
  void give_back();
  void finish_response(Http2Stream& stream);
  void finish_head(Http2Stream& stream, bool end_of_stream);
  void finish_body(Http2Stream& stream);
  static void append(std::vector<CodecEvent>& events, const Http2Stream& stream, EventKind kind,
                     std::uint64_t error_code = 0);
  [[nodiscard]] bool may_answer_beyond(std::uint8_t urgency, std::size_t bound) const noexcept;
  void note_spent(Http2Stream& stream) noexcept;
  void forget_spent(Http2Stream& stream) noexcept;
  void refuse(Http2Stream& stream, Errc error);
  void spend(BudgetKind kind);
  void note(Errc error, std::uint32_t h2_error = kH2EnhanceYourCalm) noexcept;
  void update_priority(std::string_view payload);
  void send_queued_control();
  void settle();
  void end_fatally(int library_error);
  void count_blocked_time(TimePoint now) noexcept;
  void mark_blocked() noexcept;
  void free_closed() noexcept;
  void submit_trailers(Http2Stream& stream);

  const Limits& limits_;
  Http2SessionMemory memory_;
  Scheme scheme_;
  bool is_fatal_{false};
  bool connection_is_blocked_{false};
  bool ping_is_out_{false};
  bool sends_forced_tiny_{false};  ///< the DATA frame being written is as small as the peer's window makes it
  bool table_rests_{false};
  nghttp2_session* session_{nullptr};
  Http2Budget budget_;
  TimePoint now_;
  TimePoint looked_at_{};
  TimePoint ping_sent_{};
  TimePoint oldest_spent_at_{};       ///< or earlier
  Http2Stream* streams_{nullptr};     ///< the newest first
  Http2Stream* next_asked_{nullptr};  ///< a guess which one find() is asked for next
  Http2Stream* sending_{nullptr};     ///< whose DATA frame was written last
  Http2Stream* closed_{nullptr};      ///< freed at the next turn: their events are being applied in this one
  Http2Stream* current_{nullptr};     ///< whose header block is being decoded
  nghttp2_rcbuf* valid_authority_{
      nullptr};                ///< the library's text of the last :authority found valid, with a reference
  TimePoint id_indexed_at_{};  ///< when a request id last went into the peer's table, for its name
  std::vector<CodecEvent>* events_{nullptr};
  std::vector<CodecEvent> late_events_;  ///< of responses that ended while control frames were sent ahead
  EgressBatch* batch_{nullptr};
  std::size_t high_watermark_{0};
  std::string control_;          ///< frames sent ahead of the next batch
  std::string priority_update_;  ///< the payload of such a frame, as far as it has come
  Http2PriorityWishes wishes_;
  StreamId highest_opened_{0};
  std::uint32_t noted_h2_error_{0};
  std::optional<Errc> noted_;
  std::optional<Error> failure_;
  ProtocolCounters* counters_{nullptr};
  std::uint32_t open_streams_{0};
  std::uint32_t half_closed_streams_{0};  ///< those of them whose request is complete
  std::uint32_t answering_streams_{0};
  std::uint32_t deferred_streams_{0};
  std::uint32_t blocked_streams_{0};
  std::uint32_t spent_streams_{0};  ///< answered, and their requests still come
  std::uint64_t waiting_bytes_{0};
  std::uint64_t moved_bytes_{0};
  std::int64_t unconsumed_bytes_{0};  ///< of all streams
  std::uint32_t widened_bytes_{0};    ///< of their windows, beyond what SETTINGS announce
  std::uint32_t current_streams_{0};
  std::uint32_t responses_{0};
  std::uint32_t peak_streams_{0};
  static constexpr std::size_t kCompletedKept = 8;
  std::array<StreamId, kCompletedKept> completed_{};
  std::uint8_t completed_next_{0};
};

}  // namespace equinox::http
