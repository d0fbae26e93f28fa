#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <equinox/record.hpp>
#include <set>

namespace equinox {
namespace {

using testing::HasSubstr;
using testing::Not;

ClosedRecord record_of(CloseReason reason) {
  ClosedRecord out;
  out.reason = reason;
  out.protocol = Protocol::http11;
  out.age_ns = 61'500'000'000;
  out.requests = 2;
  out.received_bytes = 512;
  out.sent_bytes = 3200;
  out.status = 200;
  out.target.assign("/index.html");
  return out;
}

TEST(Sentence, ExplainsATimerWithItsValueAndTheLastRequest) {
  auto record = record_of(CloseReason::keep_alive_timeout);
  record.timer = DeadlineKind::idle;
  record.timer_ms = 60'000;
  record.silent_ms = 60'012;
  EXPECT_EQ(sentence(record, "/*", "http"),
            "The server closed the idle connection after 60 s of silence (idle timeout 60 s); http/1.1 on listener "
            "http, 2 requests in 61.5 s, 512 B received, 3.1 KiB sent; last request GET /index.html on route /* "
            "answered 200.");
  EXPECT_EQ(detail(record), "idle timeout 60 s");
}

TEST(Sentence, NamesErrnoAlertCodeAndActor) {
  auto record = record_of(CloseReason::client_reset_mid_request);
  record.os_errno = ECONNRESET;
  EXPECT_THAT(sentence(record), HasSubstr("(ECONNRESET, Connection reset by peer)"));

  record = record_of(CloseReason::tls_handshake_failed);
  record.tls_alert = 42;
  EXPECT_THAT(sentence(record), HasSubstr("(alert 42 bad_certificate received)"));

  record = record_of(CloseReason::tls_alert);
  record.tls_alert = 48;
  EXPECT_THAT(sentence(record), HasSubstr("The client ended TLS (alert 48 unknown_ca received)"));
  record.tls_alert = 20;
  record.tls_alert_sent = true;
  EXPECT_THAT(
      sentence(record),
      HasSubstr("The server ended TLS because a record from the client was broken (alert 20 bad_record_mac sent)"));

  record = record_of(CloseReason::rapid_reset);
  record.has_h2_error = true;
  record.h2_error_code = 11;
  record.last_stream = 199;
  EXPECT_THAT(sentence(record), HasSubstr("(ENHANCE_YOUR_CALM, last stream 199)"));

  record = record_of(CloseReason::admin_close);
  record.actor.assign("alice");
  EXPECT_THAT(sentence(record), HasSubstr("An administrator (alice) closed"));

  record = record_of(CloseReason::shutdown_timeout);
  record.timer_ms = 25'000;
  EXPECT_THAT(sentence(record), HasSubstr("The drain timeout (25 s) ended what was still running"));
}

TEST(Sentence, SaysWithWhatAndWhyARequestWasRefused) {
  auto record = record_of(CloseReason::parse_error_h1);
  EXPECT_THAT(sentence(record), Not(HasSubstr(" with "))) << "the status is that of an answer before";
  record.was_rejected = true;
  for_each_word<RequestRejectReason>([&](RequestRejectReason reason) {
    record.rejected = reason;
    record.status = 400;
    const std::string words = detail(record).substr(4);
    EXPECT_FALSE(words.empty());
    EXPECT_THAT(sentence(record), HasSubstr("refused the request with 400 (" + words + ")"));
  });
}

TEST(Sentence, SaysWhatWasWrongAboutTheProtocol) {
  std::set<std::string> seen;
  for (const auto detail : {CloseDetail::none, CloseDetail::proxy_header_missing, CloseDetail::proxy_header_malformed,
                            CloseDetail::proxy_header_unexpected, CloseDetail::h2c_off}) {
    auto record = record_of(CloseReason::wrong_protocol);
    record.detail = detail;
    EXPECT_TRUE(seen.insert(sentence(record)).second);
  }
  for (const auto detail : {CloseDetail::none, CloseDetail::handshake_left, CloseDetail::handshake_reset}) {
    auto record = record_of(CloseReason::tls_handshake_failed);
    record.detail = detail;
    EXPECT_TRUE(seen.insert(sentence(record)).second);
  }
}

TEST(Sentence, SaysForWhichLimitAConnectionEnded) {
  auto record = record_of(CloseReason::connection_limit);
  record.silent_ms = 2'000;
  EXPECT_THAT(sentence(record), HasSubstr("idle for 2 s, to make room"));
  record.detail = CloseDetail::client_full;
  EXPECT_THAT(sentence(record), HasSubstr("its client has as many as it may"));
}

TEST(Sentence, DoesNotSpeakOfALastByteWhereThereWasNone) {
  ClosedRecord record;
  EXPECT_THAT(sentence(record), HasSubstr("before it had sent a byte"));
  record.received_bytes = 1;
  EXPECT_THAT(sentence(record), HasSubstr("while it was idle, 0 ms after the last byte"));
}

TEST(Sentence, EscapesWhatCameFromTheWire) {
  auto record = record_of(CloseReason::client_fin_idle);
  record.target.assign("/a\x1b[31m\n");
  EXPECT_THAT(sentence(record), HasSubstr("/a\\x1b[31m\\x0a"));
}

TEST(Sentence, IsDifferentAndWholeForEveryReason) {
  std::set<std::string> seen;
  for_each_word<CloseReason>([&](CloseReason reason) {
    const auto text = sentence(record_of(reason));
    EXPECT_TRUE(seen.insert(text).second) << text;
    EXPECT_THAT(text, Not(HasSubstr("{")));
    EXPECT_EQ(text.back(), '.');
  });
  EXPECT_EQ(seen.size(), kCloseReasons);
}

TEST(FixedText, IsCutAtItsEnd) {
  FixedText<4> text;
  text.assign("abcdef");
  EXPECT_EQ(text.view(), "abcd");
  EXPECT_TRUE(text.is_full());
  text.assign("ab");
  EXPECT_EQ(text.view(), "ab");
  text.assign({});
  EXPECT_EQ(text.view(), "");
}

}  // namespace
}  // namespace equinox
