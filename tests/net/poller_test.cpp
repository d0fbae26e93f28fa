#include "net/poller.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <optional>
#include <vector>

#include "net/sockets.hpp"
#include "net/system_faults.hpp"
#include "net/wakeup.hpp"

namespace equinox::net {
namespace {

using namespace std::chrono_literals;

class PolledSocket : public testing::Test {
 protected:
  void SetUp() override {
    std::tie(ours_, theirs_) = socket_pair();
    ASSERT_TRUE(poller_.add(ours_.get(), 42));
  }
  std::optional<ReadyEvent> next(Duration timeout) {
    const auto events = poller_.wait(timeout);
    if (events.empty()) return std::nullopt;
    EXPECT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].token, 42U);
    return events[0];
  }

  Poller poller_ = *Poller::open();
  UniqueFd ours_;
  UniqueFd theirs_;
};

TEST_F(PolledSocket, AnnouncesEachChangeOnce) {
  const auto writable = next(0ms);
  ASSERT_TRUE(writable);
  EXPECT_TRUE(writable->writable);
  EXPECT_FALSE(writable->readable);
  EXPECT_FALSE(next(0ms)) << "an edge comes once";
  ASSERT_EQ(::send(theirs_.get(), "a", 1, 0), 1);
  EXPECT_TRUE(next(10s)->readable);
  EXPECT_FALSE(next(0ms));
  ASSERT_EQ(::send(theirs_.get(), "b", 1, 0), 1);
  EXPECT_TRUE(next(10s)->readable) << "new bytes are a new edge although the old ones were not read";
}

TEST_F(PolledSocket, TellsHalfCloseFromHangUp) {
  static_cast<void>(next(0ms));
  ::shutdown(theirs_.get(), SHUT_WR);
  const auto half = next(10s);
  ASSERT_TRUE(half);
  EXPECT_TRUE(half->peer_closed);
  EXPECT_FALSE(half->error_or_hangup);
  theirs_.reset();
  const auto whole = next(10s);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(whole->error_or_hangup);
}

TEST_F(PolledSocket, IsForgottenWhenRemoved) {
  poller_.remove(ours_.get());
  poller_.remove(ours_.get());
  EXPECT_FALSE(next(0ms));
}

TEST(PollerSet, RemindsOfLevelsUntilTheyAreTaken) {
  Poller poller = *Poller::open();
  const Wakeup wakeup = *Wakeup::open();
  ASSERT_TRUE(poller.add_level(wakeup.descriptor(), 7));
  EXPECT_TRUE(poller.wait(0ms).empty());
  wakeup.signal();
  wakeup.signal();
  for (int i = 0; i < 2; ++i) {
    const auto events = poller.wait(10s);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].token, 7U);
    EXPECT_TRUE(events[0].readable);
  }
  wakeup.acknowledge();
  EXPECT_TRUE(poller.wait(0ms).empty());
}

TEST(PollerSet, SharesAListenerExclusively) {
  Poller first = *Poller::open();
  Poller second = *Poller::open();
  auto listener = *Listener::open(*SocketAddress::parse("127.0.0.1:0"));
  ASSERT_TRUE(first.add_exclusive(listener.descriptor(), 1));
  ASSERT_TRUE(second.add_exclusive(listener.descriptor(), 2));
  const UniqueFd client = connect_to(listener.bound_address());
  EXPECT_EQ(first.wait(10s).size(), 1U) << "by level: whoever asks is told while the queue is not empty";
}

TEST(PollerSet, ReturnsAtMost512EventsAndTheRestNextTime) {
  Poller poller = *Poller::open();
  std::vector<Wakeup> wakeups;
  for (std::size_t i = 0; i < Poller::kMaxEvents + 10; ++i) {
    wakeups.push_back(*Wakeup::open());
    ASSERT_TRUE(poller.add(wakeups.back().descriptor(), i));
  }
  EXPECT_EQ(poller.wait(0ms).size(), Poller::kMaxEvents);
  EXPECT_EQ(poller.wait(0ms).size(), 10U);
}

TEST(PollerSet, RoundsTimeoutsUp) {
  Poller poller = *Poller::open();
  static int asked = 0;
  SystemFaults faults;
  faults->epoll_wait = [](int, epoll_event*, int, int timeout_ms) {
    asked = timeout_ms;
    errno = EINTR;
    return -1;
  };
  for (const auto& [timeout, milliseconds] :
       {std::pair<Duration, int>{0ns, 0}, {1ns, 1}, {10ms, 10}, {10ms + 1ns, 11}, {-1ns, -1}}) {
    EXPECT_TRUE(poller.wait(timeout).empty()) << "a signal is an empty turn";
    EXPECT_EQ(asked, milliseconds);
  }
}

TEST(PollerSet, ReportsWhyADescriptorWasNotAdded) {
  Poller poller = *Poller::open();
  const auto [one, other] = socket_pair();
  SystemFaults faults;
  faults->epoll_ctl = [](int set, int operation, int fd, epoll_event* event) {
    return fault_plan.fails() ? -1 : real_syscalls().epoll_ctl(set, operation, fd, event);
  };
  fault_plan.arm(1, ENOSPC);
  EXPECT_EQ(poller.add(one.get(), 1).error(), (Error{Errc::out_of_memory, ENOSPC}));
  fault_plan.arm(2, EINTR);
  EXPECT_TRUE(poller.add(one.get(), 1));
  EXPECT_EQ(poller.add(one.get(), 1).error(), (Error{Errc::system, EEXIST}));
}

}  // namespace
}  // namespace equinox::net
