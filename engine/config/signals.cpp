#include "engine/config/signals.hpp"

#include <time.h>

#include <cerrno>
#include <initializer_list>

#include "engine/base/assert.hpp"

namespace millrace::config {

Signals::Signals() noexcept {
  sigemptyset(&taken_);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&taken_, signal);
  ::pthread_sigmask(SIG_BLOCK, &taken_, &before_);
  ::signal(SIGPIPE, SIG_IGN);
}

Signals::~Signals() {
  while (wait(0) != 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int Signals::wait(std::int64_t timeout_ms) noexcept {
  timespec limit = {};
  limit.tv_sec = timeout_ms / 1000;
  limit.tv_nsec = timeout_ms % 1000 * 1'000'000;
  for (;;) {
    const int signal = ::sigtimedwait(&taken_, nullptr, timeout_ms < 0 ? nullptr : &limit);
    if (signal > 0) return signal;
    if (errno == EAGAIN) return 0;
    MR_ASSERT(errno == EINTR);  // A signal that is not ours, or a debugger.
  }
}

Wish wish_of(int signal) noexcept {
  switch (signal) {
    case SIGTERM: return Wish::drain_delayed;
    case SIGINT:
    case SIGQUIT: return Wish::drain;
    case SIGHUP: return Wish::reload;
    case SIGUSR1: return Wish::reopen_logs;
    case SIGUSR2: return Wish::later_version;
    default: MR_UNREACHABLE("a signal that Signals does not wait for");
  }
}

const char* purpose_of(int signal) noexcept {
  switch (signal) {
    case SIGHUP: return "HUP (reload the configuration)";
    default: return "USR2 (upgrade the binary)";
  }
}

}  // namespace millrace::config
