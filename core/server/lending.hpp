#pragma once

#include <array>
#include <cstddef>
#include <equinox/hooks.hpp>
#include <equinox/ids.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "base/log.hpp"
#include "http/codec.hpp"
#include "http/date.hpp"
#include "http/exchange_link.hpp"
#include "http/http1_codec.hpp"
#include "http/http2_memory.hpp"
#include "net/timer_wheel.hpp"
#include "server/exchange.hpp"
#include "server/request_identity.hpp"
#include "server/settings.hpp"
#include "telemetry/reactor_telemetry.hpp"

namespace equinox::server {

/// How far a drain has come on a reactor.
enum class DrainStage : std::uint8_t {
  none,
  announced,  ///< everything is served, answers carry Connection: close, HTTP/2 gets its first GOAWAY
  closing,    ///< HTTP/2 gets its final GOAWAY, a second after its first; idle HTTP/1 closes once silent for a second
};

/// Between the two GOAWAYs lies at least a round trip (RFC 9113 §6.8); in a drain an idle HTTP/1 peer gets the same
/// time.
inline constexpr Duration kBetweenGoaways = std::chrono::seconds{1};

/// Egress batches lent by a reactor. One that has grown large is not kept.
class BatchPool {
 public:
  std::unique_ptr<EgressBatch> take() {
    ++taken_;
    if (free_count_ != 0) return std::move(free_[--free_count_]);
    ++made_;
    return std::make_unique<EgressBatch>(kBlockBytes, &held_bytes_);
  }
  void give_back(std::unique_ptr<EgressBatch> batch) {
    if (batch->capacity_bytes() <= kKeptBlockBytes && free_count_ < kKeptAtMost) {
      free_[free_count_++] = std::move(batch);
    }
  }
  [[nodiscard]] telemetry::PoolCount count() const noexcept;

 private:
  static constexpr std::size_t kBlockBytes = 16 * 1024;
  static constexpr std::size_t kKeptBlockBytes = 256 * 1024;  ///< what a turn of bodies fills
  static constexpr std::size_t kKeptAtMost = 16;
  std::size_t held_bytes_{0};  ///< by the blocks of all batches, those that wait here included
  std::array<std::unique_ptr<EgressBatch>, kKeptAtMost> free_;
  std::size_t free_count_{0};
  std::uint64_t taken_{0};
  std::uint64_t made_{0};
};

inline telemetry::PoolCount BatchPool::count() const noexcept {
  telemetry::PoolCount out;
  for (std::size_t i = 0; i < free_count_; ++i) out.free_bytes += free_[i]->capacity_bytes();
  out.used_bytes = held_bytes_ - out.free_bytes;
  out.hits = taken_ - made_;
  out.misses = made_;
  return out;
}

class Admission;

/// What a reactor lends to its connections for the length of a call. Owning reactor's thread only.
struct Lending {
  static constexpr std::size_t kReadBufferBytes = 64 * 1024;

  ReactorIndex reactor{0};
  Clock clock;
  TimePoint now{};                ///< of this turn
  std::int64_t wall_ns{0};        ///< of this turn, Unix epoch
  TimePoint ready_at{};           ///< when the input that is read now was known to be there
  TimePoint fine{};               ///< the latest reading: after a handler, after a flush
  Admission* admission{nullptr};  ///< of all reactors: memory, and connections by client
  std::shared_ptr<const Settings> settings;
  http::Limits limits;  ///< a stable address for codecs; a reload writes into it
  net::TimerWheel wheel;
  ExchangePool exchanges;
  http::Http1ParserPool parsers;
  http::Http2Memory h2_memory;
  BatchPool batches;
  std::uint64_t turn_received_bytes{0};  ///< by the socket whose turn it is, not yet counted and in its record
  std::uint64_t turn_sent_bytes{0};
  std::uint32_t tcp_looks{0};  ///< at TCP_INFO of connections that live
  /// Allocated for what was received: messages cut in two, bodies that came in pieces, TLS handshakes that go on.
  std::uint64_t input_bytes{0};
  std::uint64_t input_told{0};  ///< of these, to whom admits
  http::DateCache date;
  http::Http1Shared http1{parsers, limits, date};
  std::vector<std::byte> read_buffer;
  std::vector<http::CodecEvent> events;
  telemetry::RequestSample
      sample;               ///< of the request that ends; every member is written, a new one would be zeroed first
  bool is_applying{false};  ///< events are being applied, further up the stack
  std::shared_ptr<const http::ExchangeLink::Mail> mail;
  telemetry::ReactorTelemetry& telemetry;
  LogProducer log;
  LogProducer access_log;
  const Hooks* hooks{nullptr};
  DrainStage drain{DrainStage::none};
  CloseReason drain_reason{CloseReason::drain};
  FixedText<16> drain_by{};
  TimePoint drain_began{};
  TimePoint drain_final_at{};  ///< of DrainStage::closing
  RequestIds request_ids{0, 0};

  Lending(ReactorIndex index, Clock time, std::string_view server_field, telemetry::ReactorTelemetry& cells)
      : reactor{index},
        clock{time},
        now{time.now()},
        ready_at{now},
        fine{now},
        wheel{now},
        date{server_field},
        read_buffer(kReadBufferBytes),
        telemetry{cells} {}
};

}  // namespace equinox::server
