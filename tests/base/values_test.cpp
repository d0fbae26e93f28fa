#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <equinox/endpoint.hpp>
#include <equinox/ids.hpp>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace equinox {
namespace {

TEST(ErrorNames, AreDistinctLowerCaseWords) {
  std::set<std::string> names;
  for (int code = 0; code <= static_cast<int>(Errc::invalid_argument); ++code) {
    const std::string name{to_string(static_cast<Errc>(code))};
    EXPECT_THAT(name, testing::MatchesRegex("[a-z][a-z0-9_]*"));
    EXPECT_NE(name, "unknown");
    names.insert(name);
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Errc::invalid_argument) + 1);
}

TEST(ResultValue, NothingIsAValueAndEachErrorComesOutAsItWentIn) {
  EXPECT_TRUE(Result<void>{});
  for (int code = 0; code <= static_cast<int>(Errc::invalid_argument); ++code) {
    for (const int os_errno : {0, 1, 104, 4095}) {
      for (const std::uint32_t detail : {0U, 1U, 0xd00d'f00dU, 0xffff'ffffU}) {
        const Error error{static_cast<Errc>(code), os_errno, detail};
        const Result<void> result{error};
        ASSERT_FALSE(result);
        ASSERT_EQ(result.error(), error);
      }
    }
  }
  static_assert(sizeof(Result<void>) == sizeof(std::uint64_t));
}

TEST(ResultValue, CarriesEitherAValueOrAnError) {
  const Result<int> good{7};
  const Result<int> bad{Error{Errc::timed_out, 110}};
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 7);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error(), (Error{Errc::timed_out, 110, 0}));
}

TEST(ConnectionIdText, IsReadBackAsTheSameId) {
  for (const ConnectionId id :
       {ConnectionId::make(0, 0, 1), ConnectionId::make(3, 0x1f3a, 7), ConnectionId::make(255, 0xffffff, UINT32_MAX)}) {
    EXPECT_EQ(parse_connection_id(to_string(id)), id) << to_string(id);
    EXPECT_EQ(ConnectionId::unpack(id.packed()), id);
  }
  EXPECT_EQ(to_string(ConnectionId::make(3, 0x1f3a, 7)), "3-1f3a-7");
}

class NoConnectionId : public testing::TestWithParam<const char*> {};

TEST_P(NoConnectionId, IsNoConnection) { EXPECT_FALSE(parse_connection_id(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Texts, NoConnectionId,
                         testing::Values("", "-", "3", "3-1f", "3-1f-", "3-1f-0", "256-1-1", "0-1000000-1",
                                         "0-1-4294967296", "0-1-1 ", " 0-1-1", "0-g-1", "-1-1-1", "0-1-1-1",
                                         "0x0-1-1"));

TEST(EndpointText, PrintsBothFamilies) {
  Endpoint v6;
  v6.address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  v6.port = 443;
  v6.is_known = true;
  EXPECT_EQ(to_string(v6), "[2001:db8::1]:443");
  EXPECT_EQ(host_to_string(v6), "2001:db8::1");
  EXPECT_EQ(to_string(Endpoint::v4({192, 0, 2, 1}, 80)), "192.0.2.1:80");
  EXPECT_EQ(host_to_string(Endpoint::v4({192, 0, 2, 1}, 80)), "192.0.2.1");
  EXPECT_EQ(to_string(Endpoint{}), "unknown");
}

TEST(ManualClockValue, StandsStillUntilAdvanced) {
  ManualClock clock;
  const Clock view = clock.clock();
  const TimePoint before = view.now();
  EXPECT_EQ(view.now(), before);
  clock.advance(std::chrono::seconds{3});
  EXPECT_EQ(view.now() - before, std::chrono::seconds{3});
}

}  // namespace
}  // namespace equinox
