// Goal: every argument, every result and every way to fail of a handler, synchronous or not.
#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <memory>
#include <stdexcept>

#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using namespace std::chrono_literals;
using test::Answer;
using test::AppFixture;
using test::RequestText;
using test::StderrCapture;

namespace {

std::string function(std::uint8_t number) noexcept { return std::to_string(number); }

struct Functor {
  std::string operator()(const std::string& text, double number) const {
    return text + std::to_string(number);
  }
};

constexpr const char* text_type = "text/plain; charset=utf-8";

struct Teapot : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace

TEST_CASE_FIXTURE(AppFixture, "handler: arguments by type") {
  app.get("/f/{n}", function);
  app.get("/g/{text}/{number}", Functor{});
  app.get("/o/{a}/{b}", [](Request& request, std::string_view a, int b) {
    return std::string(a) + std::to_string(b) + std::string(request.query());
  });
  app.get("/bool/{b}", [](bool b) { return b ? "yes" : "no"; });
  app.get("/rest/*", [](std::string_view rest) { return "[" + std::string(rest) + "]"; });
  app.get("/both/{a}/*", [](const std::string& a, std::string&& rest) { return a + ":" + rest; });
  app.get("/ignored/*", [] { return "ignored"; });
  app.get("/asked/{a}/{b}", [](Request& request) {
    return std::string(request.parameter(1)) + std::string(request.parameter(0)) +
           std::string(request.route());
  });
  struct Case {
    const char* line;
    const char* body;
  };
  static constexpr Case cases[] = {
      {"GET /f/255", "255"},         {"GET /g/a%20b/1.5", "a b1.500000"},
      {"GET /o/x/-7?q=1", "x-7q=1"}, {"GET /bool/true", "yes"},
      {"GET /bool/0", "no"},         {"GET /rest/a/b%2Fc", "[a/b/c]"},
      {"GET /rest", "[]"},           {"GET /both/1/2/3", "1:2/3"},
      {"GET /ignored/x", "ignored"}, {"GET /asked/1/2", "21/asked/{a}/{b}"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line);
    const Answer answer = ask(c.line);
    CHECK(answer.status == 200);
    CHECK(answer.body == c.body);
    CHECK(answer.content_type == text_type);
  }
  CHECK(ask("GET /f/256").status == 404);
  CHECK(ask("GET /g/a/nan").status == 404);
  CHECK(ask("GET /bool/maybe").status == 404);
}

TEST_CASE_FIXTURE(AppFixture, "handler: results by type") {
  static const Fixed kept = fixed("kept");
  const std::string captured = "captured";
  app.get("/literal", [] { return "literal"; });
  app.get("/view", [] { return std::string_view("view\0w", 6); });
  app.get("/string", [] { return std::string("string"); });
  app.get("/reference", [captured]() -> const std::string& { return captured; });
  app.get("/response", [] { return Response("teapot").status(418).header("X-A", "b"); });
  app.get("/fixed", [] { return kept; });
  app.get("/fixed/reference", []() -> const Fixed& { return kept; });
  CHECK(ask("GET /literal").body == "literal");
  CHECK(ask("GET /view").body == std::string_view("view\0w", 6));
  CHECK(ask("GET /string").body == "string");
  CHECK(ask("GET /reference").body == "captured");
  CHECK(ask("GET /reference").body == "captured");
  const Answer response = ask("GET /response");
  CHECK(response.status == 418);
  CHECK(response.body == "teapot");
  CHECK(response.fields == "X-A: b\r\n");
  CHECK(response.content_type == text_type);
  CHECK(ask("GET /fixed").body == "kept");
  CHECK(ask("GET /fixed/reference").fixed);
}

TEST_CASE_FIXTURE(AppFixture, "handler: what it throws is a 500 for the client, and a line in the log") {
  app.get("/std", []() -> std::string { throw std::runtime_error("the secret"); });
  app.get("/int", []() -> std::string { throw 7; });
  app.get("/odd/*", []() -> std::string { throw std::runtime_error("two\nlines\x1b[0m"); });
  StderrCapture captured;
  for (const char* line : {"GET /std", "GET /int", "GET /odd/%0Ax"}) {
    CAPTURE(line);
    const Answer answer = ask(line);
    CHECK(answer.status == 500);
    CHECK(answer.body == "500 Internal Server Error\n");
    CHECK(answer.replies == 1);
  }
  CHECK(captured.text() ==
        "millrace: GET /std: the secret\n"
        "millrace: GET /int: an exception that is no std::exception\n"
        "millrace: GET /odd/?x: two?lines?[0m\n");
}

TEST_CASE_FIXTURE(AppFixture, "handler: a long complaint is cut, not lost") {
  app.get("/", []() -> std::string { throw std::runtime_error(std::string(5000, 'x')); });
  StderrCapture captured;
  CHECK(ask("GET /").status == 500);
  const std::string line = captured.text();
  CHECK(line.size() == 1024);
  CHECK(line.starts_with("millrace: GET /: xxx"));
  CHECK(line.ends_with("x\n"));
}

TEST_CASE_FIXTURE(AppFixture, "handler: an exception that the application knows is its own answer") {
  app.get("/teapot", []() -> std::string { throw Teapot("short"); });
  app.get("/other", []() -> std::string { throw std::runtime_error("other"); });
  app.get("/logic", []() -> std::string { throw std::logic_error("logic"); });
  app.get("/int", []() -> std::string { throw 7; });
  app.get("/task", []() -> Task<std::string> {
    throw Teapot("late");
    co_return "";
  });
  app.on_error<Teapot>([](const Teapot& teapot) { return Response(teapot.what()).status(418); });
  app.on_error<std::runtime_error>([](const std::runtime_error& error, Request& request) {
    return std::string(request.path()) + ": " + error.what();
  });
  app.on_error<int>([](int) -> std::string { throw std::runtime_error("the page broke"); });
  const Answer teapot = ask("GET /teapot");
  CHECK(teapot.status == 418);
  CHECK(teapot.body == "short");
  const Answer other = ask("GET /other");
  CHECK(other.status == 500);
  CHECK(other.body == "/other: other");
  const Answer task = ask("GET /task");
  CHECK(task.status == 418);
  CHECK(task.body == "late");
  StderrCapture captured;
  CHECK(ask("GET /logic").body == "500 Internal Server Error\n");
  CHECK(ask("GET /int").body == "500 Internal Server Error\n");
  CHECK(captured.text() == "millrace: GET /logic: logic\nmillrace: GET /int: the page broke\n");
}

TEST_CASE_FIXTURE(AppFixture, "handler: a response that must not be sent is a 500, with nothing of it") {
  app.get("/", [] { return Response("body").header("X-A", "b\r\nX-Evil: c").header("X-B", "c"); });
  app.get("/fixed", fixed(Response("body").header("X-A", "b\nX-Evil: c")));
  StderrCapture captured;
  for (const char* line : {"GET /", "GET /fixed"}) {
    CAPTURE(line);
    const Answer answer = ask(line);
    CHECK(answer.status == 500);
    CHECK(answer.fields == "");
    CHECK(answer.body == "500 Internal Server Error\n");
    CHECK_FALSE(answer.fixed);
  }
  CHECK(captured.text() ==
        "millrace: GET /: the response has a header whose value has a control character\n"
        "millrace: GET /fixed: the response has a header whose value has a control character\n");
}

TEST_CASE_FIXTURE(AppFixture, "handler: an argument that cannot be made is answered in the handler's place") {
  app.on_error(415, [] { return "of what type?"; });
  bool ran = false;
  app.post("/", [&ran](Json<int> in) {
    ran = true;
    return std::to_string(in.value);
  });
  const auto post = [this](const std::string& type, std::string body) {
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: " + type +
                             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    RequestText message(head + body + std::string(64, ' '));  // A parser reads past the end by whole vectors.
    message.exchange.body = message.exchange.body.substr(0, body.size());
    return run(message);
  };
  const Answer bad = post("application/json", "[");
  CHECK(bad.status == 400);
  CHECK(bad.body.starts_with("JSON: "));
  CHECK(bad.content_type == text_type);
  const Answer other = post("text/html", "1");
  CHECK(other.status == 415);
  CHECK(other.body == "of what type?");
  CHECK_FALSE(ran);
  CHECK(post("application/json", "41").body == "41");
  CHECK(ran);
}

TEST_CASE_FIXTURE(AppFixture, "handler: a task that never waits answers at once") {
  app.get("/{a}",
          [](std::string_view a) -> Task<Response> { co_return Response(std::string(a)).status(201); });
  app.get("/text/x", []() -> Task<const char*> { co_return "text"; });
  RequestText message("GET /abc HTTP/1.1\r\nHost: a\r\n\r\n");
  const Answer answer = run(message);
  CHECK(message.exchange.asynchronous);
  CHECK(answer.status == 201);
  CHECK(answer.body == "abc");
  CHECK(answer.replies == 1);
  CHECK(answer.finishes == 1);
  CHECK(ask("GET /text/x").body == "text");
  CHECK(core.scheduler.frames().taken() == core.scheduler.frames().given());
}

TEST_CASE_FIXTURE(AppFixture, "handler: a task that waits answers when it is through") {
  app.get("/{text}", [](const std::string& text, Request& request) -> Task<std::string> {
    co_await sleep(10ms);
    co_return text + std::string(request.path());  // Both live as long as this does.
  });
  RequestText message("GET /abc HTTP/1.1\r\nHost: a\r\n\r\n");
  run(message);
  CHECK(message.sink.answer.replies == 0);
  core.turn(5 * ns_per_ms);
  CHECK(message.sink.answer.replies == 0);
  core.turn(7 * ns_per_ms);
  CHECK(message.sink.answer.replies == 1);
  CHECK(message.sink.answer.finishes == 1);
  CHECK(message.sink.answer.body == "abc/abc");
  CHECK(core.scheduler.frames().taken() == core.scheduler.frames().given());
}

TEST_CASE_FIXTURE(AppFixture, "handler: a task whose client has left ends without a reply") {
  auto alive = std::make_shared<int>(0);
  app.get("/", [alive]() -> Task<std::string> {
    const std::shared_ptr<int> held = alive;
    co_await sleep(1h);
    co_return "never";
  });
  app.get("/stubborn", []() -> Task<std::string> {
    try {
      co_await sleep(1h);
    } catch (...) {
    }
    co_return "answers nobody";
  });
  const long before = alive.use_count();
  for (const char* path : {"/", "/stubborn"}) {
    CAPTURE(path);
    RequestText message("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    run(message);
    core.scheduler.cancel(message.exchange.scope);
    core.turn();
    CHECK(message.sink.answer.replies == 0);
    CHECK(message.sink.answer.finishes == 1);
  }
  CHECK(alive.use_count() == before);
  CHECK(core.scheduler.frames().taken() == core.scheduler.frames().given());
}

TEST_CASE_FIXTURE(AppFixture, "handler: what a task throws is a 500, before it waits and after") {
  app.get("/now", []() -> Task<std::string> {
    throw std::runtime_error("now");
    co_return "";
  });
  app.get("/later", []() -> Task<std::string> {
    co_await sleep(1ms);
    throw std::runtime_error("later");
  });
  app.get("/invalid", []() -> Task<Response> { co_return Response().status(99); });
  StderrCapture captured;
  for (const char* path : {"/now", "/later", "/invalid"}) {
    CAPTURE(path);
    RequestText message("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    run(message);
    core.turn(5 * ns_per_ms);
    CHECK(message.sink.answer.status == 500);
    CHECK(message.sink.answer.replies == 1);
    CHECK(message.sink.answer.finishes == 1);
  }
  CHECK(captured.text() ==
        "millrace: GET /now: now\nmillrace: GET /later: later\n"
        "millrace: GET /invalid: the response has a status outside 200 to 599\n");
}

TEST_CASE_FIXTURE(AppFixture, "handler: a task's argument that cannot be made is answered in its place") {
  app.post("/", [](Json<int> in) -> Task<std::string> { co_return std::to_string(in.value); });
  RequestText message("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/html\r\n\r\n");
  const Answer answer = run(message);
  CHECK(answer.status == 415);
  CHECK(answer.finishes == 1);
}
