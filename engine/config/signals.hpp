// signals.hpp: signals as values that the main thread waits for, and what each one asks for.
#pragma once

#include <signal.h>

#include <cstdint>

namespace millrace::config {

/// While it lives, the signals below are blocked in this thread and in those it starts, so that none
/// interrupts a core and none kills the process. PIPE is ignored: a reset is an error of one send.
class Signals {
 public:
  Signals() noexcept;
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  /// Takes what is still pending with it: a third TERM must not kill a process that drained.
  ~Signals();

  /// The next signal; 0 after timeout_ms without one. No limit where it is negative.
  int wait(std::int64_t timeout_ms) noexcept;

 private:
  sigset_t taken_;
  sigset_t before_;
};

enum class Wish : std::uint8_t {
  drain_delayed,  ///< TERM: go on for the delay, then drain.
  drain,          ///< INT, QUIT.
  reload,         ///< HUP: read the certificates and the files of `auth` again.
  reopen_logs,    ///< USR1.
  later_version,  ///< USR2.
};
Wish wish_of(int signal) noexcept;

/// What a signal of a later version would do: "reload the configuration".
const char* purpose_of(int signal) noexcept;

}  // namespace millrace::config
