#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <span>

#include "base/egress_batch.hpp"

namespace equinox {

/// Fills `into` from `offset` on. Blocks as long as the disk does.
/// @return false when the file ends before that, or cannot be read
inline bool read_file(const OpenFile& file, std::uint64_t offset, std::span<char> into) noexcept {
  while (!into.empty()) {
    const ssize_t count = ::pread(file.fd.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    offset += static_cast<std::uint64_t>(count);
    into = into.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace equinox
