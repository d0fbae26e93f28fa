// The HTTP/1 codec as a connection drives it: the same bytes whole and in pieces must give the same requests.

#include <string>

#include "fuzz/require.hpp"
#include "http/http1_peer.hpp"

namespace {

using namespace equinox;

struct Seen {
  std::string text;
  bool has_failed{false};
  bool operator==(const Seen&) const = default;
};

bool take(http::test::Http1Peer& peer, Seen& seen) {
  for (const http::CodecEvent& event : peer.events) {
    if (event.kind == http::EventKind::head) {
      const RequestHead& head = *event.head;
      FUZZ_REQUIRE(head.method == Method::connect || head.path == "*" || head.path.front() == '/');
      seen.text.append(head.method_name).append(" ").append(head.path).append("?").append(head.query);
      for (const Field& field : head.fields) seen.text.append(field.name).append(":").append(field.value).append("\n");
    }
    if (event.kind == http::EventKind::body) {
      seen.text.append(reinterpret_cast<const char*>(event.data), event.size);
    }
    if (event.end_of_message) {
      seen.text.append("<end>");
      peer.respond(Response::literal("ok", "text/plain"));
    }
  }
  seen.has_failed = peer.has_failed;
  return !peer.has_failed && !peer.codec.state().is_finished;
}

Seen drive(std::string_view wire, std::size_t piece) {
  http::test::Http1Peer peer{{.scheme = Scheme::http, .h2c_upgrade_allowed = true}};
  Seen seen;
  bool goes_on = true;
  while (goes_on && !wire.empty()) {
    peer.send(wire.substr(0, piece));
    wire.remove_prefix(std::min(piece, wire.size()));
    goes_on = take(peer, seen);
    while (goes_on && !peer.unused.empty()) {
      const std::size_t used = peer.receive();
      goes_on = take(peer, seen);
      if (used == 0 && peer.events.empty()) break;
    }
  }
  if (peer.has_failed) peer.respond(http::refusal_response(peer.error));
  static_cast<void>(peer.codec.end_of_input());
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view wire{reinterpret_cast<const char*>(data), size};
  if (size == 0 || size > 64 * 1024) return 0;
  const Seen whole = drive(wire, size);
  const Seen cut = drive(wire, size / 2 + 1);
  FUZZ_REQUIRE(cut.has_failed == whole.has_failed);
  if (size > 4096) return 0;
  const Seen bytes = drive(wire, 1);
  FUZZ_REQUIRE(bytes.has_failed == whole.has_failed);
  // What a failing message delivered before it failed depends on the cuts; what was complete does not.
  if (!whole.has_failed) FUZZ_REQUIRE(bytes == whole && cut == whole);
  return 0;
}
