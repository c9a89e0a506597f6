// Goal: a steady core allocates nothing: a million pipelined requests, by handlers of every kind, through a
// whole core. Method: after a warm-up neither mem::allocations() nor the count of operator new may move.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/mem/allocate.hpp"
#include "engine/serve/app_state.hpp"
#include "engine/serve/core.hpp"
#include "engine/serve/core_options.hpp"
#include "engine/serve/dispatch.hpp"
#include "tests/unit/serve/count_new.hpp"
#include "tests/unit/serve/loop_backend.hpp"

namespace millrace::test {
namespace {

constexpr std::uint64_t requests_counted = 1'000'000;

struct Loop {
  explicit Loop(std::string batch) : backend(std::move(batch)) {
    app.get("/", [] { return "Hello world!"; });
    app.get("/fixed", fixed("ok"));
    app.get("/items/{id}",
            [](std::int64_t id) { return std::string_view(id == 42 ? "the answer" : "no answer"); });
    app.post("/echo", [](const Request& request) { return request.body(); });
    app.get("/task", []() -> Task<std::string_view> {
      co_await yield();
      co_return "later";
    });
    app.get(
        "/around", [] { return "from within"; }, Counting{this}, headers({{"X-A", "1"}}),
        [](Request& request) { static_cast<void>(request.path()); });
    app.get("/nap", []() -> Task<std::string_view> {
      co_await sleep(std::chrono::microseconds(10));
      co_return "rested";
    });
    std::string problem;
    dispatch = serve::Dispatch::build(serve::state_of(app), problem);
    REQUIRE(problem.empty());
    ServerOptions options;
    options.connections = 16;
    core = std::make_unique<serve::Core>(serve::core_options(options, 1, problem), backend, *dispatch);
    REQUIRE(problem.empty());
    core->listen(LoopBackend::listener);
  }
  ~Loop() {
    backend.end();
    core->request_stop(0);
    for (int i = 0; i < 10'000 && !core->done(); ++i) core->turn(time_never);
    CHECK(core->done());
  }
  /// Middleware with all three members.
  struct Counting {
    Loop* loop;
    std::optional<Response> before(Request&) const { return std::nullopt; }
    void after(Request&, Reply& reply) const { reply.header("X-B", "2"); }
    void done(Request&, const Outcome&) const { ++loop->done; }
  };
  std::uint64_t done = 0;

  void run(std::uint64_t requests) {
    const std::uint64_t until = core->counters().requests + requests;
    while (core->counters().requests < until) core->turn(time_never);
  }

  LoopBackend backend;
  App app;
  std::unique_ptr<serve::Dispatch> dispatch;
  std::unique_ptr<serve::Core> core;
};

std::string repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("a core in its steady state allocates nothing") {
  struct Case {
    const char* name;
    std::string batch;
    std::string_view answer;  ///< The body of the last reply.
  };
  const Case cases[] = {
      {"one handler, again and again", repeat("GET / HTTP/1.1\r\nHost: h\r\n\r\n", 24), "Hello world!"},
      {"handlers, parameters, fixed replies, refusals",
       repeat("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /fixed HTTP/1.1\r\nHost: h\r\n\r\nGET /none "
              "HTTP/1.1\r\nHost: h\r\n\r\n"
              "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\nGET /items/42?q=%20 HTTP/1.1\r\nHost: "
              "h\r\n\r\n",
              4),
       "the answer"},
      {"bodies by length and in chunks",
       repeat("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
              "chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
              "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
              8),
       "hello"},
      {"coroutines", repeat("GET /task HTTP/1.1\r\nHost: h\r\n\r\nGET /nap HTTP/1.1\r\nHost: h\r\n\r\n", 8),
       "rested"},
      {"a chain of middleware around a handler", repeat("GET /around HTTP/1.1\r\nHost: h\r\n\r\n", 24),
       "from within"},
      {"coroutines among handlers",
       repeat("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /task HTTP/1.1\r\nHost: h\r\n\r\n", 8), "later"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    Loop loop(c.batch);
    loop.run(20'000);
    const std::uint64_t memory = loop.core->pool().bytes_used();
    const std::uint64_t allocations = mem::allocations();
    const std::size_t news_before = news();
    loop.run(requests_counted / std::size(cases));
    CHECK(mem::allocations() == allocations);
    CHECK(news() == news_before);
    CHECK((loop.done > 0) == (c.answer == "from within"));
    CHECK(loop.core->pool().bytes_used() <= memory + (256 << 10));
    CHECK(loop.backend.last_send().ends_with(c.answer));
    CHECK(loop.core->connections() == 1);
  }
}

TEST_CASE("the counters that the test above relies on do count") {
  const std::size_t before = news();
  auto number = std::make_unique<int>(1);
  CHECK(*number == 1);
  CHECK(news() == before + 1);
  const std::uint64_t allocations = mem::allocations();
  void* memory = mem::allocate(100);
  CHECK(mem::allocations() == allocations + 1);
  mem::release(memory);
}

}  // namespace
}  // namespace millrace::test
