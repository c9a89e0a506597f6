// Goal: what is answered where no handler answers, and by whose page.
#include <doctest/doctest.h>
#include <millrace/fixed.hpp>

#include <stdexcept>

#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using test::Answer;
using test::AppFixture;
using test::RequestText;

TEST_CASE_FIXTURE(AppFixture, "dispatch: a path that no route has is 404") {
  app.get("/", [] { return "root"; });
  app.get("/items/{id}", [](std::int64_t id) { return std::to_string(id); });
  CHECK(ask("GET /").body == "root");
  for (const char* line : {"GET /nowhere", "OPTIONS /nowhere", "POST /nowhere", "GET /items/abc",
                           "GET /items/", "GET /items/9223372036854775808"}) {
    CAPTURE(line);
    const Answer answer = ask(line);
    CHECK(answer.status == 404);
    CHECK(answer.body == "404 Not Found\n");
    CHECK(answer.content_type == "text/plain; charset=utf-8");
    CHECK(answer.fields == "");
    CHECK(answer.replies == 1);
  }
  CHECK(ask("GET /items/9223372036854775807").body == "9223372036854775807");
}

TEST_CASE_FIXTURE(AppFixture,
                  "dispatch: a method that no route has is 405 with Allow; OPTIONS says the same") {
  app.get("/a", [] { return "get"; });
  app.put("/a", [] { return "put"; });
  app.patch("/a", [] { return "patch"; });
  app.del("/b", [] { return "delete"; });
  app.options("/c", [] { return "options"; });
  const Answer refused = ask("POST /a");
  CHECK(refused.status == 405);
  CHECK(refused.fields == "Allow: GET, HEAD, OPTIONS, PATCH, PUT\r\n");
  CHECK(refused.body == "405 Method Not Allowed\n");
  const Answer options = ask("OPTIONS /a");
  CHECK(options.status == 204);
  CHECK(options.fields == "Allow: GET, HEAD, OPTIONS, PATCH, PUT\r\n");
  CHECK(options.body == "");
  CHECK(ask("GET /b").fields == "Allow: DELETE, OPTIONS\r\n");
  CHECK(ask("OPTIONS /c").body == "options");
  const Answer everywhere = ask("OPTIONS *");
  CHECK(everywhere.status == 204);
  CHECK(everywhere.fields == "Allow: DELETE, GET, HEAD, OPTIONS, PATCH, PUT\r\n");
}

