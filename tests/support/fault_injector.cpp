#include "support/fault_injector.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "base/read_file.hpp"

namespace equinox::testing {

namespace {

/// The functions of the table have no captures; there is one injector at a time.
FaultInjector* injector{nullptr};

}  // namespace

struct FaultyCalls {
  static net::Syscalls table() {
    return {.accept4 = accept4,
            .recv = recv,
            .send = send,
            .sendmsg = sendmsg,
            .sendfile = sendfile,
            .pread = pread,
            .epoll_ctl = epoll_ctl,
            .epoll_wait = epoll_wait,
            .shutdown = shutdown,
            .ssl_new = ssl_new,
            .ssl_do_handshake = ssl_do_handshake,
            .ssl_read_ex = ssl_read_ex,
            .ssl_write_ex = ssl_write_ex};
  }

  static int accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
    if (fails(Call::accept4)) return -1;
    return real().accept4(fd, address, length, flags);
  }

  static ssize_t recv(int fd, void* into, std::size_t size, int flags) {
    const FaultRule* rule = injector->strike(Call::recv);
    // Either way the caller takes the socket for drained: the edge that tells of the rest comes later.
    if (rule != nullptr && (rule->fault == kOneByte || rule->fault.os_errno == EAGAIN)) injector->owe(fd, EPOLLIN);
    if (fails_with(rule)) return -1;
    return real().recv(fd, into, rule != nullptr ? std::min<std::size_t>(size, 1) : size, flags);
  }

  static ssize_t send(int fd, const void* from, std::size_t size, int flags) {
    const FaultRule* rule = injector->strike(Call::send);
    if (blocks(rule)) injector->owe(fd, EPOLLOUT);
    if (fails_with(rule)) return -1;
    const ssize_t sent = real().send(fd, from, rule != nullptr ? std::min<std::size_t>(size, 1) : size, flags);
    return sent;
  }

  static ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    const FaultRule* rule = injector->strike(Call::sendmsg);
    if (blocks(rule)) injector->owe(fd, EPOLLOUT);
    if (fails_with(rule)) return -1;
    if (rule == nullptr) return real().sendmsg(fd, message, flags);
    return real().send(fd, message->msg_iov[0].iov_base, std::min<std::size_t>(message->msg_iov[0].iov_len, 1), flags);
  }

  static ssize_t sendfile(int out, int in, off_t* offset, std::size_t count) {
    const FaultRule* rule = injector->strike(Call::sendfile);
    if (blocks(rule)) injector->owe(out, EPOLLOUT);
    if (fails_with(rule)) return -1;
    return real().sendfile(out, in, offset, rule != nullptr ? std::min<std::size_t>(count, 1) : count);
  }

  static ssize_t pread(int fd, void* into, std::size_t size, off_t offset) {
    const FaultRule* rule = injector->strike(Call::pread);
    if (fails_with(rule)) return -1;
    return real().pread(fd, into, rule != nullptr ? std::min<std::size_t>(size, 1) : size, offset);
  }

  static int epoll_ctl(int set, int operation, int fd, epoll_event* event) {
    // Taking a descriptor out of a set cannot fail for want of anything.
    if (operation == EPOLL_CTL_ADD) {
      if (fails(Call::epoll_ctl)) return -1;
      injector->watch(fd, event->data.u64);
    }
    return real().epoll_ctl(set, operation, fd, event);
  }

  static int epoll_wait(int set, epoll_event* events, int count, int timeout_ms) {
    const FaultRule* rule = injector->strike(Call::epoll_wait);
    if (fails_with(rule)) return -1;
    const bool has_debts = !injector->debts_.empty();
    const int most = rule != nullptr ? 1 : count;
    const int ready = real().epoll_wait(set, events, most, has_debts ? 0 : timeout_ms);
    if (ready < 0) return ready;
    return has_debts ? injector->pay(events, ready, count) : ready;
  }

  static int shutdown(int fd, int how) {
    if (fails(Call::shutdown)) return -1;
    return real().shutdown(fd, how);
  }

  static SSL* ssl_new(SSL_CTX* context) {
    if (ssl_fails(Call::ssl_new)) return nullptr;
    return real().ssl_new(context);
  }

  static int ssl_do_handshake(SSL* ssl) {
    if (ssl_fails(Call::ssl_do_handshake)) return -1;
    return real().ssl_do_handshake(ssl);
  }

  static int ssl_read_ex(SSL* ssl, void* into, std::size_t size, std::size_t* count) {
    if (ssl_fails(Call::ssl_read_ex)) return 0;
    return real().ssl_read_ex(ssl, into, size, count);
  }

  static int ssl_write_ex(SSL* ssl, const void* from, std::size_t size, std::size_t* count) {
    if (ssl_fails(Call::ssl_write_ex)) return 0;
    return real().ssl_write_ex(ssl, from, size, count);
  }

 private:
  static const net::Syscalls& real() {
    static const net::Syscalls kReal = net::real_syscalls();
    return kReal;
  }
  static bool blocks(const FaultRule* rule) { return rule != nullptr && rule->fault.os_errno == EAGAIN; }
  static bool fails_with(const FaultRule* rule) {
    if (rule == nullptr || rule->fault == kOneByte) return false;
    errno = rule->fault.os_errno;
    return true;
  }
  /// SSL_get_error() finds its answer in the queue.
  static bool ssl_fails(Call call) {
    const FaultRule* rule = injector->strike(call);
    if (rule == nullptr) return false;
    if (rule->fault == kSslError) {
      ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
    } else {
      ERR_raise(ERR_LIB_SYS, rule->fault.os_errno);
    }
    return true;
  }
  static bool fails(Call call) { return fails_with(injector->strike(call)); }
};

