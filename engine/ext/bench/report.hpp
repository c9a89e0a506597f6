// report.hpp: what a run came to, as a table for people and as JSON for programs.
#pragma once

#include <string>

#include "engine/ext/bench/plan.hpp"
#include "engine/ext/bench/tally.hpp"

namespace millrace::bench {

/// A run, and what it cost this process.
struct Outcome {
  Tally tally;
  double user_seconds = 0;  ///< CPU time of the generator.
  double system_seconds = 0;
  bool interrupted = false;  ///< Ended early by a signal.
};

/// Several lines, for standard output.
std::string table_of(const Plan& plan, const Outcome& outcome);

/// One object, latencies in microseconds; field names and units as docs/BENCHMARKING.md lists them.
std::string json_of(const Plan& plan, const Outcome& outcome);

/// One sentence a kind of fault; empty where every answer was right.
std::string faults_of(const Tally& tally);

/// "12.3 us", "4.56 ms": three digits and a unit.
std::string show_time(double nanoseconds);

}  // namespace millrace::bench
