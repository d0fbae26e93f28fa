#include "standard_streams.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace equinox::appliance {
namespace {

/// By number. Output cannot be written: a command that has something to say must notice that nobody gets it.
constexpr std::array kModes{O_RDWR, O_RDONLY, O_RDWR};

}  // namespace

void hold_standard_streams() {
  int number = 0;
  for (const int mode : kModes) {
    // The lowest free number is the one that was looked at: those below are open. It is passed on like any stream.
    const bool is_closed = ::fcntl(number++, F_GETFD) < 0 && errno == EBADF;
    if (is_closed && ::open("/dev/null", mode) < 0) {
      throw std::system_error{errno, std::generic_category(), "a closed standard stream needs /dev/null"};
    }
  }
}

int flush_output(int status) {
  errno = 0;
  const bool is_flushed = std::fflush(stdout) == 0;
  if (is_flushed && std::ferror(stdout) == 0) return status;
  // Of an earlier failure the reason is no longer known.
  std::fprintf(stderr, "equinox: standard output: %s\n",
               is_flushed ? "not all of it could be written" : std::strerror(errno));
  return status == 0 ? 1 : status;
}

}  // namespace equinox::appliance
