#include "base/log_ring.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace equinox {
namespace {

LogRecord numbered(int number, std::size_t padding = 0) {
  LogRecord record{LogLevel::info, LogComponent::server, std::to_string(number)};
  if (padding != 0) record.add("padding", std::string(padding, 'p'));
  return record;
}

TEST(LogRingBytes, ComeOutInOrderThroughManyRounds) {
  LogRing ring{4096};
  LogRecord out = LogRing::blank();
  int pushed = 0;
  int popped = 0;
  while (popped < 5000) {
    while (pushed < 5000 && ring.push(numbered(pushed, static_cast<std::size_t>(pushed * 37 % 900)))) ++pushed;
    ASSERT_TRUE(ring.pop(out));
    ASSERT_EQ(out.message(), std::to_string(popped));
    std::size_t position = 0;
    LogRecord::Field field;
    const bool has_padding = popped * 37 % 900 != 0;
    ASSERT_EQ(out.next_field(position, field), has_padding);
    if (has_padding) {
      ASSERT_EQ(field.text.size(), static_cast<std::size_t>(popped * 37 % 900));
    }
    ++popped;
  }
  EXPECT_FALSE(ring.pop(out));
  EXPECT_TRUE(ring.is_empty());
}

TEST(LogRingBytes, RefusesWhenFullAndRecovers) {
  LogRing ring{4096};
  int pushed = 0;
  while (ring.push(numbered(pushed, 500))) ++pushed;
  EXPECT_GE(pushed, 5);
  EXPECT_FALSE(ring.push(numbered(-1, 500)));
  LogRecord out = LogRing::blank();
  ASSERT_TRUE(ring.pop(out));
  ASSERT_TRUE(ring.pop(out));
  EXPECT_TRUE(ring.push(numbered(pushed, 500)));
}

TEST(LogRingBytes, CrossFromOneThreadToAnother) {
  constexpr int kRecords = 20'000;
  LogRing ring{8192};
  std::thread producer{[&] {
    for (int i = 0; i < kRecords;) {
      if (ring.push(numbered(i, static_cast<std::size_t>(i % 200)))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  }};
  LogRecord out = LogRing::blank();
  for (int expected = 0; expected < kRecords;) {
    if (!ring.pop(out)) {
      std::this_thread::yield();
      continue;
    }
    if (out.message() != std::to_string(expected)) {
      ADD_FAILURE() << out.message() << " instead of " << expected;
      break;
    }
    ++expected;
  }
  while (ring.pop(out)) {
  }
  producer.join();
}

}  // namespace
}  // namespace equinox
