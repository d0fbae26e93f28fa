#include "net/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>

#include "net/syscalls.hpp"

namespace equinox::net {

Result<Poller> Poller::open() {
  UniqueFd set{::epoll_create1(EPOLL_CLOEXEC)};
  if (!set) return Error{errno == EMFILE || errno == ENFILE ? Errc::descriptors_exhausted : Errc::system, errno};
  return Poller{std::move(set)};
}

Result<void> Poller::control(int fd, std::uint64_t token, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  while (syscalls().epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    if (errno == EINTR) continue;
    return Error{errno == ENOMEM || errno == ENOSPC ? Errc::out_of_memory : Errc::system, errno};
  }
  return {};
}

Result<void> Poller::add(int fd, std::uint64_t token) {
  return control(fd, token, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

Result<void> Poller::add_level(int fd, std::uint64_t token) { return control(fd, token, EPOLLIN); }

Result<void> Poller::add_exclusive(int fd, std::uint64_t token) { return control(fd, token, EPOLLIN | EPOLLEXCLUSIVE); }

void Poller::remove(int fd) noexcept {
  epoll_event ignored{};
  static_cast<void>(syscalls().epoll_ctl(set_.get(), EPOLL_CTL_DEL, fd, &ignored));
}

std::span<const ReadyEvent> Poller::wait(Duration timeout) {
  int timeout_ms = -1;
  if (timeout >= Duration::zero()) {
    const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    timeout_ms = static_cast<int>(std::min<std::int64_t>(rounded, INT_MAX));
  }
  const int count = syscalls().epoll_wait(set_.get(), buffers_->raw.data(), static_cast<int>(kMaxEvents), timeout_ms);
  const std::size_t ready = count > 0 ? static_cast<std::size_t>(count) : 0;  // EINTR: an empty turn
  for (std::size_t i = 0; i < ready; ++i) {
    const epoll_event& event = buffers_->raw[i];
    buffers_->ready[i] = {.token = event.data.u64,
                          .readable = (event.events & EPOLLIN) != 0,
                          .writable = (event.events & EPOLLOUT) != 0,
                          .peer_closed = (event.events & EPOLLRDHUP) != 0,
                          .error_or_hangup = (event.events & (EPOLLERR | EPOLLHUP)) != 0};
  }
  return {buffers_->ready.data(), ready};
}

}  // namespace equinox::net
