// Goal: whatever the kernel and the clients do, each reply is the right one, whole, in order, once, or
// the connection is closed; nothing is leaked, nothing spins. Method: many seeded worlds; a failing seed
// is printed with the command that repeats it.
//
//   core_sim [--seeds N] [--seed N]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "tests/sim/scenario.hpp"

namespace {

using millrace::test::Scenario;

/// Ends the process: the core of a failed scenario is in the middle of its work.
[[noreturn]] void fail(std::uint64_t seed, bool faults, const std::string& wrong) {
  std::printf("seed %llu (%s): %s\n  repeat it: core_sim --seed %llu\n0 passed, 1 failed\n",
              static_cast<unsigned long long>(seed), faults ? "with faults" : "without faults", wrong.c_str(),
              static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  std::_Exit(1);
}

struct Totals {
  std::uint64_t replies = 0, short_receives = 0, short_sends = 0, late = 0, no_buffers = 0, exhausted = 0;
  std::uint64_t multishot_ends = 0, accept_failures = 0, late_cancels = 0, overflows = 0, blocked_sends = 0;
  std::uint64_t hangup_ends = 0, timed_out = 0, no_memory = 0, refused = 0, drained = 0, cut_by_grace = 0;

  void add(Scenario& scenario) {
    const millrace::io::sim::FaultCounts& faults = scenario.faults();
    replies += scenario.met().replies;
    timed_out += scenario.met().timed_out;
    no_memory += scenario.met().no_memory;
    refused += scenario.met().refused;
    drained += scenario.met().drained;
    cut_by_grace += scenario.met().cut_by_grace;
    hangup_ends += faults.hangup_ends;
    short_receives += faults.short_receives;
    short_sends += faults.short_sends;
    late += faults.late_completions;
    no_buffers += faults.no_buffers;
    exhausted += faults.real_exhaustions;
    multishot_ends += faults.multishot_ends;
    accept_failures += faults.accept_failures;
    late_cancels += faults.late_cancels;
    overflows += faults.overflows;
    blocked_sends += faults.blocked_sends;
  }
  /// A run that did not meet a fault proves nothing about it.
  const char* missing() const {
    if (replies == 0) return "replies";
    if (short_receives == 0) return "short receives";
    if (short_sends == 0) return "short sends";
    if (late == 0) return "late completions";
    if (no_buffers == 0) return "ENOBUFS";
    if (exhausted == 0) return "exhausted buffers";
    if (multishot_ends == 0) return "ended multishots";
    if (accept_failures == 0) return "EMFILE";
    if (late_cancels == 0) return "late cancellations";
    if (overflows == 0) return "completion queue overflows";
    if (blocked_sends == 0) return "blocked sends";
    if (hangup_ends == 0) return "ended hangup watches";
    if (timed_out == 0) return "timeouts";
    if (no_memory == 0) return "an exhausted pool";
    if (refused == 0) return "refused connections";
    if (drained == 0) return "drains";
    if (cut_by_grace == 0) return "a grace that ended";
    return nullptr;
  }
};

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seeds = 12'000;
  std::uint64_t first = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seeds") == 0) seeds = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seed") == 0) {
      first = std::strtoull(argv[i + 1], nullptr, 10);
      seeds = 1;
    }
  }
  Totals totals;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const bool faults = seed % 8 != 0;
    Scenario scenario(seed, faults);
    const std::string wrong = scenario.run();
    if (!wrong.empty()) fail(seed, faults, wrong);
    totals.add(scenario);
    if (seed % 500 == 0) {  // Determinism: the same seed gives the same trace.
      Scenario again(seed, faults);
      if (!again.run().empty() || again.trace_hash() != scenario.trace_hash()) {
        fail(seed, faults, "a second run gave another trace");
      }
    }
    if (seed % 2000 == 0) {
      std::printf("%llu seeds, %llu replies\n", static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(totals.replies));
      std::fflush(stdout);
    }
  }
  if (seeds >= 1000 && totals.missing() != nullptr)
    fail(first, true, std::string("no seed met ") + totals.missing());
  std::printf(
      "%llu seeds, %llu replies checked; short receives %llu, short sends %llu, late %llu, ENOBUFS %llu + "
      "%llu, "
      "ended multishots %llu, EMFILE %llu, late cancels %llu, overflows %llu, blocked sends %llu, 408 %llu, "
      "no memory %llu, "
      "refused %llu, drained %llu, cut by the grace %llu\n%llu passed, 0 failed\n",
      static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(totals.replies),
      static_cast<unsigned long long>(totals.short_receives),
      static_cast<unsigned long long>(totals.short_sends), static_cast<unsigned long long>(totals.late),
      static_cast<unsigned long long>(totals.no_buffers), static_cast<unsigned long long>(totals.exhausted),
      static_cast<unsigned long long>(totals.multishot_ends),
      static_cast<unsigned long long>(totals.accept_failures),
      static_cast<unsigned long long>(totals.late_cancels), static_cast<unsigned long long>(totals.overflows),
      static_cast<unsigned long long>(totals.blocked_sends),
      static_cast<unsigned long long>(totals.timed_out), static_cast<unsigned long long>(totals.no_memory),
      static_cast<unsigned long long>(totals.refused), static_cast<unsigned long long>(totals.drained),
      static_cast<unsigned long long>(totals.cut_by_grace), static_cast<unsigned long long>(seeds));
  return 0;
}
