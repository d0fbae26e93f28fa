#pragma once

#include <pthread.h>
#include <signal.h>

namespace equinox {

/// Around the making of a thread: the new one takes no signal. Those of the process belong to the threads that expect
/// them, and SIGPIPE of a pipe must end nobody. A fault of the thread's own is nobody else's: blocked, it would end the
/// process without the handler that says where (signal(7), sigprocmask(2)). What a handler starts as a process inherits
/// the mask.
class SignalsElsewhere {
 public:
  SignalsElsewhere() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) ::sigdelset(&all, fault);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsElsewhere(const SignalsElsewhere&) = delete;
  SignalsElsewhere& operator=(const SignalsElsewhere&) = delete;
  ~SignalsElsewhere() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace equinox
