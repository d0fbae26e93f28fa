#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "base/result.hpp"
#include "http/codec.hpp"
#include "http/date.hpp"
#include "http/http2_frame_scanner.hpp"
#include "http/http2_memory.hpp"
#include "http/http2_opened_streams.hpp"
#include "http/http2_session.hpp"
#include "http/limits.hpp"

namespace equinox::http {

/// What a connection lends its codec. All references outlive it.
struct Http2Options {
  Scheme scheme{Scheme::http};
  const DateCache* date{nullptr};  ///< Date and Server; nullptr: neither is sent
  Http2Memory& memory;
  TimePoint now{};
};

/// HTTP/2 on one connection (RFC 9113): policy over an Http2Session. It answers SETTINGS, PING and flow control by
/// itself; it ends a connection, with a reason, whose peer spends a budget or sends what the library tolerates.
///
/// What a peer sends in one turn is applied by the caller before the next call: storage of streams that were closed is
/// freed by the next call that is given a time.
class Http2Codec final : public Codec {
 public:
  Http2Codec(const Limits& limits, const Http2Options& options);

  /// After an HTTP/1.1 request was answered 101 (RFC 7540 §3.2): the request, which has no body, becomes stream 1,
  /// half-closed; its head event is the first of the first receive(), which may be given no bytes. `head` is copied.
  /// @error invalid_argument: the settings are none
  static Result<std::unique_ptr<Http2Codec>> upgraded(std::string_view settings_payload, const RequestHead& head,
                                                      const Limits& limits, const Http2Options& options);

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
  void ping(TimePoint now) override;
  [[nodiscard]] TimePoint next_due() const noexcept override;
  void give_up_due(TimePoint now) override;
  [[nodiscard]] const Error* failure() const noexcept override {
    return session_.failure() ? &*session_.failure() : nullptr;
  }
  void begin_write_window() noexcept override;
  [[nodiscard]] bool may_answer(std::uint8_t urgency, std::size_t bound) const noexcept override {
    return session_.may_answer(urgency, bound);
  }
  [[nodiscard]] std::uint64_t moved_bytes() const noexcept override { return session_.moved_bytes(); }
  void stalled_streams(std::vector<StreamId>& into, std::uint64_t need) const override;
  void terminate(std::uint32_t error_code) override;
  [[nodiscard]] CodecState state() const override;
  [[nodiscard]] InputState input_state() const noexcept override;
  [[nodiscard]] bool is_finished() const noexcept override;
  bool take_counters(ProtocolCounters& into, TimePoint now) override { return session_.take_counters(into, now); }
  void describe(std::vector<StreamDescription>& into, TimePoint now) const override { session_.describe(into, now); }
  [[nodiscard]] bool is_held_up(StreamId stream) override;
  [[nodiscard]] std::uint64_t unframed_bytes(StreamId stream) override;
  [[nodiscard]] std::int64_t receive_window() const noexcept override { return session_.receive_window(); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept override { return sizeof(*this) + session_.memory_bytes(); }

 private:
  /// @error what ends the connection, with the code of its GOAWAY as detail
  Result<void> scan(std::span<const std::byte> input, std::size_t& fed, std::vector<CodecEvent>& events);
  Result<void> judge(const FrameHeader& frame, std::span<const std::byte> payload);
  Result<void> judge_headers(const FrameHeader& frame);
  Result<void> judge_data(const FrameHeader& frame);
  Result<void> spend(BudgetKind kind);
  [[nodiscard]] bool was_reset_by_peer(StreamId stream) const noexcept;

  const Limits limits_;  ///< a copy: a reload replaces the server's while this connection lives
  const DateCache* date_;
  Http2FrameScanner scanner_;
  Http2Session session_;
  TimePoint now_;
  Http2Stream* upgraded_{nullptr};  ///< stream 1 until its head event is out
  StreamId highest_stream_{0};      ///< of a HEADERS frame seen
  StreamId highest_fed_{0};         ///< the same when the library saw its last byte
  std::uint32_t continuations_{0};  ///< in a row
  bool peer_is_done_{false};
  bool peer_has_reset_{false};
  std::uint8_t reset_next_{0};
  std::array<StreamId, 8> reset_by_peer_{};  ///< the last streams the peer has reset
  Http2OpenedStreams opened_;
};

}  // namespace equinox::http
