// Goal: what runs around a handler, and in which order.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

#include "tests/unit/serve/traced.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using test::Answer;
using test::RequestText;
using test::Traced;

TEST_CASE_FIXTURE(Traced, "middleware: of the application, of groups, of the route: outermost first") {
  app.get("/early", handler());
  Group api = app.group("/api");
  api.get("/items/{id}", [this](std::int64_t id) {
    trace += '-';
    return std::to_string(id);
  });
  api.get("/", handler(), mark('x'), mark('y'));
  api.use(mark('c'));
  app.use(mark('a'), mark('b'));  // Also for what was added before.
  Group deep = api.group("/v1").use(mark('d'));
  deep.get("/*", handler());
  app.get("/other", handler());

  struct Case {
    const char* line;
    const char* trace;
  };
  for (const Case& c :
       {Case{"GET /early", "ab-BA"}, Case{"GET /api/items/7", "abc-CBA"}, Case{"GET /api", "abcxy-YXCBA"},
        Case{"GET /api/v1/x/y", "abcd-DCBA"}, Case{"GET /other", "ab-BA"}}) {
    CAPTURE(c.line);
    trace.clear();
    const Answer answer = wait(c.line);
    CHECK(answer.status == 200);
    CHECK(trace == c.trace);
  }
  CHECK(ask("GET /api/items/7").body == "7");
  CHECK(ask("GET /api/").status == 404);  // As "/items/" is not "/items".
}

TEST_CASE_FIXTURE(Traced, "middleware: every mixture of plain and coroutine, around both kinds of handler") {
  app.get("/plain", handler(), mark('a'), slow('b'), mark('c'), slow('d'), mark('e'));
  app.get("/task", task(), mark('a'), slow('b'), mark('c'), slow('d'), mark('e'));
  app.get("/slow", handler(), slow('a'), slow('b'));
  app.get("/slow-task", task(), slow('a'));
  app.get("/marked-task", task(), mark('a'), mark('b'));
  app.get("/fixed", fixed("body"), mark('a'), slow('b'), mark('c'));
  app.get("/fixed-plain", fixed("body"), mark('a'));
  struct Case {
    const char* line;
    const char* trace;
  };
  for (const Case& c :
       {Case{"GET /plain", "abcde-EDCBA"}, Case{"GET /task", "abcde-EDCBA"}, Case{"GET /slow", "ab-BA"},
        Case{"GET /slow-task", "a-A"}, Case{"GET /marked-task", "ab-BA"}, Case{"GET /fixed", "abcCBA"},
        Case{"GET /fixed-plain", "aA"}}) {
    CAPTURE(c.line);
    trace.clear();
    const Answer answer = wait(c.line);
    CHECK(answer.status == 200);
    CHECK(answer.body == "body");
    CHECK(answer.content_type == "text/plain; charset=utf-8");
    CHECK(trace == c.trace);
  }
}

TEST_CASE_FIXTURE(Traced,
                  "middleware: who answers before the handler ends it there; those further out see it") {
  const auto refuse = [](Request& request) -> std::optional<Response> {
    if (request.header("X-Pass")) return std::nullopt;
    return Response("no").status(403);
  };
  const auto refuse_slowly = [](Request& request, Next next) -> Task<Response> {
    co_await yield();
    if (request.header("X-Pass")) co_return co_await next();
    co_return Response("no").status(403);
  };
  app.get("/plain", handler(), mark('a'), refuse, mark('b'));
  app.get("/task", task(), mark('a'), refuse, mark('b'));
  app.get("/slow", handler(), mark('a'), refuse_slowly, mark('b'));
  app.get("/inside", handler(), slow('a'), refuse, mark('b'));
  for (const char* line : {"GET /plain", "GET /task", "GET /slow", "GET /inside"}) {
    CAPTURE(line);
    trace.clear();
    const Answer refused = wait(line);
    CHECK(refused.status == 403);
    CHECK(refused.body == "no");
    CHECK(trace == "aA");
    trace.clear();
    CHECK(wait(line, "X-Pass: 1\r\n\r\n").status == 200);
    CHECK(trace == "ab-BA");
  }
}

TEST_CASE_FIXTURE(Traced, "middleware: sees the answers that no handler gives") {
  unsigned seen = 0;
  std::string path;
  app.use([&](Request& request, Reply& reply) {
    seen = reply.status();
    path = request.path();
    reply.header("X-App", "1");
  });
  Group api = app.group("/api").use(mark('g'));
  api.get("/items", handler());
  app.get("/", [] { return "root"; });
  app.get("/throws", []() -> std::string { throw std::runtime_error("secret"); });
  const test::StderrCapture quiet;
  struct Case {
    const char* line;
    unsigned status;
    const char* trace;
    const char* fields;
  };
  for (const Case& c :
       {Case{"GET /none", 404, "", "X-App: 1\r\n"}, Case{"GET /apis", 404, "", "X-App: 1\r\n"},
        Case{"GET /api/none", 404, "gG", "X-App: 1\r\n"}, Case{"GET /api", 404, "gG", "X-App: 1\r\n"},
        Case{"PUT /api/items", 405, "gG", "Allow: GET, HEAD, OPTIONS\r\nX-App: 1\r\n"},
        Case{"OPTIONS /api/items", 204, "gG", "Allow: GET, HEAD, OPTIONS\r\nX-App: 1\r\n"},
        Case{"OPTIONS *", 204, "", "Allow: GET, HEAD, OPTIONS\r\nX-App: 1\r\n"},
        Case{"BREW /", 501, "", "X-App: 1\r\n"}, Case{"GET /throws", 500, "", "X-App: 1\r\n"}}) {
    CAPTURE(c.line);
    trace.clear();
    const Answer answer = wait(c.line);
    CHECK(answer.status == c.status);
    CHECK(seen == c.status);
    CHECK(answer.fields == c.fields);
    CHECK(trace == c.trace);
  }
  RequestText refused("GET /path HTTP/1.1\r\nHost: a\r\n\r\n");
  dispatch().refuse(refused.exchange, {Errc::body_too_large, 413});
  CHECK(seen == 413);
  CHECK(path == "/path");
  CHECK(refused.sink.answer.fields == "X-App: 1\r\n");
  CHECK(refused.exchange.sink == &refused.sink);
}

