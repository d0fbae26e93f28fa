#pragma once

#include <atomic>
#include <cerrno>

#include "net/syscalls.hpp"

namespace equinox::testing {

/// What the next reads fail with; 0: they do not.
inline std::atomic<int> receive_errno{0};

/// For net::syscalls().recv.
inline ssize_t failing_receive(int fd, void* into, std::size_t size, int flags) {
  if (const int wanted = receive_errno.load(); wanted != 0) {
    errno = wanted;
    return -1;
  }
  return net::real_syscalls().recv(fd, into, size, flags);
}

}  // namespace equinox::testing
