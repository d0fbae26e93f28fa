#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/syscalls.hpp"

namespace equinox::testing {

/// The calls of the seam that can be made to fail.
enum class Call : std::uint8_t {
  accept4,
  recv,
  send,
  sendmsg,
  sendfile,
  pread,
  epoll_ctl,
  epoll_wait,
  shutdown,
  ssl_new,
  ssl_do_handshake,
  ssl_read_ex,
  ssl_write_ex
};
inline constexpr std::size_t kCalls = 13;
inline constexpr std::array<std::string_view, kCalls> kCallNames{
    "accept4",    "recv",     "send",    "sendmsg",          "sendfile",    "pread",       "epoll_ctl",
    "epoll_wait", "shutdown", "SSL_new", "SSL_do_handshake", "SSL_read_ex", "SSL_write_ex"};

/// One way to fail: an errno (of OpenSSL's calls: SSL_ERROR_SYSCALL), or success for a single byte (or event).
struct Fault {
  int os_errno{0};  ///< 0: the call succeeds for one byte
  bool operator==(const Fault&) const = default;
};
inline constexpr Fault kOneByte{0};
inline constexpr Fault kSslError{-1};  ///< OpenSSL's calls only: SSL_ERROR_SSL, for want of memory

struct FaultRule {
  Call call;
  Fault fault;
  unsigned per_mille;
};

/// Makes the seam's calls fail at random, the same in each run of the same calls. What the kernel promises is kept:
/// after EAGAIN or a short read that were made up, the edge that would have come is made up as well. For servers of one
/// reactor; make it before the server starts, destroy it after the server has stopped.
class FaultInjector {
 public:
  FaultInjector(std::vector<FaultRule> rules, std::uint64_t seed);
  ~FaultInjector();
  FaultInjector(const FaultInjector&) = delete;
  FaultInjector& operator=(const FaultInjector&) = delete;

  /// Any thread. Off at first.
  void arm(bool is_on) noexcept { is_armed_.store(is_on, std::memory_order_relaxed); }
  /// How often rule number `rule` has struck.
  [[nodiscard]] std::uint64_t count(std::size_t rule) const noexcept {
    return struck_[rule].load(std::memory_order_relaxed);
  }
  [[nodiscard]] const std::vector<FaultRule>& rules() const noexcept { return rules_; }

 private:
  friend struct FaultyCalls;
  struct Watched {
    std::uint64_t token{0};
    bool is_watched{false};
    std::uint32_t owed{0};  ///< events that are due
  };
  /// The rule that strikes now; null: none.
  const FaultRule* strike(Call call) noexcept;
  void watch(int fd, std::uint64_t token);
  void owe(int fd, std::uint32_t events);
  int pay(epoll_event* events, int count, int most) noexcept;

  std::vector<FaultRule> rules_;
  std::vector<std::atomic<std::uint64_t>> struck_;
  std::atomic<bool> is_armed_{false};
  std::uint64_t state_;
  std::vector<Watched> watched_;  ///< by descriptor
  std::vector<int> debts_;        ///< descriptors with owed events
};

}  // namespace equinox::testing
