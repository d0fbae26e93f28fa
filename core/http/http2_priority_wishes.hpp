#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "http/codec.hpp"
#include "http/priority.hpp"

namespace equinox::http {

/// What a peer wishes for streams that it has not opened yet (RFC 9218 §7.1). Kept here and not by nghttp2 1.52, which
/// goes on listing such a stream as idle when it is open, and frees it as one.
class Http2PriorityWishes {
 public:
  /// The newest wish for a stream counts.
  /// @return false when that would be more than `most` streams
  [[nodiscard]] bool keep(StreamId stream, Priority priority, std::size_t most) {
    for (Wish& wish : wishes_) {
      if (wish.stream == stream) {
        wish.priority = priority;
        return true;
      }
    }
    if (wishes_.size() >= most) return false;
    wishes_.push_back({stream, priority});
    return true;
  }
  [[nodiscard]] bool empty() const noexcept { return wishes_.empty(); }
  /// The wish for a stream that opens now. It is forgotten, and so are those for streams below, which cannot open any
  /// more.
  std::optional<Priority> take(StreamId stream) {
    std::optional<Priority> found;
    std::erase_if(wishes_, [&](const Wish& wish) {
      if (wish.stream == stream) found = wish.priority;
      return wish.stream <= stream;
    });
    if (wishes_.empty()) wishes_.shrink_to_fit();
    return found;
  }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return wishes_.capacity() * sizeof(Wish); }

 private:
  struct Wish {
    StreamId stream{0};
    Priority priority;
  };
  std::vector<Wish> wishes_;
};

}  // namespace equinox::http
