#include "net/wakeup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <thread>
#include <vector>

#include "net/sockets.hpp"

namespace equinox::net {
namespace {

bool is_readable(int fd) {
  pollfd question{fd, POLLIN, 0};
  return ::poll(&question, 1, 0) == 1;
}

TEST(MailboxValues, ComeOutInOrderAfterOneSignal) {
  std::atomic<std::size_t> length{0};
  Mailbox<int> mailbox{*Wakeup::open(), &length};
  EXPECT_FALSE(is_readable(mailbox.descriptor()));
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(mailbox.push(i));
  EXPECT_EQ(length.load(), 3U);
  EXPECT_TRUE(is_readable(mailbox.descriptor()));
  std::vector<int> taken{99};
  mailbox.take_all(taken);
  EXPECT_THAT(taken, testing::ElementsAre(1, 2, 3));
  EXPECT_FALSE(is_readable(mailbox.descriptor()));
  EXPECT_EQ(length.load(), 0U);
}

TEST(MailboxValues, AreRefusedOnceClosedAlsoWhenTheReactorIsGone) {
  auto mailbox = std::make_shared<Mailbox<std::shared_ptr<int>>>(*Wakeup::open());
  auto value = std::make_shared<int>(1);
  EXPECT_TRUE(mailbox->push(value));
  mailbox->close();
  EXPECT_EQ(value.use_count(), 1) << "what was not taken is dropped";
  EXPECT_FALSE(mailbox->push(value));
  EXPECT_EQ(value.use_count(), 1);
  mailbox->close();
}

TEST(MailboxValues, MayPushFromTheirOwnDestructor) {
  struct Late {
    Mailbox<std::unique_ptr<Late>>* mailbox;
    bool* was_refused;
    ~Late() {
      if (was_refused != nullptr) *was_refused = !mailbox->push(std::unique_ptr<Late>{new Late{nullptr, nullptr}});
    }
  };
  Mailbox<std::unique_ptr<Late>> mailbox{*Wakeup::open()};
  bool was_refused = false;
  EXPECT_TRUE(mailbox.push(std::unique_ptr<Late>{new Late{&mailbox, &was_refused}}));
  mailbox.close();
  EXPECT_TRUE(was_refused);
}

TEST(MailboxValues, FromManyThreadsAllArrive) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5000;
  Mailbox<int> mailbox{*Wakeup::open()};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&mailbox] {
      for (int i = 0; i < kEach; ++i) static_cast<void>(mailbox.push(i));
    });
  }
  std::vector<int> taken;
  std::size_t total = 0;
  while (total < kThreads * kEach) {
    wait_readable(mailbox.descriptor());  // a lost signal would stop here
    mailbox.take_all(taken);
    total += taken.size();
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(total, static_cast<std::size_t>(kThreads * kEach));
}

}  // namespace
}  // namespace equinox::net