TEST_CASE_FIXTURE(Traced,
                  "middleware: a coroutine sees the 404 too, and befores are not run for a refused request") {
  app.use(slow('a'), mark('b'));
  app.get("/", handler());
  CHECK(wait("GET /none").status == 404);
  CHECK(trace == "abBA");
  trace.clear();
  RequestText refused("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  dispatch().refuse(refused.exchange, {Errc::timeout, 408});
  CHECK(refused.sink.answer.status == 408);
  CHECK(trace == "B");
}

TEST_CASE_FIXTURE(Traced, "middleware: what it throws is answered as a handler's exception is") {
  struct Teapot {};
  app.on_error<Teapot>([](const Teapot&) { return Response("teapot").status(418); });
  app.get(
      "/before", handler(), mark('a'), [](Request&) -> std::optional<Response> { throw Teapot{}; },
      mark('b'));
  app.get(
      "/around", handler(), mark('a'),
      [](Request&, Next) -> Task<Response> {
        co_await yield();
        throw Teapot{};
      },
      mark('b'));
  app.get("/inner", handler(), slow('a'), [](Request&) { throw Teapot{}; });
  app.get("/inner-around", handler(), slow('a'), [](Request&, Next) -> Task<Response> {
    co_await yield();
    throw Teapot{};
  });
  app.get(
      "/handler", []() -> std::string { throw Teapot{}; }, slow('a'));
  for (const char* line : {"GET /before", "GET /around", "GET /inner", "GET /inner-around", "GET /handler"}) {
    CAPTURE(line);
    trace.clear();
    const Answer answer = wait(line);
    CHECK(answer.status == 418);
    CHECK(answer.body == "teapot");
    CHECK(trace == "aA");
  }
}

TEST_CASE_FIXTURE(Traced, "middleware: is told at the end what became of each request") {
  struct Teller {
    std::string& told;
    void done(Request& request, const Outcome& outcome) const {
      told += std::string(request.path()) + " " + std::to_string(outcome.status) + " " +
              std::to_string(outcome.body_bytes) + (outcome.elapsed_ns >= ns_per_ms ? " slow\n" : "\n");
    }
  };
  std::string told;
  app.use(Teller{told});
  app.get("/plain", handler());
  app.get("/task", task());
  app.get("/slow", task(), slow('a'), mark('b'));
  app.get("/throws", handler(), [](Request&, Reply& reply) { reply.fail("why"); });
  app.get("/never", []() -> Task<std::string> {
    co_await sleep(1h);
    co_return "";
  });
  const test::StderrCapture quiet;
  for (const char* line : {"GET /plain", "HEAD /plain", "GET /task", "GET /slow", "GET /none", "GET /throws"})
    wait(line);
  RequestText left("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  run(left);
  core.scheduler.cancel(left.exchange.scope);
  core.turn();
  RequestText refused("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  dispatch().refuse(refused.exchange, {Errc::body_too_large, 413});
  CHECK(told ==
        "/plain 200 4\n/plain 200 0\n/task 200 4 slow\n/slow 200 4 slow\n/none 404 14\n/throws 500 26\n"
        "/never 0 0\n/big 413 22\n");
}

TEST_CASE_FIXTURE(Traced, "middleware: a client that leaves ends every coroutine, and nothing is answered") {
  app.get("/plain", handler(), mark('a'), [](Request&, Next next) -> Task<Response> {
    co_await sleep(1h);
    co_return co_await next();
  });
  app.get(
      "/task",
      [this]() -> Task<std::string> {
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
          trace += 'x';
          throw;
        }
        co_return "";
      },
      slow('a'), mark('b'));
  app.get(
      "/marked",
      []() -> Task<std::string> {
        co_await sleep(1h);
        co_return "";
      },
      mark('a'));
  struct Case {
    const char* line;
    const char* trace;
  };
  for (const Case& c : {Case{"GET /plain", "a"}, Case{"GET /task", "abx"}, Case{"GET /marked", "a"}}) {
    CAPTURE(c.line);
    trace.clear();
    RequestText message(std::string(c.line) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    run(message);
    core.turn();
    CHECK(message.sink.answer.finishes == 0);
    core.scheduler.cancel(message.exchange.scope);
    core.turn();
    CHECK(message.sink.answer.finishes == 1);
    CHECK(message.sink.answer.replies == 0);
    CHECK(trace == c.trace);
    CHECK(core.scheduler.frames().taken() == core.scheduler.frames().given());
  }
}
