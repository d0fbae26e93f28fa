#include "net/tcp_transport.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/syscalls.hpp"

namespace equinox::net {
namespace {

// One sendfile call; the kernel itself stops at 0x7ffff000 bytes.
constexpr std::uint64_t kSendfileMaxBytes = kWriteShareBytes;

bool is_again(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

IoResult failed(int error, std::size_t moved) { return {IoStatus::failed, moved, io_error(error)}; }

// The segments up to the first file, as many as one call takes.
ssize_t send_bytes(int fd, const EgressBatch& batch) {
  std::array<iovec, TcpTransport::kMaxSegmentsPerWrite> parts;
  std::size_t count = 0;
  for (const EgressBatch::Segment& segment : batch.segments()) {
    if (segment.kind == EgressBatch::Kind::file || count == parts.size()) break;
    const std::string_view bytes = batch.bytes_of(segment);
    parts[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
  }
  // Without MSG_MORE before a file: a head that waited for it cost three times as much on loopback.
  if (count == 1) return syscalls().send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return syscalls().sendmsg(fd, &message, MSG_NOSIGNAL);
}

ssize_t send_file(int fd, const EgressBatch::Segment& segment) {
  auto offset = static_cast<off_t>(segment.offset);
  const auto asked = static_cast<std::size_t>(std::min(segment.length, kSendfileMaxBytes));
  return syscalls().sendfile(fd, segment.file->fd.get(), &offset, asked);
}

}  // namespace

void drop_unsent(int descriptor) noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  // Refused, the close is an ordinary one.
  static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
}

std::uint64_t unacknowledged_bytes(int descriptor) noexcept {
  int bytes = 0;
  return ::ioctl(descriptor, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

Error io_error(int os_errno) noexcept {
  switch (os_errno) {
    case ECONNRESET:
    case EPIPE: return {Errc::peer_reset, os_errno};
    case ETIMEDOUT: return {Errc::timed_out, os_errno};
    case ENOMEM:
    case ENOBUFS: return {Errc::out_of_memory, os_errno};
    default: return {Errc::system, os_errno};
  }
}

IoResult TcpTransport::read(std::span<std::byte> into) {
  while (true) {
    const ssize_t count = syscalls().recv(socket_.get(), into.data(), into.size(), 0);
    if (count > 0) {
      const auto bytes = static_cast<std::size_t>(count);
      return {bytes < into.size() ? IoStatus::would_block : IoStatus::ok, bytes, {}};
    }
    if (count == 0) return {IoStatus::closed, 0, Error{Errc::peer_closed}};
    if (errno == EINTR) continue;
    if (is_again(errno)) return {IoStatus::would_block, 0, {}};
    return failed(errno, 0);
  }
}

IoResult TcpTransport::write(EgressBatch& batch) {
  std::size_t moved = 0;
  while (!batch.empty()) {
    const std::string_view run = batch.run();
    const bool is_file = run.empty() && batch.segments().front().kind == EgressBatch::Kind::file;
    const ssize_t sent = !run.empty() ? syscalls().send(socket_.get(), run.data(), run.size(), MSG_NOSIGNAL)
                         : is_file    ? send_file(socket_.get(), batch.segments().front())
                                      : send_bytes(socket_.get(), batch);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (is_again(errno)) return {IoStatus::would_block, moved, {}};
      return failed(errno, moved);
    }
    if (sent == 0 && is_file) return {IoStatus::failed, moved, Error{Errc::file_changed}};
    // Fewer bytes than offered are no promise of a write edge (a shorter file, a signal): only EAGAIN is, so ask again.
    batch.consume(static_cast<std::uint64_t>(sent));
    moved += static_cast<std::size_t>(sent);
    if (moved >= kWriteShareBytes) break;
  }
  return {IoStatus::ok, moved, {}};
}

void TcpTransport::shutdown_send() noexcept { static_cast<void>(syscalls().shutdown(socket_.get(), SHUT_WR)); }

}  // namespace equinox::net
