// session.cpp: so many batches of a workload through a core, in memory. It prints nothing about speed:
// perf/runner/instructions.py runs it twice under callgrind, with two numbers of batches, and divides
// the difference of the instructions by the difference of the requests.
#include <cstdio>

#include "engine/serve/app_state.hpp"
#include "engine/serve/core.hpp"
#include "engine/serve/core_options.hpp"
#include "engine/serve/dispatch.hpp"
#include "perf/common/arguments.hpp"
#include "perf/instructions/memory_backend.hpp"
#include "perf/load/answer.hpp"
#include "perf/server/routes.hpp"

namespace millrace::perf {
namespace {

// Reads one batch of answers as the load generator would.
void check_answers(const Workload& workload, std::string_view bytes) {
  AnswerBook book(workload, true);
  for (std::size_t i = 0; i < book.depth(); ++i) {
    const std::optional<std::size_t> size = book.take(i, bytes);
    if (!size) fail("wrong answer: " + book.problem());
    if (*size == 0) fail("an answer is cut short");
    bytes.remove_prefix(*size);
  }
  if (!bytes.empty()) fail("more answers than requests");
}

void run(const Workload& workload, std::uint64_t batches) {
  App app;
  add_routes(app);
  std::string problem;
  const auto dispatch = serve::Dispatch::build(serve::state_of(app), problem);
  if (!problem.empty()) fail(problem);
  ServerOptions options;
  options.connections = 100;
  const serve::CoreOptions core_options = serve::core_options(options, 1, problem);
  if (!problem.empty()) fail(problem);

  MemoryBackend backend(workload.requests());
  serve::Core core(core_options, backend, *dispatch);
  core.listen(2);
  while (backend.sends() < batches) core.turn(time_never);
  backend.keep_sends();
  while (backend.sends() == batches) core.turn(time_never);
  backend.end();
  core.request_stop(0);
  while (!core.done()) core.turn(time_never);

  if (core.counters().requests != (batches + 1) * workload.batch.size()) fail("requests were lost");
  check_answers(workload, backend.kept());
}

}  // namespace
}  // namespace millrace::perf

int main(int argc, char** argv) {
  using namespace millrace::perf;
  Arguments arguments(argc, argv);
  if (arguments.flag("--help")) {
    std::puts("session [--workload W1|W1v|W2|W3] [--batches N]");
    return 0;
  }
  const std::string name = arguments.text("--workload", "W1");
  const std::uint64_t batches = arguments.number("--batches", 1000);
  arguments.finish();
  run(make_workload(name, 1, 0), batches);
}
