// The whole way, with a new process, is in e2e/test_hand_over.py.

#include "deploy/appliance/hand_over.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

namespace equinox::appliance {
namespace {

TEST(HandOver, IsRefusedWithoutTheKey) {
  HandOver hand_over{{}};
  EXPECT_THAT(hand_over.begin({}), testing::HasSubstr("hand_over.enabled"));
  EXPECT_EQ(hand_over.look(), HandOver::Outcome::none);
  EXPECT_EQ(hand_over.descriptor(), -1);
  EXPECT_FALSE(hand_over.deadline());
}

class Receiver : public testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    ours.reset(ends[0]);
    ::setenv("EQUINOX_READY_FD", std::to_string(ends[1]).c_str(), 1);
  }
  UniqueFd ours;
};

TEST_F(Receiver, SaysItsNumberOnce) {
  HandOverReceiver receiver;
  EXPECT_EQ(std::getenv("EQUINOX_READY_FD"), nullptr) << "no child may speak for us";
  EXPECT_TRUE(receiver.ready());
  std::array<char, 32> text{};
  ASSERT_GT(::read(ours.get(), text.data(), text.size() - 1), 0);
  EXPECT_EQ(std::string{text.data()}, std::to_string(::getpid()) + "\n");
  EXPECT_EQ(::read(ours.get(), text.data(), text.size()), 0) << "the end closes";
}

TEST_F(Receiver, NoticesThatNobodyWaitsAnyLonger) {
  ::signal(SIGPIPE, SIG_IGN);
  HandOverReceiver receiver;
  ours.reset();
  EXPECT_FALSE(receiver.ready());
}

TEST(HandOverReceiver, IsContentWithoutAPredecessor) {
  ::unsetenv("EQUINOX_READY_FD");
  HandOverReceiver receiver;
  EXPECT_TRUE(receiver.ready());
}

}  // namespace
}  // namespace equinox::appliance
