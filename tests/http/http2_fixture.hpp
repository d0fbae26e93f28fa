#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/egress_batch.hpp"
#include "http/http2_client.hpp"
#include "http/http2_codec.hpp"

namespace equinox::http::test {

/// What the codec has told about one request.
struct SeenRequest {
  Method method{Method::get};
  std::string method_name, target, path, query, authority;
  FieldList fields;
  FieldList trailers;
  std::string body;
  std::optional<std::uint64_t> content_length;
  int urgency{3};
  bool incremental{false};
  bool has_body{false};
  bool expects_continue{false};
  bool is_complete{false};
  std::optional<Errc> refused;
  bool is_malformed{false};
  std::optional<std::uint64_t> reset_code;
  int sent{0};
  int failed{0};
};

/// A codec between strings. Tests send as a client (or raw frames) and answer as an application.
class Http2Test : public ::testing::Test {
 protected:
  Limits limits;
  ManualClock clock;
  Http2Memory memory;
  DateCache date{"equinox"};
  std::unique_ptr<Http2Codec> codec;
  std::unique_ptr<Http2Client> client = std::make_unique<Http2Client>();
  EgressBatch batch;
  std::vector<CodecEvent> events;
  std::map<StreamId, SeenRequest> seen;
  std::vector<StreamId> completed;  ///< in the order their requests were complete
  std::optional<Error> error;
  std::size_t piece_bytes{0};  ///< 0: everything in one read
  std::size_t high_watermark{1024 * 1024};
  bool consumes_body{true};
  std::string from_server;  ///< everything the codec has sent
  /// Answers a complete request; empty: nobody answers.
  std::function<std::optional<Response>(StreamId, const SeenRequest&)> application;

  Http2Codec& server() {
    if (codec == nullptr) {
      date.update(std::chrono::system_clock::time_point{std::chrono::seconds{784111777}});
      codec = std::make_unique<Http2Codec>(
          limits, Http2Options{.scheme = Scheme::http, .date = &date, .memory = memory, .now = clock.now()});
    }
    return *codec;
  }

  void answers_with(std::function<Response()> make) {
    application = [make = std::move(make)](StreamId, const SeenRequest&) { return make(); };
  }

  void peer_sends(std::string_view bytes) {
    while (!bytes.empty() && !error) {
      const std::size_t count = piece_bytes == 0 ? bytes.size() : std::min(piece_bytes, bytes.size());
      receive(bytes.substr(0, count));
      bytes.remove_prefix(count);
    }
  }

  void receive(std::string_view bytes) {
    // A copy of its own exact size: reading past the end is found by AddressSanitizer.
    const std::vector<char> copy{bytes.begin(), bytes.end()};
    const auto used = server().receive(std::as_bytes(std::span{copy}), events, clock.now());
    if (!used) {
      error = used.error();
    } else {
      EXPECT_EQ(*used, bytes.size());
    }
    apply();
  }

  void apply() {
    const auto taken = std::exchange(events, {});
    for (const CodecEvent& event : taken) apply(event);
  }

  void apply(const CodecEvent& event) {
    SeenRequest& request = seen[event.stream];
    switch (event.kind) {
      case EventKind::head: note_head(request, *event.head); break;
      case EventKind::body:
        request.body.append(reinterpret_cast<const char*>(event.data), event.size);
        for (const Field& field : event.trailers()) request.trailers.emplace_back(field.name, field.value);
        if (consumes_body) server().consume(event.stream, event.size);
        break;
      case EventKind::announced: return;  // HTTP/1 only
      case EventKind::refused: request.refused = event.error; break;
      case EventKind::malformed: request.is_malformed = true; return;
      case EventKind::reset: request.reset_code = event.error_code; return;
      case EventKind::sent: ++request.sent; return;
      case EventKind::failed: ++request.failed; return;
    }
    if (event.end_of_message && !request.refused) {
      request.is_complete = true;
      completed.push_back(event.stream);
    }
    if ((event.end_of_message || request.refused) && application) {
      if (auto response = application(event.stream, request)) respond(event.stream, std::move(*response));
    }
  }

  static void note_head(SeenRequest& request, const RequestHead& head) {
    request.method = head.method;
    request.method_name = head.method_name;
    request.target = head.target;
    request.path = head.path;
    request.query = head.query;
    request.authority = head.authority;
    for (const Field& field : head.fields) request.fields.emplace_back(field.name, field.value);
    request.content_length = head.content_length;
    request.urgency = head.urgency;
    request.incremental = head.incremental;
    request.has_body = head.has_body;
    request.expects_continue = head.expects_continue;
  }

  void respond(StreamId stream, Response response) { server().respond(stream, std::move(response), batch, events); }

  /// Everything the codec wants to send, as bytes.
  std::string server_sends() {
    std::string bytes;
    while (server().state().wants_transmit) {
      server().transmit(batch, high_watermark, events, clock.now());
      apply();
      if (batch.empty()) break;
      bytes += drain_batch();
    }
    from_server += bytes;
    return bytes;
  }

  std::string drain_batch() {
    std::string bytes;
    for (const auto& segment : batch.segments()) {
      EXPECT_NE(segment.kind, EgressBatch::Kind::file) << "over HTTP/2 files are read";
      bytes += batch.bytes_of(segment);
    }
    batch.clear();
    return bytes;
  }

  /// Both sides talk until neither has anything to say.
  void talk() {
    for (int turn = 0; turn < 10000; ++turn) {
      const std::string to_server = client->output();
      peer_sends(to_server);
      const std::string to_client = server_sends();
      if (to_server.empty() && to_client.empty()) return;
      ASSERT_TRUE(client->input(to_client));
    }
    FAIL() << "client and server never fall silent";
  }

  /// Feeds raw frames; what the codec sends back, taken apart.
  std::vector<RawFrame> peer_sends_raw(std::string_view bytes) {
    peer_sends(bytes);
    return split_frames(server_sends());
  }
  /// The code of the GOAWAY among `frames`, or -1.
  static std::int64_t goaway_code(const std::vector<RawFrame>& frames) {
    for (const RawFrame& sent : frames) {
      if (sent.type == NGHTTP2_GOAWAY) return sent.number(4);
    }
    return -1;
  }
  static std::int64_t reset_code(const std::vector<RawFrame>& frames, std::uint32_t stream) {
    for (const RawFrame& sent : frames) {
      if (sent.type == NGHTTP2_RST_STREAM && sent.stream == stream) return sent.number(0);
    }
    return -1;
  }

  ProtocolCounters counters() {
    ProtocolCounters taken;
    server().take_counters(taken, clock.now());
    return taken;
  }
};

}  // namespace equinox::http::test
