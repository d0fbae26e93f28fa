#pragma once

#include <cstdint>
#include <string>

namespace equinox::appliance {

enum class OnDeniedCall : std::uint8_t {
  refuse,  ///< the call fails with EPERM
  kill,    ///< the process ends (SIGSYS)
};

/// Whether this kernel and processor can have the filter. @return empty, or what is missing
std::string seccomp_obstacle();

/// Denies, in all threads and for good, what a server that already listens never calls: running programs, making
/// processes, further sockets but AF_UNIX ones, mounting, tracing, modules, BPF, io_uring, clocks, other users, memory
/// that is writable and executable. Needs no-new-privileges. @return empty, or what failed
std::string install_seccomp_filter(OnDeniedCall action);

}  // namespace equinox::appliance
