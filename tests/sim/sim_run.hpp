// sim_run.hpp: runs seeds in child processes, so that a failed assertion or a loop without end is one more
// answer; and makes a failing world small.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/scenario.hpp"

namespace millrace::test {

/// What many worlds met together. Plain data: it comes back from the child in shared memory.
struct Totals {
  std::uint64_t seeds = 0;
  Met met;
  io::sim::FaultCounts faults;

  void add(Scenario& scenario);
  /// Null, or what no world met: a run that did not meet a fault proves nothing about it.
  const char* missing() const noexcept;
  void print() const;
};

struct Outcome {
  std::uint64_t seed = 0;  ///< The first that failed.
  std::string wrong;       ///< Empty: all of them passed.
  Totals totals;
};

/// Seeds first ... first + count - 1, up to the first that fails; every 500th twice, with its traces
/// compared. A world that takes more than 5 s of CPU time fails.
Outcome run_seeds(std::uint64_t first, std::uint64_t count, const Kept& kept = {});

struct Smallest {
  Kept kept;
  std::string wrong;  ///< What is wrong with it now.
  unsigned runs = 0;
};
/// Leaves out clients, requests, faults and modes for as long as the seed still fails.
Smallest make_small(const Outcome& outcome);

/// The trace of one world, in this process.
std::string trace_of(std::uint64_t seed, const Kept& kept);

/// Prints what is wrong, the smallest world in which it is, and one line that repeats it: `command` with
/// --seed and --only.
void report(const Outcome& outcome, const std::string& command);

}  // namespace millrace::test
