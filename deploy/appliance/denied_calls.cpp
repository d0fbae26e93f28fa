#include "denied_calls.hpp"

#include <sys/syscall.h>

namespace equinox::appliance {
namespace {

// Newer than the headers of Debian 12, hence written out; the number is the same on every processor. A name below that
// is not known to the headers is a call this processor does not have.
constexpr long kFchmodat2 = 452;

}  // namespace

std::vector<long> denied_calls() {
  std::vector<long> calls;
  // Other programs and other processes.
  if (!is_sanitized()) {
#ifdef SYS_execve
    calls.push_back(SYS_execve);
#endif
#ifdef SYS_execveat
    calls.push_back(SYS_execveat);
#endif
#ifdef SYS_fork
    calls.push_back(SYS_fork);
#endif
#ifdef SYS_vfork
    calls.push_back(SYS_vfork);
#endif
#ifdef SYS_ptrace
    calls.push_back(SYS_ptrace);
#endif
#ifdef SYS_process_vm_readv
    calls.push_back(SYS_process_vm_readv);
#endif
#ifdef SYS_process_vm_writev
    calls.push_back(SYS_process_vm_writev);
#endif
#ifdef SYS_kill
    calls.push_back(SYS_kill);
#endif
  }
  // Handles on other processes, and other ways into them.
#ifdef SYS_pidfd_open
  calls.push_back(SYS_pidfd_open);
#endif
#ifdef SYS_pidfd_getfd
  calls.push_back(SYS_pidfd_getfd);
#endif
#ifdef SYS_pidfd_send_signal
  calls.push_back(SYS_pidfd_send_signal);
#endif
#ifdef SYS_process_madvise
  calls.push_back(SYS_process_madvise);
#endif
#ifdef SYS_kcmp
  calls.push_back(SYS_kcmp);
#endif
  // What listens is open before the filter is there.
#ifdef SYS_bind
  calls.push_back(SYS_bind);
#endif
#ifdef SYS_listen
  calls.push_back(SYS_listen);
#endif
#ifdef SYS_connect
  calls.push_back(SYS_connect);
#endif
#ifdef SYS_socketpair
  calls.push_back(SYS_socketpair);
#endif
  // The tree of mounts, namespaces.
#ifdef SYS_mount
  calls.push_back(SYS_mount);
#endif
#ifdef SYS_umount2
  calls.push_back(SYS_umount2);
#endif
#ifdef SYS_pivot_root
  calls.push_back(SYS_pivot_root);
#endif
#ifdef SYS_chroot
  calls.push_back(SYS_chroot);
#endif
#ifdef SYS_move_mount
  calls.push_back(SYS_move_mount);
#endif
#ifdef SYS_open_tree
  calls.push_back(SYS_open_tree);
#endif
#ifdef SYS_fsopen
  calls.push_back(SYS_fsopen);
#endif
#ifdef SYS_fsconfig
  calls.push_back(SYS_fsconfig);
#endif
#ifdef SYS_fsmount
  calls.push_back(SYS_fsmount);
#endif
#ifdef SYS_fspick
  calls.push_back(SYS_fspick);
#endif
#ifdef SYS_mount_setattr
  calls.push_back(SYS_mount_setattr);
#endif
#ifdef SYS_unshare
  calls.push_back(SYS_unshare);
#endif
#ifdef SYS_setns
  calls.push_back(SYS_setns);
#endif
#ifdef SYS_quotactl
  calls.push_back(SYS_quotactl);
#endif
#ifdef SYS_quotactl_fd
  calls.push_back(SYS_quotactl_fd);
#endif
#ifdef SYS_swapon
  calls.push_back(SYS_swapon);
#endif
#ifdef SYS_swapoff
  calls.push_back(SYS_swapoff);
#endif
  // Files by handle, special files, owners and modes.
#ifdef SYS_name_to_handle_at
  calls.push_back(SYS_name_to_handle_at);
#endif
#ifdef SYS_open_by_handle_at
  calls.push_back(SYS_open_by_handle_at);
#endif
#ifdef SYS_fanotify_init
  calls.push_back(SYS_fanotify_init);
#endif
#ifdef SYS_fanotify_mark
  calls.push_back(SYS_fanotify_mark);
#endif
#ifdef SYS_mknod
  calls.push_back(SYS_mknod);
#endif
#ifdef SYS_mknodat
  calls.push_back(SYS_mknodat);
#endif
#ifdef SYS_chmod
  calls.push_back(SYS_chmod);
#endif
#ifdef SYS_fchmod
  calls.push_back(SYS_fchmod);
#endif
#ifdef SYS_fchmodat
  calls.push_back(SYS_fchmodat);
#endif
  calls.push_back(kFchmodat2);
#ifdef SYS_chown
  calls.push_back(SYS_chown);
#endif
#ifdef SYS_fchown
  calls.push_back(SYS_fchown);
#endif
#ifdef SYS_lchown
  calls.push_back(SYS_lchown);
#endif
#ifdef SYS_fchownat
  calls.push_back(SYS_fchownat);
#endif
  // The kernel itself.
#ifdef SYS_kexec_load
  calls.push_back(SYS_kexec_load);
#endif
#ifdef SYS_kexec_file_load
  calls.push_back(SYS_kexec_file_load);
#endif
#ifdef SYS_init_module
  calls.push_back(SYS_init_module);
#endif
#ifdef SYS_finit_module
  calls.push_back(SYS_finit_module);
#endif
#ifdef SYS_delete_module
  calls.push_back(SYS_delete_module);
#endif
#ifdef SYS_bpf
  calls.push_back(SYS_bpf);
#endif
#ifdef SYS_perf_event_open
  calls.push_back(SYS_perf_event_open);
#endif
#ifdef SYS_userfaultfd
  calls.push_back(SYS_userfaultfd);
#endif
#ifdef SYS_reboot
  calls.push_back(SYS_reboot);
#endif
#ifdef SYS_sethostname
  calls.push_back(SYS_sethostname);
#endif
#ifdef SYS_setdomainname
  calls.push_back(SYS_setdomainname);
#endif
#ifdef SYS_acct
  calls.push_back(SYS_acct);
#endif
#ifdef SYS_syslog
  calls.push_back(SYS_syslog);
#endif
#ifdef SYS_iopl
  calls.push_back(SYS_iopl);
#endif
#ifdef SYS_ioperm
  calls.push_back(SYS_ioperm);
#endif
#ifdef SYS_modify_ldt
  calls.push_back(SYS_modify_ldt);
#endif
#ifdef SYS_personality
  calls.push_back(SYS_personality);
#endif
#ifdef SYS_vhangup
  calls.push_back(SYS_vhangup);
#endif
  // A second way to call the kernel, past this filter.
#ifdef SYS_io_uring_setup
  calls.push_back(SYS_io_uring_setup);
#endif
#ifdef SYS_io_uring_enter
  calls.push_back(SYS_io_uring_enter);
#endif
#ifdef SYS_io_uring_register
  calls.push_back(SYS_io_uring_register);
#endif
  // Clocks.
#ifdef SYS_settimeofday
  calls.push_back(SYS_settimeofday);
#endif
#ifdef SYS_clock_settime
  calls.push_back(SYS_clock_settime);
#endif
#ifdef SYS_adjtimex
  calls.push_back(SYS_adjtimex);
#endif
#ifdef SYS_clock_adjtime
  calls.push_back(SYS_clock_adjtime);
#endif
  // Keys and users.
#ifdef SYS_keyctl
  calls.push_back(SYS_keyctl);
#endif
#ifdef SYS_add_key
  calls.push_back(SYS_add_key);
#endif
#ifdef SYS_request_key
  calls.push_back(SYS_request_key);
#endif
#ifdef SYS_setuid
  calls.push_back(SYS_setuid);
#endif
#ifdef SYS_setgid
  calls.push_back(SYS_setgid);
#endif
#ifdef SYS_setreuid
  calls.push_back(SYS_setreuid);
#endif
#ifdef SYS_setregid
  calls.push_back(SYS_setregid);
#endif
#ifdef SYS_setresuid
  calls.push_back(SYS_setresuid);
#endif
#ifdef SYS_setresgid
  calls.push_back(SYS_setresgid);
#endif
#ifdef SYS_setgroups
  calls.push_back(SYS_setgroups);
#endif
#ifdef SYS_setfsuid
  calls.push_back(SYS_setfsuid);
#endif
#ifdef SYS_setfsgid
  calls.push_back(SYS_setfsgid);
#endif
#ifdef SYS_capset
  calls.push_back(SYS_capset);
#endif
  return calls;
}

}  // namespace equinox::appliance
