// Goal: which host's routes answer a request, and with which limits.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "engine/serve/site.hpp"
#include "tests/unit/serve/traced.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using test::Answer;
using test::RequestText;
using test::Traced;

namespace {

struct Hosted : Traced {
  std::unique_ptr<serve::Site> site;

  Answer from(std::string_view host, std::string_view line = "GET /") {
    std::string problem;
    if (site == nullptr) site = serve::Site::build(serve::state_of(app), problem);
    REQUIRE(problem == "");
    std::string text = std::string(line) + " HTTP/1.1\r\nHost: ";
    text.append(host).append("\r\n\r\n");
    RequestText message(text);
    site->handler().route(message.exchange);
    site->handler().start(message.exchange);
    return message.sink.answer;
  }
  std::string problem() {
    std::string problem;
    CHECK(serve::Site::build(serve::state_of(app), problem) == nullptr);
    return problem;
  }
};

auto text(const char* what) {
  return [what] { return what; };
}

}  // namespace

TEST_CASE_FIXTURE(Hosted, "site: exact names, then wildcards, the longest first, then the rest") {
  app.get("/", text("rest"));
  app.host("example.org").get("/", text("exact"));
  app.host("*.example.org").get("/", text("below"));
  app.host("*.deep.example.org").get("/", text("deep"));
  app.host("[2001:db8::1]").get("/", text("address"));
  app.host("127.0.0.1").get("/", text("loopback"));
  struct Case {
    std::string host;
    const char* body;
  };
  const Case cases[] = {{"example.org", "exact"},       {"EXAMPLE.org:8080", "exact"},
                        {"example.org.", "exact"},      {"www.example.org", "below"},
                        {"a.b.example.org:1", "below"}, {"deep.example.org", "below"},
                        {"x.deep.example.org", "deep"}, {"notexample.org", "rest"},
                        {"example.com", "rest"},        {"org", "rest"},
                        {"127.0.0.1:80", "loopback"},   {"[2001:DB8::1]:80", "address"},
                        {"[2001:db8::1]", "address"},   {std::string(300, 'a'), "rest"}};
  for (const Case& c : cases) {
    CAPTURE(c.host);
    CHECK(from(c.host).body == c.body);
  }
}

TEST_CASE_FIXTURE(Hosted, "site: a host has its own routes only, inside of the application's middleware") {
  app.use(mark('a'));
  app.get("/shared", handler());
  Group host = app.host("h");
  host.use(mark('h'));
  host.get("/own", handler());
  host.group("/deep").use(mark('d')).get("/x", handler());
  CHECK(&serve::state_of(app).host("h") == &serve::state_of(app).host("h"));
  struct Case {
    const char* host;
    const char* line;
    unsigned status;
    const char* trace;
  };
  for (const Case& c : {Case{"h", "GET /own", 200, "ah-HA"}, Case{"h", "GET /deep/x", 200, "ahd-DHA"},
                        Case{"h", "GET /shared", 404, "ahHA"}, Case{"h", "PUT /deep/x", 405, "ahdDHA"},
                        Case{"other", "GET /own", 404, "aA"}, Case{"other", "GET /shared", 200, "a-A"}}) {
    CAPTURE(c.host);
    CAPTURE(c.line);
    trace.clear();
    CHECK(from(c.host, c.line).status == c.status);
    CHECK(trace == c.trace);
  }
}

TEST_CASE_FIXTURE(Hosted, "site: a WebSocket's route may switch protocols on its own host alone") {
  app.get("/ws", text("no socket"));
  app.host("example.org").ws("/ws", [](WebSocket&) -> Task<> { co_return; });
  app.host("example.org").get("/", text("exact"));
  CHECK(from("other.test", "GET /ws").body == "no socket");
  struct Case {
    const char* host;
    const char* path;
    bool may_switch;
  };
  for (const Case& c : {Case{"example.org", "/ws", true}, Case{"example.org", "/", false},
                        Case{"example.org", "/none", false}, Case{"other.test", "/ws", false}}) {
    CAPTURE(c.host);
    CAPTURE(c.path);
    RequestText message("GET " + std::string(c.path) + " HTTP/1.1\r\nHost: " + c.host + "\r\n\r\n");
    site->handler().route(message.exchange);
    CHECK(site->handler().may_switch(message.exchange) == c.may_switch);
  }
}

TEST_CASE_FIXTURE(Hosted, "site: where every route is for a host, the others are misdirected") {
  app.host("h").get("/", text("h"));
  CHECK(from("h").body == "h");
  CHECK(from("h", "GET /none").status == 404);
  for (const char* line : {"GET /", "GET /none", "OPTIONS *", "BREW /"}) {
    CAPTURE(line);
    const Answer answer = from("x", line);
    CHECK(answer.status == 421);
    CHECK(answer.body == "421 Misdirected Request\n");
  }
}

