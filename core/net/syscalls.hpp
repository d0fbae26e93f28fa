#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>

struct ssl_ctx_st;  // SSL_CTX
struct ssl_st;      // SSL

namespace equinox::net {

/// The system calls of the data path, and OpenSSL's of a TLS connection, as function pointers, so that a test can make
/// each of them fail. One indirect call more for each. Same results and errno (OpenSSL: error queue) as the real ones.
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
  ssl_st* (*ssl_new)(ssl_ctx_st* context);
  int (*ssl_do_handshake)(ssl_st* ssl);
  int (*ssl_read_ex)(ssl_st* ssl, void* into, std::size_t size, std::size_t* count);
  int (*ssl_write_ex)(ssl_st* ssl, const void* from, std::size_t size, std::size_t* count);
};

namespace detail {
extern Syscalls syscalls_in_use;
}

/// Those in use. Changed by tests only, before the threads that call them start.
inline Syscalls& syscalls() noexcept { return detail::syscalls_in_use; }
/// The real ones.
Syscalls real_syscalls() noexcept;

}  // namespace equinox::net
