#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <equinox/vocabulary.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "metrics/metric_names.hpp"

namespace equinox::metrics {
namespace {

constexpr std::string_view kBegin = "<!-- table: made from metric_names.hpp -->\n";
constexpr std::string_view kEnd = "<!-- end of table -->\n";

struct Meaning {
  CloseReason reason;
  std::string_view text;
};

/// In the order of the enumeration; the sentence of a closing record says the same of one connection.
constexpr std::array<Meaning, kCloseReasons> kMeanings{{
    {CloseReason::client_fin_idle, "The client closed it between requests, or before it had sent any."},
    {CloseReason::client_fin_mid_request, "The client closed it in the middle of a request."},
    {CloseReason::client_reset_idle, "The client reset it between requests, or before it had sent any."},
    {CloseReason::client_reset_mid_request, "The client reset it in the middle of a request."},
    {CloseReason::client_goaway, "The client said GOAWAY, and its streams were finished."},
    {CloseReason::client_connection_close,
     "The client asked for the end after its answer (`Connection: close`, HTTP/1.0)."},
    {CloseReason::response_connection_close, "The answer said `Connection: close`."},
    {CloseReason::max_requests, "It had served `limits.requests_per_connection`."},
    {CloseReason::max_age, "It had reached `timeouts.max_age`."},
    {CloseReason::drain, "The server was draining to its end."},
    {CloseReason::shutdown, "The server was stopped at once."},
    {CloseReason::shutdown_timeout, "It was not finished when `drain.timeout` was over."},
    {CloseReason::app_close, "The application closed it (`Server::close`)."},
    {CloseReason::request_refused,
     "A request was refused that leaves nothing to go on with: unknown method, version, coding or expectation, a "
     "host of another certificate."},
    {CloseReason::handshake_timeout, "The TLS handshake took longer than `timeouts.handshake`."},
    {CloseReason::first_request_timeout, "No first request, or no preface of HTTP/2, came within `timeouts.header`."},
    {CloseReason::header_timeout, "A head that had begun was not complete within `timeouts.header`."},
    {CloseReason::body_timeout, "No byte of the request's body came within `timeouts.body`."},
    {CloseReason::body_rate_too_low, "The request's body came more slowly than `limits.minimum_rate`."},
    {CloseReason::handler_timeout, "HTTP/1: the handler did not answer within `timeouts.handler`."},
    {CloseReason::write_stall, "The client took no byte of the answer within `timeouts.write`."},
    {CloseReason::write_rate_too_low, "The client took the answer more slowly than `limits.minimum_rate`."},
    {CloseReason::window_stall, "The client kept its HTTP/2 windows closed for `timeouts.write`."},
    {CloseReason::keep_alive_timeout, "HTTP/1: no further request within `timeouts.idle`."},
    {CloseReason::h2_idle_timeout, "HTTP/2: no stream within `timeouts.idle`."},
    {CloseReason::ping_timeout, "HTTP/2: streams were open, and a PING was not answered within `timeouts.ping`."},
    {CloseReason::parse_error_h1, "The bytes were not valid HTTP/1."},
    {CloseReason::head_too_large, "A head, target or trailers were above their limit."},
    {CloseReason::body_too_large, "A body, or what frames its chunks, was above its limit."},
    {CloseReason::smuggling_guard, "The request could be read in two ways."},
    {CloseReason::h2_preface_invalid, "The HTTP/2 preface was wrong."},
    {CloseReason::h2_protocol_error, "The client broke HTTP/2."},
    {CloseReason::h2_flow_control_error, "The client broke the flow control of HTTP/2."},
    {CloseReason::h2_compression_error, "A field block could not be decompressed."},
    {CloseReason::h2_frame_size, "A frame had a wrong size."},
    {CloseReason::wrong_protocol,
     "Neither HTTP/1 nor a preface; HTTP/2 where `h2c` is off; a PROXY header missing, malformed or not expected."},
    {CloseReason::tls_handshake_failed, "The TLS handshake failed, or the client left within it."},
    {CloseReason::tls_alert, "TLS ended after the handshake: by an alert of the client, or for a broken record."},
    {CloseReason::tls_plaintext, "The client spoke without TLS on a TLS listener."},
    {CloseReason::tls_sni_unknown, "No certificate for the name asked for, with `strict_sni`."},
    {CloseReason::rapid_reset, "The client opened and reset streams beyond `limits.http2_resets`."},
    {CloseReason::own_resets, "The client made the server reset streams beyond `limits.http2_own_resets`."},
    {CloseReason::flood_settings, "SETTINGS beyond `limits.http2_control_frames`."},
    {CloseReason::flood_ping, "PING beyond it."},
    {CloseReason::flood_continuation, "CONTINUATION beyond `limits.http2_continuations`."},
    {CloseReason::flood_empty,
     "Empty and unknown frames, and such for streams that are gone, beyond `limits.http2_control_frames`."},
    {CloseReason::flood_priority, "Priorities beyond it, or for more streams than may be open."},
    {CloseReason::flood_window_update, "WINDOW_UPDATE beyond it."},
    {CloseReason::flood_data_tiny, "DATA of a few bytes beyond it, sent or asked for."},
    {CloseReason::flood_tls, "TLS messages that carry nothing, as key updates, over HTTP/1.1 too."},
    {CloseReason::header_bomb, "A field block grew far beyond its size on the wire."},
    {CloseReason::connection_limit,
     "It was idle longest and made room at `limits.connections`; or a PROXY header named a client that had as many "
     "as it may."},
    {CloseReason::memory_pressure, "A request's body would have grown while memory was short (`limits.memory`)."},
    {CloseReason::handler_abort, "The application gave up an answer that had begun."},
    {CloseReason::handler_exception_after_start, "The application threw after its answer had begun."},
    {CloseReason::admin_close, "An administrator closed it."},
    {CloseReason::admin_drain, "An administrator drained it, or the server (`equinox drain`)."},
    {CloseReason::network_timeout, "The kernel gave up: nothing was acknowledged any more."},
    {CloseReason::network_error, "A call of the kernel failed."},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kMeanings.size(); ++i) {
    if (index_of(kMeanings[i].reason) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the meanings follow the enumeration");

template <typename E>
void words(std::ostream& out, std::string_view title) {
  out << "- " << title << ": ";
  bool is_first = true;
  for_each_word<E>([&](E word) {
    if (to_string(word).empty()) return;
    out << (is_first ? "" : ", ") << '`' << to_string(word) << '`';
    is_first = false;
  });
  out << '\n';
}

/// What the document must hold between its marks.
std::string generated() {
  std::ostringstream out;
  std::string_view section;
  for (const auto& info : kMetricTable) {
    if (info.section != section) {
      section = info.section;
      out << "\n### " << section << "\n\n| Name | Type | Labels | Meaning |\n|---|---|---|---|\n";
    }
    out << "| `" << info.name << "` | " << to_string(info.kind) << " | " << (info.labels.empty() ? "–" : info.labels)
        << " | " << info.help << " |\n";
  }
  out << "\n### Label values\n\n";
  words<Protocol>(out, "protocol");
  words<ConnectionState>(out, "state");
  words<ConnectionRejectReason>(out, "reason of `equinox_connections_rejected_total`");
  words<RequestRejectReason>(out, "reason of `equinox_http_rejected_requests_total`");
  words<EvictionPhase>(out, "phase of `equinox_idle_evictions_total`");
  words<RequestPhase>(out, "phase of `equinox_http_phase_seconds`");
  words<ErrorType>(out, "error_type (`status` is written as the code itself; absent means success)");
  words<StallCause>(out, "cause of a stall");
  words<BufferPool>(
      out,
      "pool of `equinox_buffer_pool_bytes` (a grown block of `egress` counts as it is, another object that "
      "grew with the size it had when it was made)");
  words<TlsFailure>(out, "reason of `equinox_tls_handshake_failures_total`");
  out << "\n### Close reasons\n\n| Reason | Family | Initiator | Meaning |\n|---|---|---|---|\n";
  for (const auto& entry : kCloseReasonTable) {
    out << "| `" << entry.name << "` | " << to_string(entry.family) << " | " << to_string(entry.initiator) << " | "
        << kMeanings[index_of(entry.reason)].text << " |\n";
  }
  out << '\n';
  return out.str();
}

std::string read(const std::string& path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

TEST(MetricDocs, AgreeWithTheTable) {
  const std::string path = EQUINOX_METRICS_DOC;
  auto text = read(path);
  const auto begin = text.find(kBegin);
  const auto end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos) << path;
  ASSERT_NE(end, std::string::npos) << path;
  const auto from = begin + kBegin.size();
  if (std::getenv("EQUINOX_UPDATE_DOCS") != nullptr) {
    text.replace(from, end - from, generated());
    std::ofstream{path} << text;
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), generated())
      << "run metrics_test with EQUINOX_UPDATE_DOCS=1 to write the table again";
}

TEST(MetricNames, FollowTheRules) {
  for (const auto& info : kMetricTable) {
    EXPECT_EQ(info.kind == MetricKind::counter, info.name.ends_with("_total")) << info.name;
    auto base = info.name;
    if (base.ends_with("_total")) base.remove_suffix(6);
    if (!info.unit.empty()) {
      EXPECT_TRUE(base.ends_with("_" + std::string{info.unit})) << info.name;
    }
    EXPECT_TRUE(info.help.ends_with('.')) << info.name;
    EXPECT_EQ(find_metric(info.name), &info);
  }
}

}  // namespace
}  // namespace equinox::metrics
