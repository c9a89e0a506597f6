// Goal: the simulation can fail. Method: each deliberate fault of engine_faults.py in turn is in force in a
// test-only copy of the engine, and some seed must find it; without a fault the same copy must pass.
//
//   faults_sim [--seeds N] [--fault NUMBER [--seed N --only PARTS]] [--list]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>

#include "engine_faults.hpp"
#include "tests/sim/sim_run.hpp"

int millrace::test::engine_fault = 0;

namespace {

using namespace millrace::test;

constexpr std::uint64_t control_seeds = 500;  ///< Of the copy without a fault.

struct Options {
  std::uint64_t seeds = 20'000;  ///< At most: nearly every fault is found by one of the first hundred.
  std::uint64_t seed = 0;
  unsigned fault = 0;
  Kept kept;
};

[[noreturn]] void usage(const char* what) {
  std::fprintf(
      stderr,
      "faults_sim: %s\nusage: faults_sim [--seeds N] [--fault NUMBER [--seed N --only PARTS]] [--list]\n",
      what);
  std::exit(2);
}

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--list") {
      for (std::size_t n = 0; n < std::size(engine_faults); ++n)
        std::printf("%2zu %s (%s)\n", n + 1, engine_faults[n].name, engine_faults[n].file);
      std::exit(0);
    }
    if (++i == argc) usage((name + " wants a value, or is no flag").c_str());
    const std::uint64_t value = std::strtoull(argv[i], nullptr, 10);
    if (name == "--seeds" && value != 0) {
      options.seeds = value;
    } else if (name == "--seed" && value != 0) {
      options.seed = value;
    } else if (name == "--fault" && value != 0 && value <= std::size(engine_faults)) {
      options.fault = static_cast<unsigned>(value);
    } else if (name == "--only" && Kept::read(argv[i])) {
      options.kept = *Kept::read(argv[i]);
    } else {
      usage((name + " does not take " + argv[i]).c_str());
    }
  }
  return options;
}

// One fault as core_sim shows it: what is wrong, made small, and the line that repeats it.
int show(const Options& options) {
  engine_fault = static_cast<int>(options.fault);
  const Outcome outcome = options.seed != 0 ? run_seeds(options.seed, 1, options.kept)
                                            : run_seeds(1, options.seeds, options.kept);
  if (outcome.wrong.empty()) return std::printf("not found\n"), 0;
  report(outcome, "faults_sim --fault " + std::to_string(options.fault));
  return 1;
}

bool found(unsigned number, std::uint64_t seeds) {
  const EngineFault& fault = engine_faults[number - 1];
  if (fault.stale) {
    std::printf("%2u %-52s STALE: its text is not there once in %s; mend it in tests/sim/engine_faults.py\n",
                number, fault.name, fault.file);
    return false;
  }
  engine_fault = static_cast<int>(number);
  const Outcome outcome = run_seeds(1, seeds);
  engine_fault = 0;
  if (outcome.wrong.empty()) {
    std::printf("%2u %-52s NOT FOUND by %llu seeds\n", number, fault.name,
                static_cast<unsigned long long>(seeds));
    return false;
  }
  std::printf("%2u %-52s seed %-5llu %.60s\n", number, fault.name,
              static_cast<unsigned long long>(outcome.seed), outcome.wrong.c_str());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read(argc, argv);
  if (options.fault != 0) return show(options);
  if (options.seed != 0) usage("--seed wants --fault");
  const Outcome control = run_seeds(1, control_seeds);
  if (!control.wrong.empty()) {
    report(control, "without a fault: ./dev sim");
    std::printf("0 passed, 1 failed\n");
    return 1;
  }
  unsigned passed = 0, failed = 0;
  for (unsigned number = 1; number <= std::size(engine_faults); ++number)
    ++(found(number, options.seeds) ? passed : failed);
  std::printf("%u of %zu faults found\n%u passed, %u failed\n", passed, std::size(engine_faults), passed,
              failed);
  return failed == 0 ? 0 : 1;
}
