#include "net/syscalls.hpp"

#include <sys/sendfile.h>
#include <unistd.h>

namespace equinox::net {

Syscalls real_syscalls() noexcept {
  return {.accept4 = [](int fd, sockaddr* address, socklen_t* length,
                        int flags) { return ::accept4(fd, address, length, flags); },
          .recv = ::recv,
          .send = ::send,
          .sendmsg = ::sendmsg,
          .sendfile = ::sendfile,
          .pread = ::pread,
          .epoll_ctl = ::epoll_ctl,
          .epoll_wait = ::epoll_wait,
          .shutdown = ::shutdown};
}

namespace detail {
Syscalls syscalls_in_use = real_syscalls();
}

}  // namespace equinox::net
