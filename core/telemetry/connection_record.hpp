#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <equinox/record.hpp>
#include <memory>

#include "telemetry/cell.hpp"

namespace equinox::telemetry {

/// One connection's public memory: 256 bytes, hot line first. One writer; readers copy it whole or not at all.
class alignas(64) RecordSlot {
 public:
  static constexpr std::size_t kHotWords = sizeof(RecordHot) / 8;
  static constexpr std::size_t kColdWords = sizeof(RecordCold) / 8;

  // Owner's thread only.
  void write_hot(const RecordHot& hot, std::uint64_t memory_bytes) noexcept {
    const auto words = words_of(hot);
    const auto sequence = begin();
    store_all(hot_, words);
    cold_[1].store(memory_bytes, std::memory_order_release);
    end(sequence);
  }
  void write_cold(const RecordCold& cold) noexcept;
  /// The newest request as people see it: the target of request `number`, cut at the end; of `room`, whole words are
  /// read. Every request passes here, so only the text's own words are stored: what lies behind the zero that ends it
  /// is that of earlier ones.
  template <std::size_t N>
  void write_target(std::uint32_t number, const std::array<char, N>& room, std::size_t size) noexcept {
    static_assert(N % 8 == 0 && N / 8 >= kColdWords - kTargetWord);
    const auto sequence = begin();
    auto& numbered = cold_[kNumberWord];
    numbered.store((numbered.load(std::memory_order_relaxed) & UINT32_MAX) | std::uint64_t{number} << 32U,
                   std::memory_order_release);
    const auto word_at = [&room](std::size_t i) noexcept {
      std::uint64_t word = 0;
      std::memcpy(&word, room.data() + 8 * i, 8);
      return word;
    };
    const std::size_t whole = std::min(size / 8, kColdWords - kTargetWord);
    for (std::size_t i = 0; i < whole; ++i) cold_[kTargetWord + i].store(word_at(i), std::memory_order_release);
    if (kTargetWord + whole < kColdWords) {
      const std::uint64_t rest = (std::uint64_t{1} << 8 * (size % 8)) - 1;
      cold_[kTargetWord + whole].store(word_at(whole) & rest, std::memory_order_release);
    }
    end(sequence);
  }
  void write(const RecordHot& hot, const RecordCold& cold) noexcept;
  [[nodiscard]] RecordHot own_hot() const noexcept;
  [[nodiscard]] RecordCold own_cold() const noexcept;
  /// Picked out of their words, without copying the whole.
  [[nodiscard]] std::uint32_t own_generation() const noexcept {
    return static_cast<std::uint32_t>(hot_[0].load(std::memory_order_relaxed));
  }
  [[nodiscard]] ConnectionState own_state() const noexcept {
    return static_cast<ConnectionState>((hot_[0].load(std::memory_order_relaxed) >> 32U) & 255U);
  }
  [[nodiscard]] Protocol own_protocol() const noexcept {
    return static_cast<Protocol>((hot_[0].load(std::memory_order_relaxed) >> 40U) & 255U);
  }
  [[nodiscard]] std::int64_t own_last_active_ns() const noexcept {
    return static_cast<std::int64_t>(hot_[1].load(std::memory_order_relaxed));
  }
  [[nodiscard]] std::uint64_t own_received_bytes() const noexcept { return hot_[3].load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t own_sent_bytes() const noexcept { return hot_[4].load(std::memory_order_relaxed); }
  [[nodiscard]] Endpoint own_peer() const noexcept {
    Endpoint out;
    copy_own_peer(out);
    return out;
  }
  /// Written where it is wanted: every request has it, and a copy of what was just put together would have to wait.
  void copy_own_peer(Endpoint& into) const noexcept {
    const std::uint64_t low = cold_[2].load(std::memory_order_relaxed);
    const std::uint64_t high = cold_[3].load(std::memory_order_relaxed);
    std::memcpy(into.address.data(), &low, sizeof low);
    std::memcpy(into.address.data() + sizeof low, &high, sizeof high);
    into.port = static_cast<std::uint16_t>(cold_[6].load(std::memory_order_relaxed));
    into.is_known = ((cold_[10].load(std::memory_order_relaxed) >> 32U) & 255U) != 0;
  }
  /// Whom a proxy has named; the peer where none has.
  [[nodiscard]] Endpoint own_client() const noexcept {
    if (((cold_[10].load(std::memory_order_relaxed) >> 40U) & 255U) == 0) return own_peer();
    Endpoint out;
    const std::uint64_t low = cold_[4].load(std::memory_order_relaxed);
    const std::uint64_t high = cold_[5].load(std::memory_order_relaxed);
    std::memcpy(out.address.data(), &low, sizeof low);
    std::memcpy(out.address.data() + sizeof low, &high, sizeof high);
    out.port = static_cast<std::uint16_t>(cold_[6].load(std::memory_order_relaxed) >> 16U);
    out.is_known = true;
    return out;
  }
  [[nodiscard]] std::uint16_t own_listener() const noexcept {
    return static_cast<std::uint16_t>(cold_[6].load(std::memory_order_relaxed) >> 32U);
  }
  [[nodiscard]] std::int64_t own_opened_ns() const noexcept {
    return static_cast<std::int64_t>(cold_[0].load(std::memory_order_relaxed));
  }
  [[nodiscard]] std::int64_t own_sampled_ns() const noexcept {
    return static_cast<std::int64_t>(cold_[7].load(std::memory_order_relaxed));
  }

  /// Any thread. False when the slot is free (or kept changing under the reader).
  [[nodiscard]] bool read(RecordHot& hot, RecordCold& cold) const noexcept;

 private:
  /// As std::bit_cast has them, but put together in registers: written every turn, and small pieces that were just
  /// stored cannot be loaded as a word before they have reached the cache.
  static std::array<std::uint64_t, kHotWords> words_of(const RecordHot& hot) noexcept {
    const auto wide = [](auto value) { return static_cast<std::uint64_t>(value); };
    return {wide(hot.generation) | wide(hot.state) << 32U | wide(hot.protocol) << 40U | wide(hot.deadline) << 48U |
                wide(hot.method) << 56U,
            wide(hot.last_active_ns),
            wide(hot.deadline_due_ns),
            hot.received_bytes,
            hot.sent_bytes,
            wide(hot.requests) | wide(hot.deadline_total_ms) << 32U,
            wide(hot.pending_bytes) | wide(hot.streams) << 32U | wide(hot.route) << 48U};
  }
  static constexpr std::size_t kNumberWord = offsetof(RecordCold, target_request) / 8;
  static constexpr std::size_t kTargetWord = offsetof(RecordCold, target) / 8;
  std::uint64_t begin() noexcept {
    const auto sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    return sequence + 2;
  }
  void end(std::uint64_t sequence) noexcept { sequence_.store(sequence, std::memory_order_release); }

  std::atomic<std::uint64_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kHotWords> hot_{};
  std::array<std::atomic<std::uint64_t>, kColdWords> cold_{};
};
static_assert(sizeof(RecordSlot) == 256);
static_assert(std::endian::native == std::endian::little && offsetof(RecordHot, state) == 4 &&
                  offsetof(RecordHot, protocol) == 5 && offsetof(RecordHot, last_active_ns) == 8 &&
                  offsetof(RecordHot, received_bytes) == 24 && offsetof(RecordHot, sent_bytes) == 32 &&
                  offsetof(RecordHot, deadline) == 6 && offsetof(RecordHot, method) == 7 &&
                  offsetof(RecordHot, deadline_due_ns) == 16 && offsetof(RecordHot, requests) == 40 &&
                  offsetof(RecordHot, deadline_total_ms) == 44 && offsetof(RecordHot, pending_bytes) == 48 &&
                  offsetof(RecordHot, streams) == 52 && offsetof(RecordHot, route) == 54 &&
                  offsetof(RecordCold, peer_address) == 16 && offsetof(RecordCold, peer_port) == 48 &&
                  offsetof(RecordCold, peer_known) == 84 && offsetof(RecordCold, listener) == 52 &&
                  offsetof(RecordCold, client_address) == 32 && offsetof(RecordCold, client_port) == 50 &&
                  offsetof(RecordCold, client_known) == 85 && offsetof(RecordCold, opened_ns) == 0 &&
                  offsetof(RecordCold, memory_bytes) == 8 && offsetof(RecordCold, sampled_ns) == 56 &&
                  offsetof(RecordCold, target_request) % 8 == 4 && offsetof(RecordCold, target) % 8 == 0 &&
                  offsetof(RecordCold, target) + 64 == sizeof(RecordCold),
              "own_*() pick these out of their words, write_*() put some there");

/// The records of one reactor's connections; a record has its connection's slot index. Grows chunk by chunk with use,
/// never moves and never shrinks.
class RecordSlab {
 public:
  static constexpr std::size_t kChunkBits = 7;
  static constexpr std::size_t kChunk = std::size_t{1} << kChunkBits;

