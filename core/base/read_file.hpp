#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/open_file.hpp"

namespace equinox {

namespace detail {
/// The real call, unless a test makes it fail: changed before the threads that read start. Like net::Syscalls, of which
/// nothing outside net knows.
inline ssize_t (*pread_in_use)(int fd, void* into, std::size_t size, off_t offset) = ::pread;
}  // namespace detail

/// Fills `into` from `offset` on. Blocks as long as the disk does.
/// @return false when the file ends before that, or cannot be read
inline bool read_file(const OpenFile& file, std::uint64_t offset, std::span<char> into) noexcept {
  while (!into.empty()) {
    const ssize_t count = detail::pread_in_use(file.fd.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    offset += static_cast<std::uint64_t>(count);
    into = into.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace equinox
