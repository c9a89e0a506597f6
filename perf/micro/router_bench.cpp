// Question: what does it cost to find a route among 1, 10 and 1,000: by a static path, by a path with a
// parameter, and where there is none?
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "engine/base/assert.hpp"
#include "engine/http/head_parser.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/router.hpp"
#include "perf/micro/requests.hpp"

namespace {

using namespace millrace;

/// Half of the routes are static, and half take a parameter; one alone is what is asked for.
struct Routes {
  Routes(std::int64_t count, bool parameter) {
    static const detail::Entry entry{.start = [](void*, Request&) noexcept {}};
    std::string problem;
    for (std::int64_t i = 0; i < count && problem.empty(); ++i) {
      const std::string path = "/api/v1/collection" + std::to_string(i);
      const bool ends_open = count == 1 ? parameter : i % 2 != 0;
      problem = state.add("GET", ends_open ? path + "/{id}" : path, entry);
    }
    router = serve::Router::build(state.routes(), problem);
    MR_ASSERT(problem.empty());
  }
  serve::AppState state;
  std::unique_ptr<serve::Router> router;
};

void find(benchmark::State& state, const char* kind, bool parameter, bool found) {
  const std::int64_t count = state.range(0);
  const Routes routes(count, parameter);
  // The last route of its kind; a path that is not there shares all but its last byte with one that is.
  const std::int64_t last = count == 1 ? 0 : parameter ? count - 1 : count - 2;
  std::string line = "GET /api/v1/collection" + std::to_string(last) + (parameter ? "/4711" : "") +
                     (found ? "" : "x/y") + " HTTP/1.1\r\nHost: a\r\n\r\n";
  bench::Padded request(line);
  http::Field fields[4];
  http::Head head;
  head.fields = fields;
  head.fields_max = 4;
  http::Target target;
  if (http::parse_head_strict(request.data(), request.size(), http::HeadLimits{}, head).failed() ||
      http::read_target(head, request.data(), target).failed()) {
    return state.SkipWithError("a good head was not accepted");
  }
  serve::Parameters parameters;
  bool right = true;
  for (auto _ : state) {
    const char* path = target.path.data();
    bench::hide(path);
    target.path = {path, target.path.size()};
    std::uint8_t parameter_count = 0;
    const serve::Route* route = routes.router->find(http::Method::get, target, parameters, parameter_count);
    right &= (route != nullptr) == found && parameter_count == (found && parameter ? 1 : 0);
    benchmark::ClobberMemory();
  }
  if (!right) state.SkipWithError("the wrong route was found");
  state.SetLabel(kind);
}
BENCHMARK_CAPTURE(find, static_path, "static path", false, true)
    ->Name("router/static")
    ->Arg(1)
    ->Arg(10)
    ->Arg(1000);
BENCHMARK_CAPTURE(find, parameter, "parameter", true, true)
    ->Name("router/parameter")
    ->Arg(1)
    ->Arg(10)
    ->Arg(1000);
BENCHMARK_CAPTURE(find, absent, "absent", false, false)->Name("router/absent")->Arg(1)->Arg(10)->Arg(1000);

}  // namespace
