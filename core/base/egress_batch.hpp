#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/open_file.hpp"

namespace equinox {

/// Bytes on their way to a peer, in order: copied bytes, borrowed bytes and file ranges. A codec appends, a transport
/// consumes. Copied bytes live in one contiguous block, so a batch of small answers leaves in one write; while there is
/// nothing else they are one run at the block's end, and no segments are kept.
/// Owning reactor's thread only.
class EgressBatch {
 public:
  enum class Kind : std::uint8_t { copied, borrowed, file };
  struct Segment {
    Kind kind{Kind::copied};
    std::uint64_t offset{0};  ///< copied: into the block; file: into the file
    std::uint64_t length{0};
    const char* data{nullptr};             ///< borrowed only
    std::shared_ptr<const void> keeper;    ///< keeps borrowed bytes alive; empty for literals
    std::shared_ptr<const OpenFile> file;  ///< file only
    std::size_t owned{0};                  ///< borrowed only: what goes with the keeper
  };

  EgressBatch() = default;
  /// @param held_bytes  where its owner sums up what blocks take; outlives the batch
  explicit EgressBatch(std::size_t block_bytes, std::size_t* held_bytes = nullptr) : held_bytes_{held_bytes} {
    grow(block_bytes);
  }
  EgressBatch(const EgressBatch&) = delete;
  EgressBatch& operator=(const EgressBatch&) = delete;
  ~EgressBatch() {
    if (held_bytes_ != nullptr) *held_bytes_ -= capacity_;
  }

  /// Room for `bytes` contiguous bytes at the end of the block; commit() says how many were written.
  /// The pointer is valid until the next call of any member.
  char* reserve(std::size_t bytes) {
    if (capacity_ - used_ < bytes) grow(used_ + bytes);
    return block_.get() + used_;
  }
  void commit(std::size_t bytes) {
    if (bytes == 0) return;
    if (!segments_.empty()) commit_behind_others(bytes);
    used_ += bytes;
    pending_ += bytes;
  }
  void append(std::string_view bytes);
  /// Bytes that are not copied. `keeper` (may be empty for literals) lives until they are written.
  /// @param owned_bytes  memory that is held for this batch alone and goes with the keeper; 0: others hold it too
  void append_borrowed(std::string_view bytes, std::shared_ptr<const void> keeper, std::size_t owned_bytes = 0);
  void append_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset, std::uint64_t length);

  [[nodiscard]] bool empty() const noexcept { return pending_ == 0; }
  [[nodiscard]] std::uint64_t pending_bytes() const noexcept { return pending_; }
  /// Bytes of the block.
  [[nodiscard]] std::size_t capacity_bytes() const noexcept { return capacity_; }
  /// Bytes of memory held: this object, the block, the segments, and borrowed bytes that nobody else holds.
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return sizeof(*this) + capacity_ + segments_.capacity() * sizeof(Segment) + owned_bytes_;
  }
  /// All bytes ever appended / consumed: a response is out when consumed reaches the mark taken after it was appended.
  [[nodiscard]] std::uint64_t appended_total() const noexcept { return consumed_ + pending_; }
  [[nodiscard]] std::uint64_t consumed_total() const noexcept { return consumed_; }

  /// Segments not yet consumed, oldest first; the first one starts at the first unwritten byte.
  [[nodiscard]] std::span<const Segment> segments() const noexcept {
    if (!segments_.empty()) return {segments_.data() + head_, segments_.size() - head_};
    if (pending_ == 0) return {};
    run_.offset = used_ - pending_;
    run_.length = pending_;
    return {&run_, 1};
  }
  /// All that is pending, when that is one run of copied bytes: the usual batch. Else empty.
  [[nodiscard]] std::string_view run() const noexcept {
    if (!segments_.empty()) return {};
    return {block_.get() + used_ - pending_, static_cast<std::size_t>(pending_)};
  }
  /// The bytes of a copied or borrowed segment.
  [[nodiscard]] std::string_view bytes_of(const Segment& segment) const noexcept {
    return segment.kind == Kind::copied ? std::string_view{block_.get() + segment.offset, segment.length}
                                        : std::string_view{segment.data, segment.length};
  }
  /// Drops the first `bytes` pending bytes. An emptied batch starts again at the beginning of its block.
  void consume(std::uint64_t bytes) noexcept {
    bytes = std::min(bytes, pending_);
    pending_ -= bytes;
    consumed_ += bytes;
    if (!segments_.empty()) {
      drop_from_segments(bytes);
    } else if (pending_ == 0) {
      used_ = 0;
    }
  }
  void clear() noexcept { consume(pending_); }

 private:
  void add(Segment segment);
  void commit_behind_others(std::size_t bytes);
  void drop_from_segments(std::uint64_t bytes) noexcept;
  void grow(std::size_t at_least);

  std::unique_ptr<char[]> block_;
  std::size_t capacity_{0};
  std::size_t* held_bytes_{nullptr};
  std::size_t used_{0};
  std::uint64_t pending_{0};
  std::uint64_t consumed_{0};
  std::size_t owned_bytes_{0};     ///< of all segments
  std::vector<Segment> segments_;  ///< empty while all that is pending is one run
  std::size_t head_{0};
  mutable Segment run_;  ///< that run, for segments()
};

}  // namespace equinox
