#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "http/http2_codec.hpp"
#include "http/negotiate.hpp"

// One HTTP/2 connection. The first octet chooses how the rest is cut and answered; the rest are frames, behind a
// preface unless the choice says that the input brings its own. Checked besides crashes: no stream is told about twice,
// counts add up, a connection that has failed stays failed, and all memory comes back.

namespace {

using namespace equinox;
using namespace equinox::http;

void expect(bool claim) {
  if (!claim) std::abort();
}

/// Gives a few bytes, says pending, gives more.
class HesitatingSource final : public BodySource {
 public:
  PullResult pull(std::span<char> into) override {
    if (++turn_ % 2 == 0) return {PullStatus::pending, 0};
    std::memset(into.data(), 'b', into.size());
    return {turn_ > 5 ? PullStatus::end : PullStatus::bytes, into.size()};
  }

 private:
  int turn_{0};
};

class Conversation {
 public:
  Conversation(std::uint8_t choice, Http2Memory& memory) : choice_{choice} {
    limits_.h2_control_burst = 200;
    limits_.head_max_bytes = 4096;
    limits_.trailers_max_bytes = 256;
    codec_ = std::make_unique<Http2Codec>(
        limits_, Http2Options{.scheme = Scheme::http, .date = nullptr, .memory = memory, .now = clock_.now()});
  }

  void feed(std::span<const std::byte> bytes) {
    static constexpr std::size_t kPieces[] = {1U << 20U, 1, 3, 100};
    const std::size_t piece = kPieces[choice_ & 3U];
    while (!bytes.empty() && !has_failed_) {
      const auto part = bytes.first(std::min(piece, bytes.size()));
      const std::vector<std::byte> exact{part.begin(), part.end()};
      turn(exact);
      bytes = bytes.subspan(part.size());
    }
    if (has_failed_) expect(!codec_->receive({}, events_, clock_.now()).has_value());
    static_cast<void>(codec_->end_of_input());
    transmit();
  }

 private:
  struct Seen {
    bool has_head{false};
    bool is_answered{false};
    bool is_over{false};
  };

  void turn(std::span<const std::byte> bytes) {
    clock_.advance(std::chrono::milliseconds{1});
    has_failed_ = !codec_->receive(bytes, events_, clock_.now()).has_value();
    apply();
    transmit();
  }

  void transmit() {
    codec_->transmit(batch_, (choice_ & 4U) != 0 ? 100 : 1U << 20U, events_, clock_.now());
    apply();
    batch_.clear();
    for (const auto& [stream, seen] : seen_) {
      if (!seen.is_over) codec_->resume(stream);
    }
    const CodecState state = codec_->state();
    std::size_t open = 0;
    for (const auto& [stream, seen] : seen_) open += seen.is_over ? 0 : 1;
    if (!has_failed_) expect(state.open_streams == open);
    expect(state.half_closed_streams <= state.open_streams);
    std::vector<StreamDescription> streams;
    codec_->describe(streams, clock_.now());
    ProtocolCounters counters;
    static_cast<void>(codec_->take_counters(counters, clock_.now()));
  }

  void apply() {
    const auto events = std::exchange(events_, {});
    for (const CodecEvent& event : events) {
      Seen& seen = seen_[event.stream];
      expect(!seen.is_over);
      switch (event.kind) {
        case EventKind::head:
          expect(!seen.has_head);
          seen.has_head = true;
          check(*event.head);
          break;
        case EventKind::body:
          expect(seen.has_head);
          sum_ = sum_ + (event.size == 0 ? 0 : static_cast<unsigned>(event.data[event.size - 1]));
          if (!seen.is_answered) check(event.trailers());
          if ((choice_ & 8U) != 0) codec_->consume(event.stream, event.size);
          break;
        case EventKind::announced: expect(false); break;  // HTTP/1 only
        case EventKind::refused: break;
        case EventKind::malformed:
        case EventKind::reset:
        case EventKind::sent:
        case EventKind::failed: seen.is_over = true; continue;
      }
      if (event.end_of_message || event.kind == EventKind::refused || (choice_ & 16U) != 0) {
        seen.is_answered = true;
        answer(event.stream);
      }
    }
  }

  void check(std::span<const Field> fields) {
    for (const Field& field : fields) {
      expect(!field.name.starts_with(':'));
      for (const char c : field.value) sum_ = sum_ + static_cast<unsigned char>(c);
    }
  }

  void check(const RequestHead& head) {
    check(head.fields);
    expect(head.path.empty() || head.path.front() == '/' || head.path == "*");
    expect(head.urgency <= 7);
  }

  void answer(StreamId stream) {
    switch (stream / 2 % 4) {
      case 0: return codec_->respond(stream, Response::literal("ok", "text/plain"), batch_, events_);
      case 1: return codec_->respond(stream, Response::text(std::string(70'000, 't')), batch_, events_);
      case 2:
        return codec_->respond(stream, Response::stream(std::make_unique<HesitatingSource>(), "text/plain"), batch_,
                               events_);
      default: return;  // nobody answers
    }
  }

  std::uint8_t choice_;
  Limits limits_;
  ManualClock clock_;
  std::unique_ptr<Http2Codec> codec_;
  EgressBatch batch_;
  std::vector<CodecEvent> events_;
  std::map<StreamId, Seen> seen_;
  bool has_failed_{false};
  volatile unsigned sum_{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Http2Memory memory;
  {
    Conversation conversation{data[0], memory};
    std::string wire;
    if ((data[0] & 32U) == 0) wire = kHttp2Preface;
    wire.append(reinterpret_cast<const char*>(data) + 1, size - 1);
    conversation.feed(std::as_bytes(std::span{wire.data(), wire.size()}));
  }
  expect(memory.used_bytes() == 0);
  return 0;
}
