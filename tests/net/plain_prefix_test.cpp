#include "net/plain_prefix.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "net/sockets.hpp"
#include "net/system_faults.hpp"

namespace equinox::net {
namespace {

class PlainPrefix : public testing::Test {
 protected:
  void say(std::string_view text) {
    ASSERT_EQ(::send(theirs_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    wait_readable(ours_.get());
  }
  std::string text(const IoResult& result) { return {reinterpret_cast<const char*>(bytes_.data()), result.bytes}; }

  std::pair<UniqueFd, UniqueFd> pair_{loopback_pair()};
  UniqueFd& ours_{pair_.first};
  UniqueFd& theirs_{pair_.second};
  std::array<std::byte, 64> bytes_{};
};

TEST_F(PlainPrefix, WhatIsLookedAtStaysInTheSocket) {
  say("PROXY and more");
  EXPECT_EQ(text(peek_plain(ours_.get(), bytes_)), "PROXY and more");
  EXPECT_EQ(text(peek_plain(ours_.get(), bytes_)), "PROXY and more");
  EXPECT_EQ(text(take_plain(ours_.get(), std::span{bytes_}.first(5))), "PROXY");
  EXPECT_EQ(read_now(ours_.get()), " and more");
}

TEST_F(PlainPrefix, AnEmptySocketWouldBlockAndAClosedOneSaysSo) {
  EXPECT_EQ(peek_plain(ours_.get(), bytes_).status, IoStatus::would_block);
  theirs_.reset();
  wait_readable(ours_.get());
  EXPECT_EQ(peek_plain(ours_.get(), bytes_).status, IoStatus::closed);
  EXPECT_EQ(take_plain(ours_.get(), bytes_).error, Error{Errc::peer_closed});
}

TEST_F(PlainPrefix, AnInterruptedCallIsMadeAgainAndAFailureIsTold) {
  SystemFaults faults;
  faults->recv = [](int fd, void* into, std::size_t size, int flags) {
    return fault_plan.fails() ? ssize_t{-1} : ::recv(fd, into, size, flags);
  };
  say("x");
  fault_plan.arm(2, EINTR);
  EXPECT_EQ(text(peek_plain(ours_.get(), bytes_)), "x");
  fault_plan.arm(1, ECONNRESET);
  EXPECT_EQ(take_plain(ours_.get(), bytes_).error, (Error{Errc::peer_reset, ECONNRESET}));
}

}  // namespace
}  // namespace equinox::net
