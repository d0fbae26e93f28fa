#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace equinox::net {

struct ReadyEvent {
  std::uint64_t token{0};
  bool readable{false};
  bool writable{false};
  bool peer_closed{false};      ///< EPOLLRDHUP: read until `closed`, a short read does not mean drained
  bool error_or_hangup{false};  ///< EPOLLERR or EPOLLHUP: read to learn the error
};

/// An epoll set. Tokens, not pointers, go through the kernel. Owning reactor's thread only.
class Poller {
 public:
  static constexpr std::size_t kMaxEvents = 512;

  /// @error system, descriptors_exhausted
  static Result<Poller> open();

  /// Read, write and half-close edges, registered once for the life of `fd`: it is never modified.
  Result<void> add(int fd, std::uint64_t token);
  /// Readability by level, for eventfds and a listener of one's own.
  Result<void> add_level(int fd, std::uint64_t token);
  /// Readability by level; of the pollers that share a listening socket, one or few are woken (EPOLLEXCLUSIVE).
  Result<void> add_exclusive(int fd, std::uint64_t token);
  /// Nothing happens when `fd` is not in the set. Closing the last descriptor of a socket removes it too.
  void remove(int fd) noexcept;

  /// Waits until something is ready or `timeout` (rounded up to 1 ms; negative: for ever) is over. Empty after a
  /// timeout or a signal. The events live until the next call.
  std::span<const ReadyEvent> wait(Duration timeout);

 private:
  struct Buffers {
    std::array<epoll_event, kMaxEvents> raw;
    std::array<ReadyEvent, kMaxEvents> ready;
  };
  explicit Poller(UniqueFd set) : set_{std::move(set)}, buffers_{std::make_unique<Buffers>()} {}
  Result<void> control(int fd, std::uint64_t token, std::uint32_t events);

  UniqueFd set_;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace equinox::net