  /// @param capacity  greatest number of slots, at most 2^24
  RecordSlab(std::uint8_t reactor, std::size_t capacity);
  ~RecordSlab();
  RecordSlab(const RecordSlab&) = delete;
  RecordSlab& operator=(const RecordSlab&) = delete;

  /// Owner's thread only. The slot, whose chunk is made when needed.
  /// @throws std::length_error beyond the capacity: whoever numbers connections keeps below it
  RecordSlot& ensure(std::uint32_t index);
  /// Owner's thread only; the slot was ensured.
  [[nodiscard]] RecordSlot& at(std::uint32_t index) noexcept {
    return chunks_[index >> kChunkBits].load(std::memory_order_relaxed)[index & (kChunk - 1)];
  }

  /// Any thread: a copy of the record, false when the slot is free.
  [[nodiscard]] bool read(std::uint32_t index, ConnectionRecord& into) const noexcept;
  /// Any thread: slots that were ever used are 0..extent()-1.
  [[nodiscard]] std::uint32_t extent() const noexcept { return extent_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

 private:
  std::uint8_t reactor_;
  std::size_t capacity_;
  std::size_t chunk_count_;
  std::unique_ptr<std::atomic<RecordSlot*>[]> chunks_;
  std::atomic<std::uint32_t> extent_{0};
};

}  // namespace equinox::telemetry