FaultInjector::FaultInjector(std::vector<FaultRule> rules, std::uint64_t seed)
    : rules_{std::move(rules)}, struck_(rules_.size()), state_{seed | 1U} {
  if (injector != nullptr) throw std::logic_error{"there is an injector already"};
  injector = this;
  net::syscalls() = FaultyCalls::table();
  detail::pread_in_use = FaultyCalls::table().pread;
}

FaultInjector::~FaultInjector() {
  net::syscalls() = net::real_syscalls();
  detail::pread_in_use = net::real_syscalls().pread;
  injector = nullptr;
}

const FaultRule* FaultInjector::strike(Call call) noexcept {
  if (!is_armed_.load(std::memory_order_relaxed)) return nullptr;
  state_ = state_ * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
  auto drawn = static_cast<unsigned>((state_ >> 33U) % 1000);
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].call != call) continue;
    if (drawn < rules_[i].per_mille) {
      struck_[i].fetch_add(1, std::memory_order_relaxed);
      return &rules_[i];
    }
    drawn -= rules_[i].per_mille;
  }
  return nullptr;
}

void FaultInjector::watch(int fd, std::uint64_t token) {
  const auto at = static_cast<std::size_t>(fd);
  if (at >= watched_.size()) watched_.resize(at + 1);
  // What is owed to a descriptor that was read before it was registered is still owed; the kernel itself tells of all
  // else with the registration.
  watched_[at].token = token;
  watched_[at].is_watched = true;
}

void FaultInjector::owe(int fd, std::uint32_t events) {
  const auto at = static_cast<std::size_t>(fd);
  if (at >= watched_.size()) watched_.resize(at + 1);
  if (watched_[at].owed == 0) debts_.push_back(fd);
  watched_[at].owed |= events;
}

int FaultInjector::pay(epoll_event* events, int count, int most) noexcept {
  std::vector<int> later;
  for (const int fd : debts_) {
    Watched& watched = watched_[static_cast<std::size_t>(fd)];
    if (count == most) {
      later.push_back(fd);
      continue;
    }
    // The descriptor may be closed, or another connection's by now: its reactor takes a needless event for what it is.
    if (watched.is_watched) {
      events[count].events = watched.owed;
      events[count].data.u64 = watched.token;
      ++count;
    }
    watched.owed = 0;
  }
  debts_ = std::move(later);
  return count;
}

}  // namespace equinox::testing
