#include "telemetry/connection_record.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace equinox::telemetry {

namespace {

template <typename T, std::size_t N>
void store_words(std::array<std::atomic<std::uint64_t>, N>& into, const T& value) noexcept {
  const auto words = std::bit_cast<std::array<std::uint64_t, N>>(value);
  for (std::size_t i = 0; i < N; ++i) into[i].store(words[i], std::memory_order_release);
}

template <typename T, std::size_t N>
T load_words(const std::array<std::atomic<std::uint64_t>, N>& from, std::memory_order order) noexcept {
  std::array<std::uint64_t, N> words;
  for (std::size_t i = 0; i < N; ++i) words[i] = from[i].load(order);
  return std::bit_cast<T>(words);
}

}  // namespace

void RecordSlot::write_cold(const RecordCold& cold) noexcept {
  const auto sequence = begin();
  store_words(cold_, cold);
  end(sequence);
}

void RecordSlot::write(const RecordHot& hot, const RecordCold& cold) noexcept {
  const auto sequence = begin();
  store_words(hot_, hot);
  store_words(cold_, cold);
  end(sequence);
}

RecordHot RecordSlot::own_hot() const noexcept { return load_words<RecordHot>(hot_, std::memory_order_relaxed); }
RecordCold RecordSlot::own_cold() const noexcept { return load_words<RecordCold>(cold_, std::memory_order_relaxed); }

bool RecordSlot::read(RecordHot& hot, RecordCold& cold) const noexcept {
  // A writer touches one slot for some nanoseconds per turn; a reader that is unlucky this often is being preempted.
  constexpr int kAttempts = 64;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = sequence_.load(std::memory_order_acquire);
    if ((before & 1U) != 0) continue;
    hot = load_words<RecordHot>(hot_, std::memory_order_acquire);
    if (hot.generation == 0) return false;
    cold = load_words<RecordCold>(cold_, std::memory_order_acquire);
    if (sequence_.load(std::memory_order_relaxed) == before) return true;
  }
  return false;
}

RecordSlab::RecordSlab(std::uint8_t reactor, std::size_t capacity)
    : reactor_{reactor},
      capacity_{std::min(capacity, std::size_t{1} << ConnectionId::kSlotBits)},
      chunk_count_{(capacity_ + kChunk - 1) / kChunk},
      chunks_{std::make_unique<std::atomic<RecordSlot*>[]>(chunk_count_)} {}

RecordSlab::~RecordSlab() {
  for (std::size_t i = 0; i < chunk_count_; ++i) delete[] chunks_[i].load(std::memory_order_relaxed);
}

RecordSlot& RecordSlab::ensure(std::uint32_t index) {
  if (index >= capacity_) throw std::length_error{"a connection beyond the capacity of the records"};
  auto& chunk = chunks_[index >> kChunkBits];
  if (chunk.load(std::memory_order_relaxed) == nullptr) {
    chunk.store(new RecordSlot[kChunk], std::memory_order_release);
  }
  if (index >= extent_.load(std::memory_order_relaxed)) extent_.store(index + 1, std::memory_order_release);
  return at(index);
}

bool RecordSlab::read(std::uint32_t index, ConnectionRecord& into) const noexcept {
  if (index >= extent()) return false;
  const auto* chunk = chunks_[index >> kChunkBits].load(std::memory_order_acquire);
  if (chunk == nullptr || !chunk[index & (kChunk - 1)].read(into.hot, into.cold)) return false;
  into.id = ConnectionId::make(reactor_, index, into.hot.generation);
  return true;
}

}  // namespace equinox::telemetry
