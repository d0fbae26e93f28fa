#include "seccomp_filter.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "denied_calls.hpp"

namespace equinox::appliance {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

constexpr std::uint32_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::uint32_t kWritableAndExecutable = PROT_WRITE | PROT_EXEC;

/// A program of the kernel's classic BPF. Jumps go over the next instructions only, so nothing has to be counted.
class Program {
 public:
  explicit Program(std::uint32_t denial) : denial_{denial} {}

  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  void answer(std::uint32_t verdict) { add(BPF_RET | BPF_K, verdict); }
  void answer_when_equal(std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(verdict);
  }
  void answer_unless_equal(std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    answer(verdict);
  }
  void answer_when_any_bit(std::uint32_t bits, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    answer(verdict);
  }
  void answer_from(std::uint32_t value, std::uint32_t verdict) {
    add(BPF_JMP | BPF_JGE | BPF_K, value, 0, 1);
    answer(verdict);
  }
  void keep_bits(std::uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, bits); }
  /// The instructions `judge` adds concern this call only; they end with an answer.
  template <typename F>
  void for_call(long number, F judge) {
    const std::size_t branch = code_.size();
    add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number));
    judge();
    code_[branch].jf = static_cast<std::uint8_t>(code_.size() - branch - 1);
  }
  [[nodiscard]] std::uint32_t denial() const noexcept { return denial_; }
  [[nodiscard]] sock_fprog view() {
    return {static_cast<unsigned short>(code_.size()), code_.data()};  // NOLINT(google-runtime-int): the kernel's type
  }

 private:
  void add(unsigned code, std::uint32_t value, std::uint8_t when_true = 0, std::uint8_t when_false = 0) {
    code_.push_back({static_cast<std::uint16_t>(code), when_true, when_false, value});
  }
  std::vector<sock_filter> code_;
  std::uint32_t denial_;
};

// Both processors are little-endian: the low half of an argument comes first.
constexpr std::size_t argument(std::size_t index) noexcept {
  return offsetof(seccomp_data, args) + index * sizeof(std::uint64_t);
}

void judge_protection(Program& program, long call) {
  program.for_call(call, [&program] {
    program.load(argument(2));
    program.keep_bits(kWritableAndExecutable);
    program.answer_when_equal(kWritableAndExecutable, program.denial());
    program.answer(SECCOMP_RET_ALLOW);
  });
}

Program make_program(std::uint32_t denial) {
  Program program{denial};
  program.load(offsetof(seccomp_data, arch));
  program.answer_unless_equal(kArchitecture, SECCOMP_RET_KILL_PROCESS);
  program.load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  program.answer_from(0x4000'0000, denial);  // the x32 interface has numbers of its own
#endif
  // Its flags are in memory, which a filter cannot read: without it the C library falls back to clone.
  program.answer_when_equal(SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
  for (const long call : denied_calls()) program.answer_when_equal(static_cast<std::uint32_t>(call), denial);
  program.for_call(SYS_clone, [&program] {
    program.load(argument(0));
    program.answer_when_any_bit(kNamespaces, program.denial());
    program.answer_when_any_bit(CLONE_THREAD, SECCOMP_RET_ALLOW);
    program.answer(is_sanitized() ? SECCOMP_RET_ALLOW : program.denial());
  });
  program.for_call(SYS_socket, [&program] {
    program.load(argument(0));
    program.answer_when_equal(AF_UNIX, SECCOMP_RET_ALLOW);  // the service manager's notification socket
    program.answer(program.denial());
  });
  judge_protection(program, SYS_mmap);
  judge_protection(program, SYS_mprotect);
  judge_protection(program, SYS_pkey_mprotect);
  program.answer(SECCOMP_RET_ALLOW);
  return program;
}

}  // namespace

std::string seccomp_obstacle() {
  if (kArchitecture == 0) return "no filter for this processor";
  const std::uint32_t wanted = SECCOMP_RET_KILL_PROCESS;
  if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &wanted) == 0) return {};
  return std::string{"seccomp: "} + std::strerror(errno);
}

std::string install_seccomp_filter(OnDeniedCall action) {
  if (auto obstacle = seccomp_obstacle(); !obstacle.empty()) return obstacle;
  Program program = make_program(action == OnDeniedCall::kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM);
  const sock_fprog code = program.view();
  const long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &code);
  if (result == 0) return {};
  if (result > 0) return "seccomp: a thread has a filter of its own";
  return std::string{"seccomp: "} + std::strerror(errno);
}

}  // namespace equinox::appliance
