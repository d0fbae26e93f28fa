#include "base/egress_batch.hpp"

#include <algorithm>
#include <cstring>

namespace equinox {

// A reader that is always a little behind never lets the block become empty: what has left it makes room first, or the
// block would grow to the size of all that was ever sent.
void EgressBatch::grow(std::size_t at_least) {
  const auto live = segments();  // in the usual batch its one run
  const auto first = std::find_if(live.begin(), live.end(), [](const Segment& s) { return s.kind == Kind::copied; });
  const std::size_t gone = first == live.end() ? used_ : static_cast<std::size_t>(first->offset);
  const std::size_t needed = at_least - gone;
  if (needed <= capacity_ && gone >= capacity_ / 4) {
    std::memmove(block_.get(), block_.get() + gone, used_ - gone);
  } else {
    const std::size_t wanted = std::max({needed, capacity_ * 2, std::size_t{1024}});
    std::unique_ptr<char[]> block{new char[wanted]};  // not value-initialised: it is written before it is read
    if (used_ != gone) std::memcpy(block.get(), block_.get() + gone, used_ - gone);
    block_ = std::move(block);
    if (held_bytes_ != nullptr) *held_bytes_ += wanted - capacity_;
    capacity_ = wanted;
  }
  used_ -= gone;
  for (std::size_t i = head_; i < segments_.size(); ++i) {
    if (segments_[i].kind == Kind::copied) segments_[i].offset -= gone;
  }
}

void EgressBatch::add(Segment segment) {
  if (segments_.empty() && pending_ != 0) segments_.push_back(segments().front());
  segments_.push_back(std::move(segment));
}

void EgressBatch::commit_behind_others(std::size_t bytes) {
  Segment& last = segments_.back();
  if (last.kind == Kind::copied && last.offset + last.length == used_) {
    last.length += bytes;
  } else {
    add({.kind = Kind::copied,
         .offset = used_,
         .length = bytes,
         .data = nullptr,
         .keeper = {},
         .file = {},
         .owned = 0});
  }
}

void EgressBatch::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(reserve(bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

void EgressBatch::append_borrowed(std::string_view bytes, std::shared_ptr<const void> keeper, std::size_t owned_bytes) {
  if (bytes.empty()) return;
  add({.kind = Kind::borrowed,
       .offset = 0,
       .length = bytes.size(),
       .data = bytes.data(),
       .keeper = std::move(keeper),
       .file = {},
       .owned = owned_bytes});
  owned_bytes_ += owned_bytes;
  pending_ += bytes.size();
}

void EgressBatch::append_file(std::shared_ptr<const OpenFile> file, std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return;
  add({.kind = Kind::file,
       .offset = offset,
       .length = length,
       .data = nullptr,
       .keeper = {},
       .file = std::move(file),
       .owned = 0});
  pending_ += length;
}

void EgressBatch::drop_from_segments(std::uint64_t bytes) noexcept {
  while (bytes != 0) {
    Segment& first = segments_[head_];
    const std::uint64_t taken = std::min(bytes, first.length);
    first.length -= taken;
    if (first.kind == Kind::borrowed) {
      first.data += taken;
    } else {
      first.offset += taken;
    }
    bytes -= taken;
    if (first.length == 0) {
      first.keeper.reset();
      owned_bytes_ -= first.owned;
      first.file.reset();
      ++head_;
    }
  }
  if (pending_ == 0) {
    segments_.clear();
    head_ = 0;
    used_ = 0;
  } else if (head_ > 64) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

}  // namespace equinox
