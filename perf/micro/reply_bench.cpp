// Question: what does the head of a response cost: written, as most replies are and by every way there is
// of making one, and read, as `millrace bench` does?
#include <benchmark/benchmark.h>
#include <millrace/millrace.hpp>

#include <string>
#include <string_view>

#include "engine/http/response_head.hpp"
#include "engine/proto/h1/head_parts.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/core.hpp"
#include "engine/serve/core_options.hpp"
#include "engine/serve/dispatch.hpp"
#include "perf/instructions/memory_backend.hpp"

namespace {

using namespace millrace;

constexpr std::string_view body = "Hello world!";

void plain(benchmark::State& state) {
  mem::BlockPool pool(1 << 20);
  net::Chain out;
  h1::DateLine date(h1::system_wall_clock);
  date.refresh(1);
  for (auto _ : state) {
    // The first in a block makes it, and some thirty follow.
    if (out.room_left() < h1::plain_bytes(body)) out.clear(pool);
    if (out.room(pool, h1::plain_bytes(body)) == nullptr) return state.SkipWithError("the pool is full");
    h1::write_plain(out, date, body);
    benchmark::ClobberMemory();
  }
  out.clear(pool);
}
BENCHMARK(plain)->Name("response_head/plain");

constexpr unsigned pipelined = 16;

/// A whole core in memory answers: the time of a request and its reply.
void whole(benchmark::State& state, const char* path, std::string_view status) {
  App app;
  app.get("/plain", [] { return "Hello world!"; });
  app.get("/fixed", [reply = mr::fixed("Hello world!")] { return reply; });
  app.get("/fields", [] {
    return Response("Hello world!").header("Cache-Control", "max-age=60").header("ETag", "\"a1b2c3\"");
  });
  app.get("/cookie", [] { return Response("Hello world!").cookie("session", "4c1d9e7ab2f0886e53"); });
  std::string problem;
  const auto dispatch = serve::Dispatch::build(serve::state_of(app), problem);
  ServerOptions few;
  few.connections = 10;
  const serve::CoreOptions options = serve::core_options(few, 1, problem);
  std::string batch;
  for (unsigned i = 0; i < pipelined; ++i)
    batch.append("GET ").append(path).append(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
  perf::MemoryBackend backend(batch);
  serve::Core core(options, backend, *dispatch);
  core.listen(2);
  while (backend.sends() == 0) core.turn(time_never);
  for (auto _ : state) core.turn(time_never);
  const std::uint64_t answered = core.counters().requests;
  backend.keep_sends();
  while (backend.kept().empty()) core.turn(time_never);
  const bool right = backend.kept().starts_with(status);
  backend.end();
  core.request_stop(0);
  while (!core.done()) core.turn(time_never);
  // A turn of the loop that brought no batch would count as a fast one.
  if (!right) state.SkipWithError("the answer is another");
  if (answered < pipelined * static_cast<std::uint64_t>(state.iterations()))
    state.SkipWithError("a turn answered nothing");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * pipelined));
}
BENCHMARK_CAPTURE(whole, plain, "/plain", "HTTP/1.1 200 ")->Name("request_and_reply/plain");
BENCHMARK_CAPTURE(whole, fixed, "/fixed", "HTTP/1.1 200 ")->Name("request_and_reply/fixed");
BENCHMARK_CAPTURE(whole, fields, "/fields", "HTTP/1.1 200 ")->Name("request_and_reply/fields");
BENCHMARK_CAPTURE(whole, cookie, "/cookie", "HTTP/1.1 200 ")->Name("request_and_reply/cookie");
BENCHMARK_CAPTURE(whole, absent, "/absent", "HTTP/1.1 404 ")->Name("request_and_reply/absent");

void read(benchmark::State& state) {
  constexpr std::string_view bytes =
      "HTTP/1.1 200 OK\r\nDate: Wed, 30 Oct 2024 00:00:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Length: 12\r\n\r\nHello world!";
  http::Field fields[16];
  http::ResponseHead head;
  head.fields = fields;
  head.fields_max = 16;
  http::ResponseFraming framing;
  bool right = true;
  for (auto _ : state) {
    right &= !http::read_response_head(bytes, head).failed();
    right &= !http::read_response_framing(head, http::Method::get, framing).failed();
    benchmark::ClobberMemory();
  }
  if (!right || framing.content_length != 12) state.SkipWithError("a good head was refused");
}
BENCHMARK(read)->Name("response_head/read");

}  // namespace