TEST_CASE_FIXTURE(AppFixture,
                  "dispatch: TRACE, CONNECT and unknown methods reach no handler of another method") {
  app.get("/*", [] { return "get"; });
  CHECK(ask("GET /a/b").body == "get");
  const Answer trace = ask("TRACE /a");
  CHECK(trace.status == 405);
  CHECK(trace.fields == "Allow: GET, HEAD, OPTIONS\r\n");
  RequestText connect("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
  CHECK(run(connect).status == 501);
  for (const char* line : {"BREW /", "get /", "GETX /"}) {
    CAPTURE(line);
    CHECK(ask(line).status == 501);
  }
}

TEST_CASE_FIXTURE(AppFixture, "dispatch: any answers every method but CONNECT") {
  app.any("/*", [](millrace::Request& request) { return std::string(request.method()); });
  for (const char* line : {"DELETE /a/b", "TRACE /a", "BREW /", "get /"}) {
    CAPTURE(line);
    CHECK(ask(line).status == 200);
  }
  RequestText connect("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n");
  CHECK(run(connect).status == 501);
}

TEST_CASE_FIXTURE(AppFixture, "dispatch: TRACE of a path without routes is refused as well") {
  CHECK(ask("TRACE /").status == 405);
}

TEST_CASE_FIXTURE(AppFixture, "dispatch: HEAD runs the GET handler") {
  app.get("/", [](Request& request) { return std::string(request.method()); });
  CHECK(ask("HEAD /").body == "HEAD");  // The sink leaves the body out.
}

TEST_CASE_FIXTURE(AppFixture, "dispatch: each refusal of the protocol has a text") {
  struct Case {
    std::uint16_t status;
    const char* body;
  };
  static constexpr Case cases[] = {
      {400, "400 Bad Request\n"},
      {408, "408 Request Timeout\n"},
      {413, "413 Content Too Large\n"},
      {414, "414 URI Too Long\n"},
      {417, "417 Expectation Failed\n"},
      {431, "431 Request Header Fields Too Large\n"},
      {500, "500 Internal Server Error\n"},
      {501, "501 Not Implemented\n"},
      {503, "503 Service Unavailable\n"},
      {505, "505 HTTP Version Not Supported\n"},
      {599, "599\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.status);
    RequestText message("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    dispatch().refuse(message.exchange, {Errc::limit_reached, c.status});
    CHECK(message.sink.answer.status == c.status);
    CHECK(message.sink.answer.body == c.body);
    CHECK(message.sink.answer.fields == (c.status == 503 ? "Retry-After: 1\r\n" : ""));
  }
}

TEST_CASE_FIXTURE(AppFixture, "dispatch: the application's pages take the place of the texts") {
  app.get("/", [] { return "root"; });
  app.get("/broken", []() -> std::string { throw std::runtime_error("secret"); });
  app.on_error(404, [](Request& request) { return "no " + std::string(request.path()); });
  app.on_error(405, [] { return Response("not so").header("X-A", "b"); });
  app.on_error(500, [] { return Response("sorry").status(503); });
  app.on_error(400, [](const Request& request) {
    return std::to_string(request.header_count()) + "[" + std::string(request.path()) + "]" +
           std::string(request.method());
  });
  const Answer missing = ask("GET /nowhere");
  CHECK(missing.status == 404);
  CHECK(missing.body == "no /nowhere");
  const Answer method = ask("POST /");
  CHECK(method.status == 405);
  CHECK(method.body == "not so");
  CHECK(method.fields == "X-A: b\r\nAllow: GET, HEAD, OPTIONS\r\n");
  {
    const test::StderrCapture captured;
    const Answer broken = ask("GET /broken");
    CHECK(broken.status == 503);
    CHECK(broken.body == "sorry");
  }
  RequestText message("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  message.exchange.target = {};  // As when the head itself was refused.
  message.exchange.head.base = nullptr;
  message.exchange.head.field_count = 7;
  dispatch().refuse(message.exchange, {Errc::bad_field_name, 400});
  CHECK(message.sink.answer.status == 400);
  CHECK(message.sink.answer.body == "0[]");
}

TEST_CASE_FIXTURE(AppFixture, "dispatch: the last page for a status is the one") {
  app.on_error(404, [] { return "first"; });
  app.on_error(404, [] { return "second"; });
  CHECK(ask("GET /").body == "second");
}

TEST_CASE_FIXTURE(AppFixture, "dispatch: a page that fails itself makes it a plain 500") {
  app.get("/", [] { return "root"; });
  app.on_error(404, []() -> std::string { throw std::runtime_error("page broke"); });
  app.on_error(405, [] { return Response("x").header("A", "b\r\nC: d"); });
  test::StderrCapture captured;
  const Answer thrown = ask("GET /nowhere");
  CHECK(thrown.status == 500);
  CHECK(thrown.body == "500 Internal Server Error\n");
  const Answer invalid = ask("POST /");
  CHECK(invalid.status == 500);
  CHECK(invalid.fields == "");
  CHECK(captured.text() ==
        "millrace: GET /nowhere: page broke\n"
        "millrace: POST /: the response has a header whose value has a control character\n");
}

TEST_CASE_FIXTURE(AppFixture,
                  "dispatch: routes that contradict each other are a sentence, and nothing is built") {
  app.get("/{a}", [](std::string_view) { return ""; });
  app.get("/{b}", [](std::int64_t) { return ""; });
  std::string problem;
  CHECK(serve::Dispatch::build(serve::state_of(app), problem) == nullptr);
  CHECK(problem == "two routes are for the same: GET /{a} and /{b}");
}

namespace {
int destroyed = 0;
void count_destroyed(void*) noexcept { ++destroyed; }
void answer_ok(void*, Request& request) noexcept { detail::reply_text(request, "ok"); }
}  // namespace

TEST_CASE("dispatch: the engine's own routes") {
  destroyed = 0;
  {
    AppFixture fixture;
    serve::AppState& state = serve::state_of(fixture.app);
    const detail::Entry entry{.start = answer_ok, .destroy = count_destroyed};
    CHECK(state.add("GET", "/a/*", entry, "files") == "");
    CHECK(state.add("*", "/b", entry) == "");
    CHECK(destroyed == 0);
    CHECK(state.add("GET", "a", entry) == "the route pattern \"a\" is not valid: it must start with a slash");
    CHECK(state.add("GET", "/{a}/{a}", entry) ==
          "the route pattern \"/{a}/{a}\" is not valid: it names a parameter twice");
    CHECK(state.add("TRACE", "/", entry) == "no route can be for the method \"TRACE\"");
    CHECK(state.add("get", "/", entry) == "no route can be for the method \"get\"");
    CHECK(destroyed == 4);  // Those that were not taken.
    REQUIRE(state.routes().size() == 2);
    CHECK(state.routes()[0]->method_text() == "GET");
    CHECK(state.routes()[0]->pattern == "/a/*");
    CHECK(state.routes()[0]->kind == "files");
    CHECK(state.routes()[1]->method_text() == "*");
    CHECK(state.routes()[1]->kind == "handler");
    CHECK(fixture.ask("GET /a/b").body == "ok");
    CHECK(fixture.ask("PUT /b").body == "ok");
  }
  CHECK(destroyed == 6);
}
