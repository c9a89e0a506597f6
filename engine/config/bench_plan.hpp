// bench_plan.hpp: from the flags of `millrace bench` to what it does: every value judged, files read,
// names resolved.
#pragma once

#include <string>

#include "engine/config/bench_flags.hpp"
#include "engine/ext/bench/plan.hpp"

namespace millrace::config {

struct BenchFault {
  std::string sentence;     ///< Empty: there is none.
  bool of_machine = false;  ///< Nothing is wrong with the command line; a name does not resolve.
};

/// Fills the plan, or says what is wrong. Blocks while a name is looked up.
BenchFault make_plan(const BenchFlags& flags, bench::Plan& plan);

}  // namespace millrace::config
