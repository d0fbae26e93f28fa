#pragma once

#include <cerrno>

#include "net/syscalls.hpp"

namespace equinox::net {

/// Replaces system calls for the life of a test and puts the real ones back.
class SystemFaults {
 public:
  SystemFaults() { syscalls() = real_syscalls(); }
  ~SystemFaults() { syscalls() = real_syscalls(); }
  SystemFaults(const SystemFaults&) = delete;
  SystemFaults& operator=(const SystemFaults&) = delete;

  Syscalls* operator->() noexcept { return &syscalls(); }
};

/// What the next calls of a replaced function do: fail `failures` times with `error`, then work.
struct FaultPlan {
  int failures{0};
  int error{0};
  int calls{0};

  void arm(int times, int os_errno) noexcept { *this = {times, os_errno, 0}; }
  bool fails() noexcept {
    ++calls;
    if (failures == 0) return false;
    --failures;
    errno = error;
    return true;
  }
};

/// Functions have no captures: one plan for all.
inline FaultPlan fault_plan;

}  // namespace equinox::net
