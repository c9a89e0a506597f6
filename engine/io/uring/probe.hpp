// probe.hpp: says why io_uring cannot be used here, and how that is mended.
//
//   facts_now() (asks the machine) -> problem_of() (judges, pure) -> describe() (one sentence, pure)
#pragma once

#include <cstdint>
#include <string>

namespace millrace::io {

enum class Cause : std::uint8_t {
  none,
  kernel_too_old,
  not_built_in,  ///< CONFIG_IO_URING is off.
  sysctl,
  seccomp,
  security_module,
  memlock,
  memory,
  descriptors,
  buffer_ring,
  unknown,
};

/// What the judgement rests on. -1 where the machine does not tell.
struct Facts {
  int kernel_major = 0;
  int kernel_minor = 0;
  int setup_errno = 0;        ///< Of io_uring_setup(2) or the mappings; 0: it worked.
  int buffer_ring_errno = 0;  ///< Of the registration of the receive buffers; 0: it worked, or was not tried.
  int io_uring_disabled = -1;       ///< The sysctl: 0 allowed, 1 for one group only, 2 for nobody.
  int seccomp_mode = -1;            ///< 0 none, 1 strict, 2 filter.
  std::int64_t memlock_bytes = -1;  ///< RLIMIT_MEMLOCK; -1 also where it is unlimited.
};

struct SetupProblem {
  Cause cause = Cause::none;
  Facts facts;
};

/// Asks uname, /proc and the limits. Allocates nothing.
Facts facts_now(int setup_errno, int buffer_ring_errno) noexcept;
SetupProblem problem_of(const Facts& facts) noexcept;

/// "io_uring cannot be used: <cause>; <mend>." Empty where there is no problem.
std::string describe(const SetupProblem& problem);

}  // namespace millrace::io
