#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

namespace equinox::net {

/// The system calls of the data path as function pointers, so that a test can make each of them fail. One indirect
/// call more per system call. Same results and errno as the real ones.
struct Syscalls {
  int (*accept4)(int fd, sockaddr* address, socklen_t* length, int flags);
  ssize_t (*recv)(int fd, void* into, std::size_t size, int flags);
  ssize_t (*send)(int fd, const void* from, std::size_t size, int flags);
  ssize_t (*sendmsg)(int fd, const msghdr* message, int flags);
  ssize_t (*sendfile)(int out, int in, off_t* offset, std::size_t count);
  ssize_t (*pread)(int fd, void* into, std::size_t size, off_t offset);
  int (*epoll_ctl)(int set, int operation, int fd, epoll_event* event);
  int (*epoll_wait)(int set, epoll_event* events, int count, int timeout_ms);
  int (*shutdown)(int fd, int how);
};

namespace detail {
extern Syscalls syscalls_in_use;
}

/// Those in use. Changed by tests only, before the threads that call them start.
inline Syscalls& syscalls() noexcept { return detail::syscalls_in_use; }
/// The real ones.
Syscalls real_syscalls() noexcept;

}  // namespace equinox::net
