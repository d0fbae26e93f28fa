#include <gtest/gtest.h>

#include <set>
#include <string>

#include "server/byte_hold.hpp"
#include "server/error_map.hpp"
#include "server/exchange.hpp"
#include "server/request_identity.hpp"

namespace equinox::server {
namespace {

TEST(ByteHold, KeepsBytesInOrderWhileItGrowsAndMoves) {
  std::uint64_t counted = 0;
  ByteHold hold{counted};
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const std::string piece(static_cast<std::size_t>(i % 37 + 1), static_cast<char>('a' + i % 26));
    hold.append(std::as_bytes(std::span{piece}));
    expected += piece;
    if (i % 3 == 0) {
      hold.consume(std::min<std::size_t>(hold.size(), 20));
      expected.erase(0, std::min<std::size_t>(expected.size(), 20));
    }
    const auto now = hold.readable();
    ASSERT_EQ(std::string(reinterpret_cast<const char*>(now.data()), now.size()), expected);
  }
}

TEST(ByteHold, CountsWhatItHasAllocatedWhileItLives) {
  std::uint64_t counted = 0;
  {
    ByteHold one{counted};
    ByteHold other{counted};
    EXPECT_EQ(counted, 0U);
    one.room(1000);
    other.room(5000);
    EXPECT_EQ(counted, one.capacity() + other.capacity());
    one.room(100'000);
    EXPECT_EQ(counted, one.capacity() + other.capacity());
  }
  EXPECT_EQ(counted, 0U);
}

TEST(RequestIdentity, AcceptsOnlySafeIds) {
  EXPECT_TRUE(is_acceptable_request_id("abc-123_x.y:z/q+r="));
  for (const char* bad : {"", "a b", "a\"b", "\x01", "a\nb"}) EXPECT_FALSE(is_acceptable_request_id(bad)) << bad;
  EXPECT_FALSE(is_acceptable_request_id(std::string(65, 'a')));
}

TEST(RequestIdentity, ReadsATraceIdAndRefusesMalformedOnes) {
  EXPECT_EQ(trace_id_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), "4bf92f3577b34da6a3ce929d0e0e4736");
  for (const char* bad : {"", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"}) {
    EXPECT_EQ(trace_id_of(bad), "") << bad;
  }
}

TEST(RequestIdentity, MakesIdsThatDifferAndSort) {
  RequestIds ids{62U * 62U * 36U + 1, 61};
  const auto next = [&] {
    std::string id(RequestIds::kSize, ' ');
    ids.make(id.data());
    return id;
  };
  std::string last = next();
  EXPECT_EQ(last, "0000a010z0000000");
  std::string ends;
  for (int i = 1; i < 300'000; ++i) {
    const std::string id = next();
    ASSERT_LT(last, id);
    if (i % (62 * 62) == 0) ends += id.substr(id.size() - 3);
    last = id;
  }
  EXPECT_TRUE(ends.starts_with("100200300")) << ends;
  EXPECT_TRUE(is_acceptable_request_id(last)) << last;
}

TEST(RequestIdentity, IdsOfOtherProcessesAndReactorsDiffer) {
  const auto first = [](std::uint64_t process, ReactorIndex reactor) {
    std::string id(RequestIds::kSize, ' ');
    RequestIds{process, reactor}.make(id.data());
    return id;
  };
  std::set<std::string> seen;
  for (int reactor = 0; reactor < 256; ++reactor) seen.insert(first(7, static_cast<ReactorIndex>(reactor)));
  seen.insert(first(8, 0));
  EXPECT_EQ(seen.size(), 257U);
}

TEST(ErrorMap, EveryProtocolErrorHasAReasonOfItsFamily) {
  for (int code = 0; code <= static_cast<int>(Errc::invalid_argument); ++code) {
    const auto errc = static_cast<Errc>(code);
    if (errc >= Errc::h2_preface && errc < Errc::h2_internal) {
      EXPECT_NE(reason_of(errc), CloseReason::network_error) << to_string(errc);
    }
    if (errc >= Errc::bad_request_line && errc <= Errc::wrong_protocol) {
      EXPECT_TRUE(reject_reason_of(errc).has_value()) << to_string(errc);
      EXPECT_FALSE(is_connection_error(errc)) << to_string(errc);
    }
  }
}

}  // namespace
}  // namespace equinox::server
