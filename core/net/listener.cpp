#include "net/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/syscalls.hpp"
#include "net/tcp_info.hpp"

namespace equinox::net {
namespace {

Result<void> set_option(int fd, int level, int name, int value) {
  if (::setsockopt(fd, level, name, &value, sizeof value) == 0) return {};
  return Error{Errc::system, errno};
}

/// What the kernel queues of a connection's answers beyond what is on its way, bytes; without a bound it takes 2 to 4
/// MB for each peer that does not read, which no limit of ours sees.
constexpr int kUnsentMaxBytes = 256 * 1024;

/// A peer that says nothing is asked for after a minute: one that has closed or is gone answers with a reset or not at
/// all. While a streamed answer has nothing to send nothing else would find out.
constexpr int kKeepIdleSeconds = 60;
constexpr int kKeepIntervalSeconds = 10;
constexpr int kKeepCount = 3;

/// What accepted sockets inherit: system calls for all of them instead of for each.
Result<void> set_inherited(int fd) {
  struct Option {
    int level;
    int name;
    int value;
  };
  for (const auto& [level, name, value] :
       {Option{IPPROTO_TCP, TCP_NODELAY, 1}, Option{IPPROTO_TCP, TCP_NOTSENT_LOWAT, kUnsentMaxBytes},
        Option{SOL_SOCKET, SO_KEEPALIVE, 1}, Option{IPPROTO_TCP, TCP_KEEPIDLE, kKeepIdleSeconds},
        Option{IPPROTO_TCP, TCP_KEEPINTVL, kKeepIntervalSeconds}, Option{IPPROTO_TCP, TCP_KEEPCNT, kKeepCount}}) {
    if (auto set = set_option(fd, level, name, value); !set) return set;
  }
  return {};
}

int option(int fd, int level, int name) noexcept {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

Result<void> prepare(int fd, const SocketAddress& address, const ListenerOptions& options) {
  if (auto set = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1); !set) return set;
  if (options.reuse_port) {
    if (auto set = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1); !set) return set;
  }
  if (auto set = set_inherited(fd); !set) return set;
  if (address.family() == AF_INET6) {
    const bool v6_only = options.v6_only && !address.is_any_family();
    if (auto set = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only ? 1 : 0); !set) return set;
  }
  if (options.defer_accept_seconds > 0) {
    return set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, options.defer_accept_seconds);
  }
  return {};
}

Result<SocketAddress> bound_to(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return Error{Errc::system, errno};
  return SocketAddress::from_sockaddr(storage, length);
}

// Errors of a connection that broke while it was queued (accept(2)): the next one may be fine.
bool concerns_one_peer(int error) noexcept {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM: return true;  // EPERM: a firewall rule
    default: return false;
  }
}

Errc accept_errc(int error) noexcept {
  if (error == EMFILE || error == ENFILE) return Errc::descriptors_exhausted;
  if (error == ENOBUFS || error == ENOMEM) return Errc::out_of_memory;
  return Errc::system;
}

}  // namespace

Result<Listener> Listener::open(const SocketAddress& address, const ListenerOptions& options) {
  UniqueFd socket{::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP)};
  if (!socket && errno == EAFNOSUPPORT && address.is_any_family()) {
    return open(SocketAddress::from_endpoint(Endpoint::v4({0, 0, 0, 0}, address.port())), options);
  }
  if (!socket) return Error{accept_errc(errno), errno};
  if (auto prepared = prepare(socket.get(), address, options); !prepared) return prepared.error();
  sockaddr_storage storage{};
  const socklen_t length = address.to_sockaddr(storage);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    const int problem = errno;
    // IPv6 compiled in but switched off: "::" cannot be bound, and ":80" means IPv4 then.
    if (problem == EADDRNOTAVAIL && address.is_any_family()) {
      return open(SocketAddress::from_endpoint(Endpoint::v4({0, 0, 0, 0}, address.port())), options);
    }
    return Error{Errc::system, problem};
  }
  if (::listen(socket.get(), options.backlog) != 0) return Error{Errc::system, errno};
  const auto bound = bound_to(socket.get());
  if (!bound) return bound.error();
  return Listener{std::move(socket), address.with_port(bound->port())};
}

Result<std::vector<Listener>> Listener::open_group(const SocketAddress& address, ListenerOptions options,
                                                   std::uint32_t count) {
  // SO_REUSEPORT lets a second process of the same user share a port unnoticed: it is asked for only among our own
  // sockets, after the port was seen to be free.
  options.reuse_port = false;
  if (count > 1 && address.port() != 0) {
    if (const auto alone = open(address, options); !alone) return alone.error();
  }
  options.reuse_port = count > 1;
  std::vector<Listener> group;
  SocketAddress common = address;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto opened = open(common, options);
    if (!opened) return opened.error();
    common = opened->bound_address();  // with the port the kernel chose, for the others
    group.push_back(std::move(*opened));
  }
  return group;
}

Result<Listener> Listener::adopt(UniqueFd socket) {
  const int fd = socket.get();
  if (option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM || option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1) {
    return Error{Errc::invalid_argument, EINVAL};
  }
  const auto bound = bound_to(fd);
  if (!bound) return Error{Errc::invalid_argument, EINVAL};
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return Error{Errc::system, errno};
  }
  if (auto set = set_inherited(fd); !set) return set.error();
  return Listener{std::move(socket), *bound};
}

Result<std::optional<Accepted>> Listener::accept() {
  while (true) {
    sockaddr_storage storage;
    socklen_t length = sizeof storage;
    const int fd =
        syscalls().accept4(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) return std::optional{Accepted{UniqueFd{fd}, endpoint_from_sockaddr(storage)}};
    const int problem = errno;
    if (problem == EAGAIN || problem == EWOULDBLOCK) return std::optional<Accepted>{};
    if (!concerns_one_peer(problem)) return Error{accept_errc(problem), problem};
  }
}

AcceptQueue Listener::accept_queue() const noexcept {
  const auto facts = read_tcp_info(socket_.get());
  if (!facts) return {};
  return {.length = facts->unacknowledged_segments, .limit = facts->selective_acks};
}

}  // namespace equinox::net
