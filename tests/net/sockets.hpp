#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/unique_fd.hpp"
#include "net/listener.hpp"

namespace equinox::net {

/// Two connected non-blocking stream sockets.
inline std::pair<UniqueFd, UniqueFd> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    throw std::runtime_error{"socketpair"};
  return {UniqueFd{fds[0]}, UniqueFd{fds[1]}};
}

inline UniqueFd connect_to(const SocketAddress& address) {
  sockaddr_storage storage{};
  const socklen_t length = address.to_sockaddr(storage);
  UniqueFd socket{::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) return UniqueFd{};
  return socket;
}

inline void wait_readable(int fd) {
  pollfd question{fd, POLLIN, 0};
  if (::poll(&question, 1, 10'000) != 1) throw std::runtime_error{"nothing to read for 10 s"};
}

/// A connected loopback pair: first the accepted, non-blocking end.
inline std::pair<UniqueFd, UniqueFd> loopback_pair() {
  auto listener = Listener::open(*SocketAddress::parse("127.0.0.1:0"));
  UniqueFd client = connect_to(listener->bound_address());
  wait_readable(listener->descriptor());
  auto accepted = listener->accept();
  return {std::move((*accepted)->socket), std::move(client)};
}

/// Everything that can be read without waiting.
inline std::string read_now(int fd) {
  std::string out;
  char chunk[4096];
  ssize_t count = 0;
  while ((count = ::recv(fd, chunk, sizeof chunk, MSG_DONTWAIT)) > 0)
    out.append(chunk, static_cast<std::size_t>(count));
  return out;
}

/// A file in memory with the given content.
inline UniqueFd memory_file(const std::string& content) {
  UniqueFd file{::memfd_create("equinox-test", MFD_CLOEXEC)};
  if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    throw std::runtime_error{"memfd"};
  }
  return file;
}

}  // namespace equinox::net