TEST_CASE_FIXTURE(Hosted,
                  "site: what is no host's name is told, and which host's routes contradict each other") {
  struct Case {
    const char* name;
    const char* problem;
  };
  for (const Case& c :
       {Case{"", "expected a name such as example.org, or an address"},
        Case{"a b", "expected a name such as example.org, or an address"},
        Case{"a:80", "it has a port, or a dot at its end"}, Case{"a.", "it has a port, or a dot at its end"},
        Case{"a.*.b", "a * may only be its whole first label, as in *.example.org"},
        Case{"*", "a * may only be its whole first label, as in *.example.org"}}) {
    CAPTURE(c.name);
    Hosted wrong;
    wrong.app.host(c.name);
    CHECK(wrong.problem() == "the host name \"" + std::string(c.name) + "\" is not valid: " + c.problem);
  }
  app.host("h").get("/x", text("1")).get("/x", text("2"));
  CHECK(problem() == "host h: two routes are for the same: GET /x");
}

TEST_CASE_FIXTURE(Hosted, "site: the innermost limit of a body counts, and no site is needed without one") {
  app.post("/a", text(""));
  std::string problem;
  auto plain = serve::Site::build(serve::state_of(app), problem);
  REQUIRE(plain != nullptr);
  CHECK(&plain->handler() != plain.get());
  Group group = app.group("/g").use(body_limit(10));
  group.post("/b", text(""));
  group.post("/c", text(""), body_limit(5), body_limit(7));
  group.post("/d", text(""), mark('x'));
  site = serve::Site::build(serve::state_of(app), problem);
  REQUIRE(site != nullptr);
  for (const auto& [path, limit] :
       {std::pair{"/a", 0u}, {"/g/b", 10u}, {"/g/c", 7u}, {"/g/d", 10u}, {"/none", 0u}}) {
    CAPTURE(path);
    RequestText message("POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    message.exchange.body_bytes_max = 99;
    site->handler().route(message.exchange);
    CHECK(message.exchange.body_bytes_max == limit);
  }
}

TEST_CASE_FIXTURE(Traced,
                  "timeout: cancels the coroutines of a request, and answers 503 through the middleware") {
  const auto wait_long = [this]() -> Task<std::string> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      trace += 'x';
      throw;
    }
    co_return "";
  };
  app.get("/alone", wait_long, timeout(10ms));
  app.get("/marked", wait_long, mark('a'), timeout(10ms));
  app.get("/slow", wait_long, mark('a'), slow('b'), timeout(10ms), mark('c'));
  app.get(
      "/inner", [] { return ""; }, timeout(1h), mark('a'),
      [](Request&, Next next) -> Task<Response> {
        co_await sleep(1h);
        co_return co_await next();
      },
      timeout(10ms));
  app.get(
      "/stubborn",
      []() -> Task<std::string> {
        try {
          co_await sleep(1h);
        } catch (const Cancelled&) {
        }
        co_return "late";
      },
      timeout(10ms));
  app.on_error(503, [] { return "too slow"; });
  struct Case {
    const char* line;
    const char* trace;
  };
  for (const Case& c : {Case{"GET /alone", "x"}, Case{"GET /marked", "aAx"}, Case{"GET /slow", "abcAx"},
                        Case{"GET /inner", "aA"}, Case{"GET /stubborn", ""}}) {
    CAPTURE(c.line);
    trace.clear();
    const Answer answer = wait(c.line);
    CHECK(answer.status == 503);
    CHECK(answer.body == "too slow");
    CHECK(trace == c.trace);
    CHECK(core.scheduler.frames().taken() == core.scheduler.frames().given());
    CHECK(core.wheel.count() == 0);
  }
}

TEST_CASE_FIXTURE(Traced,
                  "timeout: nothing happens to who is in time, or is no coroutine, or has lost its client") {
  app.use(timeout(10ms));
  app.get("/task", task());
  app.get("/slow", task(), slow('a'));
  app.get("/plain", handler());
  app.get("/never", []() -> Task<std::string> {
    co_await sleep(1h);
    co_return "";
  });
  for (const char* line : {"GET /task", "GET /slow", "GET /plain", "GET /none"}) {
    CAPTURE(line);
    CHECK(wait(line).status == (std::string_view(line) == "GET /none" ? 404 : 200));
    CHECK(core.wheel.count() == 0);
  }
  RequestText left("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  run(left);
  CHECK(core.wheel.count() == 2);
  core.scheduler.cancel(left.exchange.scope);
  core.turn();
  CHECK(core.wheel.count() == 0);
  CHECK(left.sink.answer.replies == 0);
}
