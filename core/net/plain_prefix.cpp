#include "net/plain_prefix.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "net/syscalls.hpp"
#include "net/tcp_transport.hpp"

namespace equinox::net {
namespace {

IoResult receive(int descriptor, std::span<std::byte> into, int flags) noexcept {
  while (true) {
    const ssize_t count = syscalls().recv(descriptor, into.data(), into.size(), flags);
    if (count > 0) return {IoStatus::ok, static_cast<std::size_t>(count), {}};
    if (count == 0) return {IoStatus::closed, 0, Error{Errc::peer_closed}};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {IoStatus::would_block, 0, {}};
    return {IoStatus::failed, 0, io_error(errno)};
  }
}

}  // namespace

IoResult peek_plain(int descriptor, std::span<std::byte> into) noexcept { return receive(descriptor, into, MSG_PEEK); }

IoResult take_plain(int descriptor, std::span<std::byte> into) noexcept { return receive(descriptor, into, 0); }

}  // namespace equinox::net
