// HTTP/1 without a connection: from the bytes of a request to the bytes of its answer.

#include <benchmark/benchmark.h>

#include <stdexcept>
#include <string>

#include "http/http1_peer.hpp"

namespace equinox::http {
namespace {

constexpr std::string_view kShort = "GET /api/status HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr std::string_view kBrowser =
    "GET /static/app.js?v=17 HTTP/1.1\r\nHost: shop.example.net\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
    "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nReferer: https://shop.example.net/\r\nConnection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef; theme=dark\r\nSec-Fetch-Dest: script\r\nSec-Fetch-Mode: no-cors\r\n\r\n";
constexpr std::string_view kChunked =
    "POST /upload HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    "10\r\n0123456789abcdef\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";

void exchange(benchmark::State& state, std::string_view request) {
  test::Http1Peer peer;
  Codec& codec = peer.codec;
  const auto bytes = std::as_bytes(std::span{request});
  for (auto _ : state) {
    std::size_t used = 0;
    while (used < bytes.size()) {
      peer.events.clear();
      const auto taken = codec.receive(bytes.subspan(used), peer.events, TimePoint{});
      if (!taken || *taken == 0) throw std::runtime_error{"the request was not taken"};
      used += *taken;
    }
    peer.respond(Response::literal("{\"status\":\"ok\"}", "application/json"));
    benchmark::DoNotOptimize(peer.batch.pending_bytes());
    peer.batch.clear();
    peer.sent_events.clear();
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(exchange, short_head, kShort);
BENCHMARK_CAPTURE(exchange, ten_browser_fields, kBrowser);
BENCHMARK_CAPTURE(exchange, two_chunks, kChunked);

}  // namespace
}  // namespace equinox::http
