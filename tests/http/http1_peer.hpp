#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/http1_codec.hpp"
#include "http/refusal.hpp"

namespace equinox::http::test {

/// All bytes of a batch; files as "<file offset+length>".
inline std::string text_of(const EgressBatch& batch) {
  std::string text;
  for (const auto& segment : batch.segments()) {
    if (segment.kind == EgressBatch::Kind::file) {
      text.append("<file ").append(std::to_string(segment.offset)).append("+").append(std::to_string(segment.length));
      text.append(">");
    } else {
      text.append(batch.bytes_of(segment));
    }
  }
  return text;
}

/// A codec with what a connection would lend it, and a peer that sends text.
class Http1Peer {
 public:
  explicit Http1Peer(Http1Options options = {}, Limits chosen = {}) : limits{chosen}, codec{shared, options} {}

  /// Hands over `bytes` behind what was left unused; returns how many bytes receive() used.
  std::size_t send(std::string_view bytes) {
    unused.append(bytes);
    return receive();
  }
  /// Hands over what is left unused.
  std::size_t receive() {
    events.clear();
    last_input = unused;
    auto used = codec.receive(std::as_bytes(std::span{last_input}), events, TimePoint{});
    if (!used) {
      error = used.error().code;
      has_failed = true;
      return 0;
    }
    unused.erase(0, *used);
    return *used;
  }
  void respond(Response response) { codec.respond(codec.stream(), std::move(response), batch, sent_events); }
  [[nodiscard]] const RequestHead* head() const {
    for (const CodecEvent& event : events) {
      if (event.kind == EventKind::head) return event.head;
    }
    return nullptr;
  }
  [[nodiscard]] std::string body() const {
    std::string text;
    for (const CodecEvent& event : events) {
      if (event.kind != EventKind::body) continue;
      text.append(reinterpret_cast<const char*>(event.data), event.size);
    }
    return text;
  }
  std::string take_output() {
    std::string text = text_of(batch);
    batch.clear();
    return text;
  }

  Limits limits;
  Http1ParserPool pool;
  DateCache date;
  Http1Shared shared{pool, limits, date};
  Http1Codec codec;
  std::vector<CodecEvent> events;       // of the last receive()
  std::vector<CodecEvent> sent_events;  // of respond() and transmit()
  EgressBatch batch;
  std::string unused;
  std::string last_input;  // what `events` point into
  Errc error{Errc::system};
  bool has_failed{false};
};

}  // namespace equinox::http::test
