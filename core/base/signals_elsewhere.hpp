#pragma once

#include <pthread.h>
#include <signal.h>

namespace equinox {

/// Around the making of a thread: the new one takes no signal. Those of the process belong to the threads that expect
/// them, and SIGPIPE of a pipe must end nobody.
class SignalsElsewhere {
 public:
  SignalsElsewhere() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsElsewhere(const SignalsElsewhere&) = delete;
  SignalsElsewhere& operator=(const SignalsElsewhere&) = delete;
  ~SignalsElsewhere() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace equinox
