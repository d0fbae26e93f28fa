#include <gtest/gtest.h>

#include <equinox/vocabulary.hpp>
#include <set>

namespace equinox {
namespace {

template <typename E>
class EveryVocabulary : public testing::Test {};
using Vocabularies =
    testing::Types<Protocol, ConnectionState, Initiator, CloseFamily, CloseReason, DeadlineKind, EvictionPhase,
                   Progress, ConnectionRejectReason, RequestRejectReason, RequestPhase, ErrorType, StallCause,
                   TlsFailure, TlsVersion, Alpn, TlsCipher, LimitedBy, Direction, LogChannel, Upgrade>;
TYPED_TEST_SUITE(EveryVocabulary, Vocabularies);

TYPED_TEST(EveryVocabulary, NamesEachWordOnceAndReadsItBack) {
  std::set<std::string_view> seen;
  for_each_word<TypeParam>([&](TypeParam word) {
    EXPECT_TRUE(seen.insert(to_string(word)).second) << to_string(word);
    EXPECT_EQ(parse<TypeParam>(to_string(word)), word);
  });
  EXPECT_EQ(seen.size(), kCount<TypeParam>);
  EXPECT_FALSE(parse<TypeParam>("no such word"));
}

TEST(CloseReasons, HaveNoUnknown) { EXPECT_FALSE(parse<CloseReason>("unknown")); }

TEST(CloseReasons, AreAttributedToWhoeverEndedTheConnection) {
  EXPECT_EQ(initiator_of(CloseReason::client_reset_idle), Initiator::client);
  EXPECT_EQ(initiator_of(CloseReason::keep_alive_timeout), Initiator::server);
  EXPECT_EQ(initiator_of(CloseReason::admin_close), Initiator::admin);
  EXPECT_EQ(initiator_of(CloseReason::network_error), Initiator::network);
}

struct TimerCase {
  DeadlineKind kind;
  bool http2;
  Progress progress;
  EvictionPhase phase;
  CloseReason reason;
};
class TimerVerdicts : public testing::TestWithParam<TimerCase> {};

TEST_P(TimerVerdicts, FollowFromDeadlineAndProgress) {
  const auto& test = GetParam();
  const auto verdict = timer_verdict(test.kind, test.http2, test.progress);
  EXPECT_EQ(to_string(verdict.phase), to_string(test.phase));
  EXPECT_EQ(to_string(verdict.reason), to_string(test.reason));
}
INSTANTIATE_TEST_SUITE_P(
    Table, TimerVerdicts,
    testing::Values(
        TimerCase{DeadlineKind::handshake, false, Progress::silent, EvictionPhase::handshake,
                  CloseReason::handshake_timeout},
        TimerCase{DeadlineKind::first_request, false, Progress::silent, EvictionPhase::first_request,
                  CloseReason::first_request_timeout},
        TimerCase{DeadlineKind::head, false, Progress::silent, EvictionPhase::head, CloseReason::header_timeout},
        TimerCase{DeadlineKind::body, false, Progress::silent, EvictionPhase::body, CloseReason::body_timeout},
        TimerCase{DeadlineKind::body, true, Progress::too_slow, EvictionPhase::body, CloseReason::body_rate_too_low},
        TimerCase{DeadlineKind::handler, false, Progress::silent, EvictionPhase::handler, CloseReason::handler_timeout},
        TimerCase{DeadlineKind::write, false, Progress::silent, EvictionPhase::write_stall, CloseReason::write_stall},
        TimerCase{DeadlineKind::write, false, Progress::too_slow, EvictionPhase::write_stall,
                  CloseReason::write_rate_too_low},
        TimerCase{DeadlineKind::write, true, Progress::window_closed, EvictionPhase::write_stall,
                  CloseReason::window_stall},
        TimerCase{DeadlineKind::idle, false, Progress::silent, EvictionPhase::between_requests,
                  CloseReason::keep_alive_timeout},
        TimerCase{DeadlineKind::idle, true, Progress::silent, EvictionPhase::h2_no_streams,
                  CloseReason::h2_idle_timeout},
        TimerCase{DeadlineKind::ping, true, Progress::silent, EvictionPhase::h2_no_streams, CloseReason::ping_timeout},
        TimerCase{DeadlineKind::max_age, true, Progress::silent, EvictionPhase::max_age, CloseReason::max_age}),
    [](const auto& test) {
      return std::string{to_string(test.param.kind)} + (test.param.http2 ? "_h2_" : "_h1_") +
             std::string{to_string(test.param.progress)};
    });

}  // namespace
}  // namespace equinox
