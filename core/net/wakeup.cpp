#include "net/wakeup.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace equinox::net {

Result<Wakeup> Wakeup::open() {
  UniqueFd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  if (!event) return Error{errno == EMFILE || errno == ENFILE ? Errc::descriptors_exhausted : Errc::system, errno};
  return Wakeup{std::move(event)};
}

void Wakeup::signal() const noexcept {
  const int before = errno;  // may run in a signal handler
  const std::uint64_t one = 1;
  // The only failure, a counter at its end, means that the signal is pending already.
  static_cast<void>(!::write(event_.get(), &one, sizeof one));
  errno = before;
}

void Wakeup::acknowledge() const noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(event_.get(), &count, sizeof count));
}

}  // namespace equinox::net
