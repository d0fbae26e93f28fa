#include "net/syscalls.hpp"

#include <openssl/ssl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace equinox::net {

namespace {

// The C library's recv, send and epoll_wait are points of cancellation: in a process with threads each call pays two
// atomic exchanges for that. Nobody cancels a reactor's thread, so the three calls of every turn go past it, but not
// where a sanitizer stands in for the library's functions.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr auto direct_recv = ::recv;
constexpr auto direct_send = ::send;
constexpr auto direct_epoll_wait = ::epoll_wait;
#else
ssize_t direct_recv(int fd, void* into, std::size_t size, int flags) {
  return ::syscall(SYS_recvfrom, fd, into, size, flags, nullptr, nullptr);
}

ssize_t direct_send(int fd, const void* from, std::size_t size, int flags) {
  return ::syscall(SYS_sendto, fd, from, size, flags, nullptr, 0);
}

int direct_epoll_wait(int set, epoll_event* events, int count, int timeout_ms) {
  // Not every architecture has epoll_wait; with no signal mask this one is the same.
  return static_cast<int>(::syscall(SYS_epoll_pwait, set, events, count, timeout_ms, nullptr, std::size_t{0}));
}
#endif

}  // namespace

Syscalls real_syscalls() noexcept {
  return {.accept4 = [](int fd, sockaddr* address, socklen_t* length,
                        int flags) { return ::accept4(fd, address, length, flags); },
          .recv = direct_recv,
          .send = direct_send,
          .sendmsg = ::sendmsg,
          .sendfile = ::sendfile,
          .pread = ::pread,
          .epoll_ctl = ::epoll_ctl,
          .epoll_wait = direct_epoll_wait,
          .shutdown = ::shutdown,
          .ssl_new = ::SSL_new,
          .ssl_do_handshake = ::SSL_do_handshake,
          .ssl_read_ex = ::SSL_read_ex,
          .ssl_write_ex = ::SSL_write_ex};
}

namespace detail {
Syscalls syscalls_in_use = real_syscalls();
}

}  // namespace equinox::net
