#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "telemetry/connection_record.hpp"
#include "telemetry/history.hpp"

namespace equinox::telemetry {
namespace {

constexpr std::uint64_t kWrites = 200'000;

RecordHot hot_with(std::uint64_t n) {
  RecordHot hot;
  hot.generation = static_cast<std::uint32_t>(n + 1);
  hot.received_bytes = n;
  hot.sent_bytes = n;
  hot.last_active_ns = static_cast<std::int64_t>(n);
  hot.requests = static_cast<std::uint32_t>(n);
  return hot;
}

RecordCold cold_with(std::uint64_t n) {
  RecordCold cold;
  cold.opened_ns = static_cast<std::int64_t>(n);
  cold.sampled_ns = static_cast<std::int64_t>(n);
  cold.target.assign(std::to_string(n));
  return cold;
}

TEST(ConnectionRecords, AreNeverSeenHalfWritten) {
  RecordSlab slab{3, 10};
  slab.ensure(5);
  std::atomic<bool> done{false};
  std::uint64_t seen = 0;
  std::thread reader{[&] {
    ConnectionRecord record;
    while (!done.load(std::memory_order_relaxed) || seen == 0) {
      if (!slab.read(5, record)) continue;
      ++seen;
      const auto n = record.hot.received_bytes;
      ASSERT_EQ(record.hot.sent_bytes, n);
      ASSERT_EQ(record.hot.generation, static_cast<std::uint32_t>(n + 1));
      ASSERT_EQ(record.id, ConnectionId::make(3, 5, record.hot.generation));
      ASSERT_EQ(record.cold.sampled_ns, static_cast<std::int64_t>(n));
      ASSERT_EQ(record.cold.target.view(), std::to_string(n));
    }
  }};
  for (std::uint64_t n = 1; n < kWrites; ++n) slab.at(5).write(hot_with(n), cold_with(n));
  done = true;
  reader.join();
  EXPECT_GT(seen, 0U);
}

TEST(ConnectionRecords, AppearWhileTheSlabGrows) {
  constexpr std::uint32_t kSlots = 5000;
  RecordSlab slab{0, kSlots};
  std::atomic<bool> done{false};
  std::thread reader{[&] {
    ConnectionRecord record;
    bool last_round = false;
    while (!last_round) {
      last_round = done.load();
      std::uint32_t found = 0;
      for (std::uint32_t slot = 0; slot < slab.extent(); ++slot) {
        if (slab.read(slot, record)) {
          ++found;
          ASSERT_EQ(record.hot.received_bytes, slot);
        }
      }
      if (last_round) {
        EXPECT_EQ(found, kSlots);
      }
    }
  }};
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    slab.ensure(slot);
    slab.at(slot).write(hot_with(slot), cold_with(slot));
  }
  done = true;
  reader.join();
  EXPECT_THROW(slab.ensure(kSlots), std::length_error);
}

struct Pair {
  std::uint64_t first{0};
  std::uint64_t second{0};
  std::uint64_t third{0};
};

TEST(HistoryRings, AreReadNewestFirstWhileBeingOverwritten) {
  HistoryRing<Pair> ring{64};
  std::atomic<bool> done{false};
  std::uint64_t rounds = 0;
  std::thread reader{[&] {
    while (!done.load(std::memory_order_relaxed) || rounds == 0) {
      std::uint64_t previous = ~std::uint64_t{0};
      ring.newest_first([&](const Pair& entry, std::uint64_t sequence) {
        EXPECT_EQ(entry.first, entry.second);
        EXPECT_EQ(entry.first, entry.third);
        EXPECT_EQ(entry.first, sequence);
        EXPECT_LT(sequence, previous);
        previous = sequence;
        return true;
      });
      if (previous != ~std::uint64_t{0}) ++rounds;
    }
  }};
  for (std::uint64_t n = 0; n < kWrites; ++n) ring.push({n, n, n});
  done = true;
  reader.join();
  EXPECT_GT(rounds, 0U);
}

TEST(HistoryRings, KeepTheNewestEntries) {
  HistoryRing<Pair> ring{3};
  for (std::uint64_t n = 0; n < 5; ++n) ring.push({n, n, n});
  std::vector<std::uint64_t> seen;
  ring.newest_first([&](const Pair& entry, std::uint64_t) {
    seen.push_back(entry.first);
    return true;
  });
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{4, 3, 2}));
  EXPECT_EQ(ring.totals().entries, 3U);
  EXPECT_EQ(ring.totals().written, 5U);
  EXPECT_EQ(ring.totals().capacity, 3U);
}

}  // namespace
}  // namespace equinox::telemetry
