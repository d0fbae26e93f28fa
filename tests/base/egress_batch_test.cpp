#include "base/egress_batch.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace equinox {
namespace {

std::string all_bytes(const EgressBatch& batch) {
  std::string out;
  for (const auto& segment : batch.segments()) {
    if (segment.kind == EgressBatch::Kind::file) {
      out += "<" + std::to_string(segment.offset) + "+" + std::to_string(segment.length) + ">";
    } else {
      out += batch.bytes_of(segment);
    }
  }
  return out;
}

TEST(EgressBatchBytes, CopiedBytesInARowAreOneSegment) {
  EgressBatch batch;
  batch.append("one ");
  batch.append("two");
  EXPECT_EQ(batch.segments().size(), 1U);
  EXPECT_EQ(all_bytes(batch), "one two");
  EXPECT_EQ(batch.pending_bytes(), 7U);
}

TEST(EgressBatchBytes, AreOneRunWhileNothingElseIsAmongThem) {
  EgressBatch batch{64};
  EXPECT_EQ(batch.run(), "");
  batch.append("one");
  batch.append("two");
  EXPECT_EQ(batch.run(), "onetwo");
  batch.consume(4);
  EXPECT_EQ(batch.run(), "wo");
  batch.append_borrowed("borrowed", {});
  EXPECT_EQ(batch.run(), "") << "no longer one run";
  ASSERT_EQ(batch.segments().size(), 2U);
  EXPECT_EQ(batch.bytes_of(batch.segments().front()), "wo");
  batch.append("three");
  EXPECT_EQ(batch.pending_bytes(), 15U);
  batch.consume(15);
  EXPECT_TRUE(batch.segments().empty());
  batch.append("again");
  EXPECT_EQ(batch.run(), "again");
}

TEST(EgressBatchBytes, TellTheirOwnerWhatTheBlockTakes) {
  std::size_t held = 0;
  {
    EgressBatch first{1024, &held};
    EXPECT_EQ(held, 1024U);
    first.append(std::string(5000, 'x'));
    EXPECT_EQ(held, first.capacity_bytes());
    const EgressBatch second{512, &held};
    EXPECT_EQ(held, first.capacity_bytes() + second.capacity_bytes());
    first.clear();
    EXPECT_EQ(held, first.capacity_bytes() + second.capacity_bytes()) << "the block stays";
  }
  EXPECT_EQ(held, 0U);
}

TEST(EgressBatchBytes, CountMemoryOnlyTheBatchHoldsUntilItIsSent) {
  EgressBatch batch{1024};
  EXPECT_EQ(batch.memory_bytes(), sizeof(EgressBatch) + 1024);
  const auto own = std::make_shared<const std::string>(5000, 'o');
  const auto shared = std::make_shared<const std::string>(7000, 's');
  batch.append_borrowed(*shared, shared);
  const std::size_t before = batch.memory_bytes();
  EXPECT_LT(before, 7000U) << "the shared text is not the batch's";
  batch.append_borrowed(*own, own, 6000);
  EXPECT_GE(batch.memory_bytes(), before + 6000);
  batch.consume(7000 + 4999);
  EXPECT_GE(batch.memory_bytes(), 6000U) << "one byte keeps the whole text";
  batch.consume(1);
  EXPECT_LT(batch.memory_bytes(), 6000U);
}

TEST(EgressBatchBytes, KeepOrderAcrossKindsAndGrowth) {
  EgressBatch batch;
  const std::string big(5000, 'x');
  batch.append("head");
  batch.append_borrowed("borrowed", nullptr);
  batch.append(big);
  batch.append_file(std::make_shared<OpenFile>(), 10, 20);
  batch.append("tail");
  EXPECT_EQ(all_bytes(batch), "headborrowed" + big + "<10+20>tail");
}

TEST(EgressBatchBytes, AreConsumedFromTheFrontInAnySteps) {
  for (const std::uint64_t step : {1U, 2U, 3U, 7U, 100U}) {
    EgressBatch batch;
    batch.append("abc");
    batch.append_borrowed("defg", nullptr);
    batch.append("hi");
    std::string taken;
    while (!batch.empty()) {
      const std::string left = all_bytes(batch);
      const std::uint64_t count = std::min<std::uint64_t>(step, left.size());
      taken += left.substr(0, count);
      batch.consume(count);
    }
    EXPECT_EQ(taken, "abcdefghi") << "in steps of " << step;
    EXPECT_EQ(batch.consumed_total(), 9U);
    EXPECT_TRUE(batch.segments().empty());
  }
}

TEST(EgressBatchBytes, LetGoOfTheirKeeperOnceWritten) {
  auto keeper = std::make_shared<std::string>("kept");
  EgressBatch batch;
  batch.append_borrowed(*keeper, keeper);
  batch.append("more");
  EXPECT_EQ(keeper.use_count(), 2);
  batch.consume(3);
  EXPECT_EQ(keeper.use_count(), 2);
  batch.consume(1);
  EXPECT_EQ(keeper.use_count(), 1);
}

TEST(EgressBatchBytes, AMarkTellsWhenAResponseIsOut) {
  EgressBatch batch;
  batch.append("first");
  const std::uint64_t mark = batch.appended_total();
  batch.append("second");
  batch.consume(4);
  EXPECT_LT(batch.consumed_total(), mark);
  batch.consume(1);
  EXPECT_GE(batch.consumed_total(), mark);
}

TEST(EgressBatchBytes, AReaderThatIsAlwaysBehindCostsNoMoreMemory) {
  EgressBatch batch{4096};
  std::string sent;
  std::string taken;
  for (int i = 0; i < 20'000; ++i) {
    const std::string piece = std::to_string(i) + (i % 7 == 0 ? std::string(300, 'p') : std::string{" "});
    batch.append(piece);
    sent += piece;
    if (i % 5 == 0) {
      batch.append_borrowed("borrowed", nullptr);
      sent += "borrowed";
    }
    while (batch.pending_bytes() > 1000) {  // never empty
      const auto& first = batch.segments().front();
      const std::string_view bytes = batch.bytes_of(first).substr(0, 700);
      taken += bytes;
      batch.consume(bytes.size());
    }
  }
  EXPECT_LE(batch.capacity_bytes(), 4096U * 2);
  EXPECT_EQ(taken + all_bytes(batch), sent);
}

}  // namespace
}  // namespace equinox
