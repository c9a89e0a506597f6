// bench.hpp: `millrace bench URL`, from its flags to its exit status.
#pragma once

#include "engine/config/bench_flags.hpp"

namespace millrace::config {

/// Asks, tells how far it is on standard error, and prints the table. Returns the exit status: 0; 1 where
/// an answer was wrong or missing, or the server is not there; 2 where the command line is wrong (then
/// nothing was asked). INT and TERM end it early, with the table.
int run_bench(const BenchFlags& flags);

}  // namespace millrace::config
