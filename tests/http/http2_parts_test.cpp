#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "http/http2_client.hpp"
#include "http/http2_frame_scanner.hpp"
#include "http/http2_memory.hpp"
#include "http/http2_session_memory.hpp"

namespace equinox::http {
namespace {

using namespace std::chrono_literals;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

TEST(Http2FrameScannerTest, FindsTheSameFramesHoweverTheyAreCut) {
  const std::string wire = test::client_preface() + test::get_frame(1, "/a") +
                           test::frame(0, 1, 1, std::string(300, 'd')) + test::frame(0xfe, 0x80, 0x7fffffff, "") +
                           test::frame(9, 0, 3, "zz");
  const std::vector<std::uint8_t> types{4, 1, 0, 0xfe, 9};
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) {
    Http2FrameScanner scanner;
    std::vector<std::uint8_t> found;
    for (std::size_t start = 0; start < wire.size(); start += piece) {
      const auto input = bytes_of(std::string_view{wire}.substr(start, piece));
      for (std::size_t position = 0; position < input.size();) {
        FrameHeader frame;
        const auto next = scanner.next(input, position, frame);
        ASSERT_NE(next, Http2FrameScanner::Found::wrong_preface);
        if (next == Http2FrameScanner::Found::header) found.push_back(frame.type);
      }
    }
    EXPECT_EQ(found, types) << piece;
    EXPECT_TRUE(scanner.is_inside_header_block());
  }
}

TEST(Http2FrameScannerTest, ReadsEveryPartOfAHeader) {
  Http2FrameScanner scanner;
  const std::string wire = test::client_preface() + test::frame(3, 0x25, 0x01020304, std::string(70'000, 'x'));
  std::size_t position = 0;
  FrameHeader frame;
  static_cast<void>(scanner.next(bytes_of(wire), position, frame));
  ASSERT_EQ(scanner.next(bytes_of(wire), position, frame), Http2FrameScanner::Found::header);
  EXPECT_EQ(frame.length, 70'000U);
  EXPECT_EQ(frame.type, 3);
  EXPECT_EQ(frame.flags, 0x25);
  EXPECT_EQ(frame.stream, 0x01020304U);
}

TEST(Http2FrameScannerTest, KnowsWhatIsIncomplete) {
  Http2FrameScanner scanner;
  const auto feed = [&scanner](const std::string& text) {
    std::size_t position = 0;
    FrameHeader frame;
    while (position < text.size()) static_cast<void>(scanner.next(bytes_of(text), position, frame));
  };
  EXPECT_FALSE(scanner.is_inside_head());
  feed("PRI * HT");
  EXPECT_TRUE(scanner.is_inside_head());
  feed(test::client_preface().substr(8));
  EXPECT_FALSE(scanner.is_inside_head());
  EXPECT_FALSE(scanner.is_inside_frame());
  feed(test::frame(0, 0, 1, "12345").substr(0, 12));
  EXPECT_FALSE(scanner.is_inside_head()) << "a body is not a head";
  EXPECT_TRUE(scanner.is_inside_frame());
  feed("45");
  EXPECT_FALSE(scanner.is_inside_frame());
}

TEST(Http2MemoryTest, GivesWhatIsAskedForAndCountsIt) {
  Http2Memory memory;
  std::vector<void*> blocks;
  for (std::size_t size = 0; size < 10'000; size = size < 600 ? size + 1 : size + 97) {
    void* block = memory.allocate(size);
    std::memset(block, 0x5a, size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 8, 0U);
    blocks.push_back(block);
  }
  EXPECT_GT(memory.used_bytes(), 0U);
  for (void* block : blocks) memory.release(block);
  EXPECT_EQ(memory.used_bytes(), 0U);
}

TEST(Http2MemoryTest, KeepsContentWhenABlockGrows) {
  Http2Memory memory;
  auto* text = static_cast<char*>(memory.allocate(5));
  std::memcpy(text, "abcd", 5);
  text = static_cast<char*>(memory.reallocate(text, 5'000));
  EXPECT_STREQ(text, "abcd");
  memory.release(text);
  auto* zeroed = static_cast<char*>(memory.allocate_zeroed(40));
  EXPECT_EQ(std::string(zeroed, 40), std::string(40, '\0'));
  memory.release(zeroed);
}

TEST(Http2MemoryTest, LendsOneFrameBufferToEachSession) {
  Http2Memory memory;
  void* first = nullptr;
  void* second = nullptr;
  {
    const Http2Memory::SharesFrameBuffer sharing{memory};
    first = memory.allocate(16'394);
    second = memory.allocate(16'394);
  }
  EXPECT_NE(first, second) << "one session may need two at a time";
  {
    const Http2Memory::SharesFrameBuffer sharing{memory};
    EXPECT_EQ(memory.allocate(16'394), first);
  }
  void* small = memory.allocate_zeroed(100);
  EXPECT_NE(small, first);
  memory.release(small);
  memory.release(second);
  memory.release(first);
}

TEST(Http2MemoryTest, KeepsNoMoreThanItMay) {
  Http2Memory memory{1'000};
  std::vector<void*> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(memory.allocate(400));
  for (void* block : blocks) memory.release(block);
  EXPECT_LE(memory.kept_bytes(), 1'000U);
}

TEST(Http2MemoryTest, CountsWhatEachSessionHolds) {
  Http2Memory memory;
  Http2SessionMemory one{memory};
  Http2SessionMemory other{memory};
  void* block = one.allocate(300);
  void* large = other.allocate(40'000);
  EXPECT_GE(one.used_bytes(), 300U);
  EXPECT_LT(one.used_bytes(), 400U);
  EXPECT_GE(other.used_bytes(), 40'000U);
  block = one.reallocate(block, 2'000);
  EXPECT_GE(one.used_bytes(), 2'000U);
  EXPECT_EQ(one.used_bytes() + other.used_bytes(), memory.used_bytes());
  one.charge(100);
  one.release(block);
  EXPECT_EQ(one.used_bytes(), 100U);
  one.discharge(100);
  other.release(large);
  one.release(nullptr);
  {
    const Http2Memory::SharesFrameBuffer sharing{memory};
    void* frame = one.allocate(16'394);
    void* page = one.allocate_zeroed(Http2Pages::kPageBytes);
    EXPECT_EQ(one.used_bytes(), page == sharing.page() ? 0U : Http2Pages::kPageBytes) << "neither is one session's";
    one.release(page);
    one.release(frame);
  }
  EXPECT_EQ(one.used_bytes(), 0U);
  EXPECT_EQ(other.used_bytes(), 0U);
}

TEST(Http2MemoryTest, GivesTheFirstZeroedPageOfASessionFromPages) {
  Http2Memory memory;
  void* page = nullptr;
  {
    const Http2Memory::SharesFrameBuffer sharing{memory};
    EXPECT_EQ(sharing.page(), nullptr);
    page = memory.allocate_zeroed(Http2Pages::kPageBytes);
    EXPECT_EQ(sharing.page(), page);
    void* other = memory.allocate_zeroed(Http2Pages::kPageBytes);
    EXPECT_EQ(sharing.page(), page) << "one for each session";
    memory.release(other);
  }
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(page) % Http2Pages::kPageBytes, 0U);
  EXPECT_EQ(memory.used_bytes(), Http2Pages::kPageBytes);
  std::memset(page, 0x5a, Http2Pages::kPageBytes);
  auto* larger = static_cast<char*>(memory.reallocate(page, 3 * Http2Pages::kPageBytes));
  EXPECT_EQ(std::string(larger, Http2Pages::kPageBytes), std::string(Http2Pages::kPageBytes, 0x5a));
  memory.release(larger);
  EXPECT_EQ(memory.used_bytes(), 0U);
}

class Http2PagesTest : public testing::Test {
 protected:
  static bool is_zero(const void* page) {
    return std::string_view{static_cast<const char*>(page), Http2Pages::kPageBytes} ==
           std::string(Http2Pages::kPageBytes, '\0');
  }
  static bool is_resident(void* page) {
    unsigned char there = 0;
    return ::mincore(page, Http2Pages::kPageBytes, &there) == 0 && (there & 1U) != 0;
  }
  static void use(void* page) {
    std::memset(page, 1, Http2Pages::kPageBytes);
    std::memset(page, 0, Http2Pages::kPageBytes);
  }
  Http2Pages pages{2};
};

TEST_F(Http2PagesTest, GivesZeroedPagesAgainAndAgain) {
  std::vector<void*> taken;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 600; ++i) {  // more than one region
      taken.push_back(pages.take());
      ASSERT_TRUE(is_zero(taken.back()));
      std::memset(taken.back(), 7, Http2Pages::kPageBytes);
    }
    EXPECT_EQ((std::set<void*>{taken.begin(), taken.end()}.size()), 600U);
    for (void* page : taken) pages.give_back(page);
    taken.clear();
    EXPECT_EQ(pages.used_bytes(), 0U);
  }
}

TEST_F(Http2PagesTest, TheLongestRestingPageLosesItsMemory) {
  void* first = pages.take();
  void* second = pages.take();
  void* third = pages.take();
  for (void* page : {first, second, third}) use(page);
  for (void* page : {first, second, second, third}) pages.rest(page);
  EXPECT_EQ(pages.cold_count(), 1U);
  EXPECT_FALSE(is_resident(first));
  EXPECT_TRUE(is_resident(second));
  EXPECT_EQ(pages.used_bytes(), 2 * Http2Pages::kPageBytes);
  std::memset(first, 3, 8);  // before it is said to be awake
  pages.wake(first);
  EXPECT_EQ(static_cast<const char*>(first)[7], 3);
  EXPECT_EQ(pages.cold_count(), 0U);
  pages.rest(first);
  EXPECT_EQ(static_cast<const char*>(first)[7], 3) << "now the second rests longest";
  EXPECT_FALSE(is_resident(second));
  for (void* page : {first, second, third}) pages.give_back(page);
  EXPECT_EQ(pages.cold_count(), 0U);
  EXPECT_EQ(pages.used_bytes(), 0U);
}

TEST_F(Http2PagesTest, OneThatIsGivenBackColdAndWrittenToIsZerosAgain) {
  std::vector<void*> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(pages.take());
  for (void* page : taken) pages.rest(page);
  ASSERT_EQ(pages.cold_count(), 1U);
  std::memset(taken[0], 9, 8);  // its owner has begun something and not said so
  pages.give_back(taken[0]);
  EXPECT_EQ(pages.take(), taken[0]);
  EXPECT_TRUE(is_zero(taken[0]));
}

TEST_F(Http2PagesTest, WhatIsNotZeroStays) {
  std::vector<void*> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(pages.take());
  std::memset(taken[0], 9, 1);
  for (void* page : taken) pages.rest(page);
  EXPECT_EQ(*static_cast<const char*>(taken[0]), 9);
  EXPECT_EQ(pages.cold_count(), 1U);
  pages.wake(taken[0]);
  pages.wake(taken[0]);
  for (void* page : taken) pages.give_back(page);
  EXPECT_TRUE(is_zero(pages.take()));
}

}  // namespace
}  // namespace equinox::http
