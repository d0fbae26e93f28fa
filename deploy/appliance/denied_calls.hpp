#pragma once

#include <vector>

namespace equinox::appliance {

/// System calls a server that already listens never makes, whatever their arguments.
std::vector<long> denied_calls();
/// Built with a sanitizer: its leak check makes a process and traces, its reports run a program.
constexpr bool is_sanitized() noexcept {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
  return true;
#else
  return false;
#endif
#else
  return false;
#endif
}

}  // namespace equinox::appliance
