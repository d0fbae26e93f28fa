#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "http/codec.hpp"
#include "http/date.hpp"
#include "http/http1_guard.hpp"
#include "http/http1_parser.hpp"
#include "http/http1_writer.hpp"
#include "http/limits.hpp"

namespace equinox::http {

/// What the codecs of one reactor share. All of it must outlive them.
struct Http1Shared {
  Http1ParserPool& parsers;
  const Limits& limits;
  const DateCache& date;
};

struct Http1Options {
  Scheme scheme{Scheme::http};
  bool h2c_upgrade_allowed{false};  ///< set head.upgrades_to_h2c on requests that ask for it exactly (RFC 7540 §3.2)
};

/// HTTP/1.1 and 1.0 (RFC 9112) on one connection. Small, because connections idle by the ten thousand: between messages
/// it holds no parser and no buffer.
///
/// What the connection needs to know:
/// - Refusing: after receive() has returned an error, respond(0, refusal_response(code), …) writes the answer unless an
///   answer of that message has already started; either way the codec is finished. Close with lingering.
/// - The size of bodies is the caller's to limit (a route may set its own bound): check head->content_length, then
/// count
///   body events, and respond 413.
/// - An answer given before the body was received entirely: what is left is discarded while it is little
///   (kDrainMaxBytes), then the next request is read; else the answer carries Connection: close and the codec is
///   finished. Discarded bytes make no events; until they have come, `head_started` is true so that the head deadline
///   bounds the wait (RFC 9112 §9.3).
/// - head->upgrades_to_h2c: write kSwitchingToH2c, replace this codec by an HTTP/2 one, or respond as usual.
/// - A head stays readable until the `sent` event has been handled, or until `input` is reused if that is earlier.
/// - After the peer's FIN: hand the bytes that are left to receive(), and call end_of_input() when none are left, again
///   after each answer: only then is the codec finished (requests pipelined before the FIN are answered).
/// - A BodySource must have been attached before respond().
class Http1Codec final : public Codec {
 public:
  Http1Codec(const Http1Shared& shared, Http1Options options) noexcept : shared_{&shared}, options_{options} {}
  Http1Codec(const Http1Codec&) = delete;
  Http1Codec& operator=(const Http1Codec&) = delete;
  ~Http1Codec() override { release(); }

  Result<std::size_t> receive(std::span<const std::byte> input, std::vector<CodecEvent>& events,
                              TimePoint now) override;
  void respond(StreamId stream, Response&& response, EgressBatch& batch, std::vector<CodecEvent>& events) override;
  void send_continue(StreamId stream, EgressBatch& batch) override;
  void transmit(EgressBatch& batch, std::size_t high_watermark, std::vector<CodecEvent>& events,
                TimePoint now) override;
  void resume(StreamId stream) override;
  void consume(StreamId stream, std::size_t bytes) override;
  void reset(StreamId stream, std::uint32_t error_code) override;
  bool end_of_input() override;
  void begin_drain(DrainStep step) override;
  [[nodiscard]] CodecState state() const override;
  [[nodiscard]] InputState input_state() const noexcept override {
    const bool is_in_head = ingress_ == Ingress::head && head_started_;
    return {.can_receive = ingress_ != Ingress::complete && ingress_ != Ingress::closed,
            .head_started = is_in_head || ingress_ == Ingress::discard,
            .request_head_started = is_in_head};
  }
  [[nodiscard]] bool is_finished() const noexcept override {
    const bool is_over = peer_ended_ && ingress_ == Ingress::head && rest_seen_;
    return (ingress_ == Ingress::closed && egress_ != Egress::streaming) || is_over;
  }

  [[nodiscard]] std::size_t memory_bytes() const noexcept override {
    return parser_ == nullptr ? 0 : parser_->memory_bytes();
  }

  /// The number of the request being received or answered, or of the next one.
  [[nodiscard]] StreamId stream() const noexcept { return stream_; }
  /// Bytes of an unread body that are discarded rather than closing the connection.
  static constexpr std::uint64_t kDrainMaxBytes = 64 * 1024;
  /// Bodies below this are copied into the batch, larger ones borrowed.
  static constexpr std::size_t kCopyMaxBytes = 4 * 1024;

 private:
  enum class Ingress : std::uint8_t {
    head,      ///< waiting for a head
    body,      ///< head delivered, body incomplete
    complete,  ///< message complete, its answer is not
    discard,   ///< answered before the body was complete
    closed,    ///< nothing more is read
  };
  enum class Egress : std::uint8_t {
    none,       ///< no answer has started
    streaming,  ///< a body source is being pulled
    done,       ///< the answer is in the batch
  };

  Result<std::size_t> receive_head(std::string_view input, std::vector<CodecEvent>& events);
  Result<std::size_t> receive_body(std::span<const std::byte> input, std::vector<CodecEvent>& events);
  Result<std::size_t> discard_body(std::span<const std::byte> input);
  Error fail(Error error, std::string_view head = {}) noexcept;
  void note_head(const RequestHead& head) noexcept;
  [[nodiscard]] bool can_discard_rest() const noexcept;
  [[nodiscard]] bool decide_keep_alive(const Response& response) const noexcept;
  [[nodiscard]] Framing decide_framing(const Response& response) noexcept;
  void leave_body_unread() noexcept;
  void start_body(Response&& response, const Framing& framing, EgressBatch& batch);
  void finish_answer(std::vector<CodecEvent>& events);
  void fail_answer(std::vector<CodecEvent>& events);
  void pull_once(EgressBatch& batch, std::size_t room, std::vector<CodecEvent>& events);
  void next_message();
  void close() noexcept;
  void release() noexcept;

  const Http1Shared* shared_;
  Http1Parser* parser_{nullptr};
  GuardState guard_;
  StreamId stream_{1};
  Http1Options options_;
  Ingress ingress_{Ingress::head};
  Egress egress_{Egress::none};
  bool head_started_ : 1 {false};
  bool blank_line_skipped_ : 1 {false};
  bool is_head_request_ : 1 {false};
  bool is_http10_ : 1 {false};
  bool peer_keeps_alive_ : 1 {true};
  bool expects_continue_ : 1 {false};
  bool continue_sent_ : 1 {false};
  bool keep_alive_ : 1 {true};   // decided when the answer starts
  bool is_waiting_ : 1 {false};  // the body source said pending
  bool is_draining_ : 1 {false};
  bool is_final_ : 1 {false};
  bool peer_ended_ : 1 {false};
  bool is_refusing_ : 1 {false};
  bool rest_seen_ : 1 {false};  // receive() was shown everything that is left
};
static_assert(sizeof(Http1Codec) <= 48);

}  // namespace equinox::http
