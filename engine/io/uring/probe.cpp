#include "engine/io/uring/probe.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/base/assert.hpp"
#include "engine/io/uring/abi.hpp"

namespace millrace::io {
namespace {

constexpr std::int64_t memlock_enough_bytes = 8 << 20;

/// The number behind the first line of `path` that begins with `key`; -1 where there is none.
int number_in_file(const char* path, const char* key) noexcept {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return -1;
  int number = -1;
  char line[256];
  while (number < 0 && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, key, std::strlen(key)) == 0) {
      if (std::sscanf(line + std::strlen(key), "%d", &number) != 1) break;
    }
  }
  std::fclose(file);
  return number;
}

bool older_than_floor(const Facts& facts) noexcept {
  if (facts.kernel_major != static_cast<int>(abi::floor_major))
    return facts.kernel_major < static_cast<int>(abi::floor_major);
  return facts.kernel_minor < static_cast<int>(abi::floor_minor);
}

Cause cause_of(const Facts& facts) noexcept {
  if (facts.setup_errno == 0 && facts.buffer_ring_errno == 0) return Cause::none;
  if (older_than_floor(facts)) return Cause::kernel_too_old;
  if (facts.buffer_ring_errno == EINVAL) return Cause::buffer_ring;
  const int failed = facts.setup_errno != 0 ? facts.setup_errno : facts.buffer_ring_errno;
  switch (failed) {
    case EPERM:
    case EACCES:
      if (facts.io_uring_disabled > 0) return Cause::sysctl;
      return facts.seccomp_mode > 0 ? Cause::seccomp : Cause::security_module;
    case ENOSYS: return facts.seccomp_mode > 0 ? Cause::seccomp : Cause::not_built_in;
    case ENOMEM:
      return facts.memlock_bytes >= 0 && facts.memlock_bytes < memlock_enough_bytes ? Cause::memlock
                                                                                    : Cause::memory;
    case EMFILE:
    case ENFILE: return Cause::descriptors;
    default: return Cause::unknown;
  }
}

}  // namespace

Facts facts_now(int setup_errno, int buffer_ring_errno) noexcept {
  Facts facts;
  facts.setup_errno = setup_errno;
  facts.buffer_ring_errno = buffer_ring_errno;
  utsname system;
  if (uname(&system) == 0) std::sscanf(system.release, "%d.%d", &facts.kernel_major, &facts.kernel_minor);
  facts.io_uring_disabled = number_in_file("/proc/sys/kernel/io_uring_disabled", "");
  facts.seccomp_mode = number_in_file("/proc/thread-self/status", "Seccomp:");
  rlimit limit;
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    facts.memlock_bytes = static_cast<std::int64_t>(limit.rlim_cur);
  return facts;
}

SetupProblem problem_of(const Facts& facts) noexcept { return {.cause = cause_of(facts), .facts = facts}; }

std::string describe(const SetupProblem& problem) {
  const Facts& facts = problem.facts;
  const int failed = facts.setup_errno != 0 ? facts.setup_errno : facts.buffer_ring_errno;
  char text[400];
  switch (problem.cause) {
    case Cause::none: return {};
    case Cause::kernel_too_old:
      std::snprintf(text, sizeof text,
                    "the kernel is %d.%d, and io_uring is used on Linux %u.%u or later; upgrade it",
                    facts.kernel_major, facts.kernel_minor, abi::floor_major, abi::floor_minor);
      break;
    case Cause::not_built_in:
      std::snprintf(text, sizeof text,
                    "this kernel was built without it; use one with CONFIG_IO_URING=y, such as your "
                    "distribution's own");
      break;
    case Cause::sysctl:
      std::snprintf(text, sizeof text,
                    "the sysctl kernel.io_uring_disabled is %d; run `sysctl -w kernel.io_uring_disabled=0`%s",
                    facts.io_uring_disabled,
                    facts.io_uring_disabled == 1 ? ", or join the group in kernel.io_uring_group" : "");
      break;
    case Cause::seccomp:
      std::snprintf(text, sizeof text,
                    "a seccomp filter forbids it, as Docker's default profile does; allow io_uring_setup, "
                    "io_uring_enter and io_uring_register in the profile, or run the container with "
                    "`--security-opt seccomp=unconfined`");
      break;
    case Cause::security_module:
      std::snprintf(text, sizeof text,
                    "a security module such as SELinux or AppArmor forbids it (%s); allow io_uring for this "
                    "program in its policy",
                    std::strerror(failed));
      break;
    case Cause::memlock:
      std::snprintf(text, sizeof text,
                    "its rings do not fit in RLIMIT_MEMLOCK, which is %lld KiB; raise it with `ulimit -l "
                    "unlimited` or LimitMEMLOCK=infinity in the service",
                    static_cast<long long>(facts.memlock_bytes / 1024));
      break;
    case Cause::memory:
      std::snprintf(text, sizeof text,
                    "there is no memory for its rings; free some, raise the container's limit, or lower "
                    "[rings] in the configuration");
      break;
    case Cause::descriptors:
      std::snprintf(text, sizeof text,
                    "no descriptor is free for its ring; raise the limit with `ulimit -n 65536` or "
                    "LimitNOFILE=65536 in the service");
      break;
    case Cause::buffer_ring:
      std::snprintf(text, sizeof text,
                    "this kernel refuses to register a ring of receive buffers, as Ubuntu's 6.8.0-136 to "
                    "6.8.0-139 do; install a newer or an older kernel");
      break;
    case Cause::unknown:
      std::snprintf(text, sizeof text, "the kernel answered \"%s\" (%d); `dmesg` may tell more",
                    std::strerror(failed), failed);
      break;
  }
  return std::string("io_uring cannot be used: ") + text + ".";
}

}  // namespace millrace::io
