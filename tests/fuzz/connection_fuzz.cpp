// A whole server, from the socket to the handler and back: whatever a peer sends and however it is cut, the connection
// ends once the peer has, the same requests get the same answers, and nothing is left open in the books.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <equinox/server.hpp>
#include <string>
#include <vector>

#include "fuzz/require.hpp"
#include "support/raw_client.hpp"

namespace {

using namespace equinox;
using equinox::testing::RawClient;

Server& server() {
  static Server& kServer = []() -> Server& {
    ServerConfig config;
    config.listeners = {{.name = "http", .address = "127.0.0.1:0"}};
    config.reactors = 1;
    config.log.target = "off";
    config.limits.request_body = 64 * 1024;
    config.history = {.closed = 16, .slow = 16, .samples = 16, .stalls = 16, .events = 16};
    static Server made{config};  // outlives every input; its threads end with the process
    made.get("/", [](const Request&) { return Response::literal("ok", "text/plain"); });
    made.get("/items/{id}",
             [](const Request& request) { return Response::text(std::string{request.parameter("id")}); });
    made.post("/count", [](const Request& request) { return Response::text(std::to_string(request.body().size())); });
    made.get("/stream", [](const Request&) {
      return Response::generate(
          [left = 5](std::span<char> into, const Resumer&) mutable -> PullResult {
            const std::size_t count = std::min<std::size_t>(into.size(), 1000);
            std::fill_n(into.data(), count, 's');
            return {--left == 0 ? PullStatus::end : PullStatus::bytes, count};
          },
          "text/plain");
    });
    made.start();
    return made;
  }();
  return kServer;
}

struct Conversation {
  std::string received;
  bool was_reset{false};
};

Conversation talk(std::string_view bytes, std::size_t piece) {
  RawClient client{server().port()};
  while (!bytes.empty()) {
    client.send(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
  client.finish();
  FUZZ_REQUIRE(client.read_to_end(std::chrono::seconds{30}));
  return {client.received(), client.was_reset()};
}

/// The statuses of HTTP/1 answers; no body here holds what one begins with.
std::vector<std::string> statuses(const std::string& text) {
  constexpr std::string_view kBegin = "HTTP/1.1 ";
  std::vector<std::string> out;
  for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at + 1)) {
    out.push_back(text.substr(at + kBegin.size(), 3));
  }
  return out;
}

void check_books() {
  const auto is_balanced = [] {
    const ServerSnapshot now = server().view().snapshot();
    return now.accepted() == now.closed();
  };
  FUZZ_REQUIRE(equinox::testing::eventually(is_balanced));
}

}  // namespace

// The first octet says how the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 8192) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const Conversation whole = talk(bytes, bytes.size());
  const Conversation cut = talk(bytes, 1 + data[0] + bytes.size() / 64);
  // After 101 the peer speaks HTTP/2, whose answers depend on the order of frames.
  const auto expected = statuses(whole.received);
  const bool is_http1 = whole.received.starts_with("HTTP/1.1") && expected.front() != "101";
  if (is_http1 && !whole.was_reset && !cut.was_reset) FUZZ_REQUIRE(statuses(cut.received) == expected);
  check_books();
  return 0;
}
