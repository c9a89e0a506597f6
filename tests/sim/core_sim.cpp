// Goal: whatever the kernel and the clients do, each reply is the right one, whole, in order, once, or the
// connection is closed; nothing is leaked, nothing spins. Method: many seeded worlds (scenario.hpp); a
// failing one is made small and printed with the line that repeats it.
//
//   core_sim [--seeds N] [--seed N] [--only PARTS] [--trace | --show]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/sim/sim_run.hpp"

namespace {

using namespace millrace::test;

constexpr std::uint64_t seeds_in_full = 1000;  ///< From there on everything must have been met.

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 20'000;
  Kept kept;
  bool trace = false;
  bool show = false;
};

[[noreturn]] void usage(const char* what) {
  std::fprintf(stderr,
               "core_sim: %s\n"
               "usage: core_sim [--seeds N] [--seed N] [--only PARTS] [--trace | --show]\n"
               "  --seeds N     seeds 1 to N (20000)\n"
               "  --seed N      this one alone\n"
               "  --only PARTS  the parts of its world that a failure was made small to\n"
               "  --trace       print everything between the core and its kernel\n"
               "  --show        print the world, and do not run it\n",
               what);
  std::exit(2);
}

std::uint64_t number(const char* text) {
  char* end = nullptr;
  const std::uint64_t value = text != nullptr ? std::strtoull(text, &end, 10) : 0;
  if (value == 0 || *end != '\0') usage("a number above 0 is wanted");
  return value;
}

Options read(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (name == "--trace") {
      options.trace = true;
    } else if (name == "--show") {
      options.show = true;
    } else if (name == "--seeds") {
      options.seeds = number(value), ++i;
    } else if (name == "--seed") {
      options.first = number(value), options.seeds = 1, ++i;
    } else if (name == "--only") {
      const auto kept = Kept::read(value != nullptr ? value : "");
      if (!kept) usage("--only takes what a failure printed");
      options.kept = *kept, ++i;
    } else {
      usage(("there is no flag " + name).c_str());
    }
  }
  if ((options.trace || options.show) && options.seeds != 1) usage("--trace and --show want --seed");
  return options;
}

int failed() {
  std::printf("0 passed, 1 failed\n");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read(argc, argv);
  if (options.show) return std::fputs(describe(draw_world(options.first, options.kept)).c_str(), stdout), 0;
  if (options.trace) return std::fputs(trace_of(options.first, options.kept).c_str(), stdout), 0;

  const Outcome outcome = run_seeds(options.first, options.seeds, options.kept);
  if (!outcome.wrong.empty()) {
    report(outcome, "./dev sim");
    return failed();
  }
  std::printf("%llu worlds\n", static_cast<unsigned long long>(outcome.totals.seeds));
  outcome.totals.print();
  if (options.seeds >= seeds_in_full && outcome.totals.missing() != nullptr) {
    std::printf("no world met %s\n", outcome.totals.missing());
    return failed();
  }
  std::printf("%llu passed, 0 failed\n", static_cast<unsigned long long>(outcome.totals.seeds));
  return 0;
}
