#include "privileges.hpp"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace equinox::appliance {
namespace {

bool holds_any_capability() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return true;
  return (data[0].permitted | data[0].inheritable | data[1].permitted | data[1].inheritable) != 0;
}

}  // namespace

std::string forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return {};
  return std::string{"PR_SET_NO_NEW_PRIVS: "} + std::strerror(errno);
}

std::string drop_capabilities() {
  // The bounding set first: it takes a capability to shrink it. Without that one nothing can be gained anyway.
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    static_cast<void>(::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0));
  }
  static_cast<void>(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  if (::syscall(SYS_capset, &header, none.data()) == 0 || !holds_any_capability()) return {};
  return std::string{"capset: "} + std::strerror(errno);
}

}  // namespace equinox::appliance
