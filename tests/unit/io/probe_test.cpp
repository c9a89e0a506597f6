#include <doctest/doctest.h>

#include <cerrno>
#include <string>

#include "engine/io/uring/features.hpp"
#include "engine/io/uring/probe.hpp"

using namespace millrace::io;

TEST_CASE("probe: every cause is told from the others, and its sentence names the mend") {
  struct Case {
    const char* name;
    Facts facts;
    Cause want;
    const char* says;
    const char* mend;
  };
  static const Case cases[] = {
      {"works", {.kernel_major = 6, .kernel_minor = 1}, Cause::none, "", ""},
      {"5.15",
       {.kernel_major = 5, .kernel_minor = 15, .setup_errno = EINVAL},
       Cause::kernel_too_old,
       "the kernel is 5.15",
       "Linux 6.1 or later"},
      {"6.0",
       {.kernel_major = 6, .kernel_minor = 0, .setup_errno = EINVAL},
       Cause::kernel_too_old,
       "the kernel is 6.0",
       "upgrade"},
      {"old, and the buffer ring told it",
       {.kernel_major = 5, .kernel_minor = 10, .buffer_ring_errno = EINVAL},
       Cause::kernel_too_old,
       "the kernel is 5.10",
       "upgrade"},
      {"no CONFIG_IO_URING",
       {.kernel_major = 6, .kernel_minor = 1, .setup_errno = ENOSYS, .seccomp_mode = 0},
       Cause::not_built_in,
       "built without",
       "CONFIG_IO_URING=y"},
      {"sysctl 2",
       {.kernel_major = 6,
        .kernel_minor = 8,
        .setup_errno = EPERM,
        .io_uring_disabled = 2,
        .seccomp_mode = 2},
       Cause::sysctl,
       "kernel.io_uring_disabled is 2",
       "sysctl -w kernel.io_uring_disabled=0"},
      {"sysctl 1",
       {.kernel_major = 6, .kernel_minor = 8, .setup_errno = EPERM, .io_uring_disabled = 1},
       Cause::sysctl,
       "is 1",
       "kernel.io_uring_group"},
      {"Docker",
       {.kernel_major = 6,
        .kernel_minor = 8,
        .setup_errno = EPERM,
        .io_uring_disabled = 0,
        .seccomp_mode = 2},
       Cause::seccomp,
       "seccomp",
       "--security-opt"},
      {"a filter that pretends it is not there",
       {.kernel_major = 6,
        .kernel_minor = 8,
        .setup_errno = ENOSYS,
        .io_uring_disabled = 0,
        .seccomp_mode = 2},
       Cause::seccomp,
       "seccomp",
       "io_uring_setup"},
      {"SELinux",
       {.kernel_major = 6,
        .kernel_minor = 8,
        .setup_errno = EACCES,
        .io_uring_disabled = 0,
        .seccomp_mode = 0},
       Cause::security_module,
       "SELinux",
       "policy"},
      {"memlock",
       {.kernel_major = 6, .kernel_minor = 1, .setup_errno = ENOMEM, .memlock_bytes = 64 << 10},
       Cause::memlock,
       "RLIMIT_MEMLOCK, which is 64 KiB",
       "ulimit -l"},
      {"memory, memlock unlimited",
       {.kernel_major = 6, .kernel_minor = 1, .setup_errno = ENOMEM},
       Cause::memory,
       "no memory",
       "[rings]"},
      {"memory, memlock large",
       {.kernel_major = 6, .kernel_minor = 1, .setup_errno = ENOMEM, .memlock_bytes = 1 << 30},
       Cause::memory,
       "no memory",
       "[rings]"},
      {"descriptors",
       {.kernel_major = 6, .kernel_minor = 1, .setup_errno = EMFILE},
       Cause::descriptors,
       "no descriptor",
       "ulimit -n"},
      {"Ubuntu 6.8.0-136",
       {.kernel_major = 6, .kernel_minor = 8, .buffer_ring_errno = EINVAL},
       Cause::buffer_ring,
       "6.8.0-136",
       "install a newer"},
      {"memory for the buffers",
       {.kernel_major = 6, .kernel_minor = 8, .buffer_ring_errno = ENOMEM},
       Cause::memory,
       "no memory",
       "[rings]"},
      {"else",
       {.kernel_major = 6, .kernel_minor = 1, .setup_errno = EFAULT},
       Cause::unknown,
       "Bad address",
       "dmesg"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const SetupProblem problem = problem_of(c.facts);
    CHECK(problem.cause == c.want);
    const std::string sentence = describe(problem);
    CAPTURE(sentence);
    CHECK(sentence.empty() == (c.want == Cause::none));
    CHECK(sentence.find(c.says) != std::string::npos);
    CHECK(sentence.find(c.mend) != std::string::npos);
  }
}

TEST_CASE("probe: the machine tells its kernel and its seccomp mode") {
  const Facts facts = facts_now(EPERM, 0);
  CHECK(facts.kernel_major >= 4);
  CHECK(facts.seccomp_mode >= 0);
  CHECK(facts.setup_errno == EPERM);
}

TEST_CASE("features: each has a name, a cost and a mend") {
  const std::vector<Feature> features = probe_features();
  CHECK(features.size() >= 5);
  for (const Feature& feature : features) {
    CAPTURE(feature.name);
    CHECK_FALSE(feature.name.empty());
    CHECK_FALSE(feature.cost_if_missing.empty());
    CHECK_FALSE(feature.mend.empty());
    // On a machine that runs these tests on io_uring, what is required is there.
    if (features[0].available && feature.required) CHECK(feature.available);
  }
}
