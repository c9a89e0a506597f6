// load.cpp: the load generator's command line and its report, one line of JSON.
#include <sys/resource.h>
#include <time.h>

#include <cstdio>

#include "perf/common/arguments.hpp"
#include "perf/common/process.hpp"
#include "perf/load/generator.hpp"

namespace millrace::perf {
namespace {

double now_s() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace
}  // namespace millrace::perf

int main(int argc, char** argv) {
  using namespace millrace::perf;
  Arguments arguments(argc, argv);
  if (arguments.flag("--help")) {
    std::puts(
        "load --port N [--other-port N] [--host IPV4] [--workload W1|W1v|W2|W3|W4] [--seconds S] [--requests "
        "N]\n"
        "     [--connections N] [--pipeline N] [--any-body] [--spin] [--cpu N]\n"
        "Closed loop; every answer is checked. Status 1: an answer was wrong or did not come.");
    return 0;
  }
  LoadOptions options;
  options.host = arguments.text("--host", options.host);
  options.port = static_cast<std::uint16_t>(arguments.number("--port", 0));
  options.other_port = static_cast<std::uint16_t>(arguments.number("--other-port", 0));
  options.seconds = arguments.seconds("--seconds", options.seconds);
  options.requests = arguments.number("--requests", 0);
  options.spin = arguments.flag("--spin");
  const std::string name = arguments.text("--workload", "W1");
  const auto connections = static_cast<std::uint32_t>(arguments.number("--connections", 0));
  const auto pipeline = static_cast<std::uint32_t>(arguments.number("--pipeline", 0));
  const bool any_body = arguments.flag("--any-body");
  pin(arguments.number("--cpu", any_cpu));
  arguments.finish();
  if (options.port == 0) fail_usage("--port is missing");
  open_files_max();

  const Workload workload = make_workload(name, connections, pipeline);
  AnswerBook book(workload, !any_body);
  Generator generator(options, workload, book);
  const double begin_s = now_s();
  generator.run();
  const double elapsed_s = now_s() - begin_s;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "{\"workload\": \"%s\", \"connections\": %u, \"pipeline\": %zu, \"requests\": %llu, \"seconds\": %.6f, "
      "\"user_seconds\": %.6f, \"system_seconds\": %.6f, \"batch_request_bytes\": %zu, "
      "\"batch_answer_bytes\": %zu}\n",
      name.c_str(), workload.connections, workload.batch.size(),
      static_cast<unsigned long long>(generator.answered()), elapsed_s, seconds_of(usage.ru_utime),
      seconds_of(usage.ru_stime), workload.requests().size(), book.batch_bytes());
  return 0;
}
