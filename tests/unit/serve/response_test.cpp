// Goal: what a Response keeps, and that nothing gets into it which must not reach the wire.
#include <doctest/doctest.h>
#include <millrace/events.hpp>
#include <millrace/fixed.hpp>
#include <millrace/response.hpp>

#include <string>

#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using namespace std::chrono_literals;

TEST_CASE("response: empty") {
  const Response response;
  CHECK(response.status() == 200);
  CHECK_FALSE(response.has_status());
  CHECK(response.content_type() == "");
  CHECK(response.body() == "");
  CHECK(response.fields() == "");
  CHECK(response.problem() == nullptr);
}

TEST_CASE("response: setters chain, on values and on names") {
  Response response = Response("text").status(404).header("X-A", "b").close();
  response.header("X-A", "c").content_type("text/html");
  CHECK(response.status() == 404);
  CHECK(response.has_status());
  CHECK(response.body() == "text");
  CHECK(response.content_type() == "text/html");
  CHECK(response.fields() == "X-A: b\r\nX-A: c\r\n");
  CHECK(response.closes());
  response.bytes(std::string("\0\1", 2));
  CHECK(response.body() == std::string_view("\0\1", 2));
  CHECK(response.content_type() == "application/octet-stream");
  response.text("again");
  CHECK(response.content_type() == "text/plain; charset=utf-8");
  CHECK(response.problem() == nullptr);
}

TEST_CASE("response: header names and values are judged, and what fails leaves no trace") {
  struct Case {
    std::string_view name;
    std::string_view value;
    bool valid;
  };
  using namespace std::string_view_literals;
  static constexpr Case cases[] = {
      {"X-A", "", true},
      {"X-A", "a b\tc", true},
      {"X-A", "\xc3\xa9\x85", true},
      {"!#$%&'*+-.^_`|~09azAZ", "x", true},
      {"X-A", "a\r\nX-Evil: b", false},
      {"X-A", "a\rb", false},
      {"X-A", "a\nb", false},
      {"X-A", "a\0b"sv, false},
      {"X-A", "a\x7f", false},
      {"X-A", "\x01", false},
      {"", "x", false},
      {"X A", "x", false},
      {"X-A:", "x", false},
      {"X-A\r\nY", "x", false},
      {"X\0A"sv, "x", false},
      {"\xc3\xa9", "x", false},
      {"Content-Length", "5", false},
      {"content-length", "5", false},
      {"Transfer-Encoding", "chunked", false},
      {"Keep-Alive", "timeout=5", false},
      {"Connection", "upgrade", false},
      {"Content-Type", "a\r\nb", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CAPTURE(c.value);
    Response response;
    response.header(c.name, c.value);
    CHECK((response.problem() == nullptr) == c.valid);
    CHECK(response.fields() == (c.valid ? std::string(c.name) + ": " + std::string(c.value) + "\r\n" : ""));
    CHECK(response.content_type() == "");
  }
}

TEST_CASE("response: headers that have a place of their own") {
  Response response;
  response.header("content-TYPE", "text/css").header("Connection", "Close").header("date", "yesterday");
  CHECK(response.content_type() == "text/css");
  CHECK(response.closes());
  CHECK(response.has_date());
  CHECK(response.fields() == "date: yesterday\r\n");
  CHECK(response.problem() == nullptr);
}

TEST_CASE("response: the first problem stays") {
  Response response;
  response.status(600).header("", "x");
  CHECK(response.problem() == std::string_view("the response has a status outside 200 to 599"));
  CHECK(response.status() == 200);
  response.status(200);
  CHECK(response.problem() != nullptr);
}

TEST_CASE("response: status from 200 to 599") {
  for (unsigned code : {0u, 100u, 101u, 199u, 600u, 1000u, 65736u}) {
    CAPTURE(code);
    CHECK(Response().status(code).problem() != nullptr);
  }
  for (unsigned code : {200u, 204u, 299u, 404u, 599u}) {
    CAPTURE(code);
    const Response response = Response().status(code);
    CHECK(response.problem() == nullptr);
    CHECK(response.status() == code);
  }
}

TEST_CASE("response: fields have an end") {
  const std::string value(Response::fields_bytes_max - 5, 'x');
  CHECK(Response().header("A", value).problem() == nullptr);
  CHECK(Response().header("A", value + "x").problem() != nullptr);
  CHECK(Response().header("A", value).header("B", "").problem() != nullptr);
  CHECK(Response().content_type("a/b").header("A", value).problem() != nullptr);
  CHECK(Response().header("A", value).content_type("a/b").problem() != nullptr);
}

TEST_CASE("response: cookies") {
  CHECK(Response().cookie("id", "7").fields() == "Set-Cookie: id=7; Path=/; HttpOnly; SameSite=Lax\r\n");
  const CookieOptions all{.path = "/a",
                          .domain = "example.com",
                          .max_age = 60s,
                          .secure = true,
                          .http_only = false,
                          .same_site = SameSite::strict};
  CHECK(Response().cookie("id", "", all).fields() ==
        "Set-Cookie: id=; Path=/a; Domain=example.com; Max-Age=60; Secure; SameSite=Strict\r\n");
  CHECK(
      Response().cookie("id", "1", {.path = "", .http_only = false, .same_site = SameSite::none}).fields() ==
      "Set-Cookie: id=1; Secure; SameSite=None\r\n");
  CHECK(Response()
            .cookie("a", "1", {.http_only = false, .same_site = SameSite::unset})
            .cookie("b", "2")
            .fields() == "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2; Path=/; HttpOnly; SameSite=Lax\r\n");
  CHECK(Response().cookie("i d", "7").problem() != nullptr);
  CHECK(Response().cookie("", "7").problem() != nullptr);
  for (const char* value : {"a;b", "a b", "a,b", "a\"b", "a\\b", "a\r\nb", "\xc3\xa9"}) {
    CAPTURE(value);
    const Response response = Response().cookie("id", value);
    CHECK(response.problem() != nullptr);
    CHECK(response.fields() == "");
  }
  CHECK(Response().cookie("id", "7", {.path = "/;Domain=evil"}).problem() != nullptr);
  CHECK(Response().cookie("id", "7", {.domain = "a\r\nX: y"}).problem() != nullptr);
}

TEST_CASE("response: cookies that expire, and partitioned ones") {
  using std::chrono::sys_seconds;
  const CookieOptions dated{
      .expires = sys_seconds{784'111'777s}, .http_only = false, .same_site = SameSite::unset};
  CHECK(Response().cookie("a", "1", dated).fields() ==
        "Set-Cookie: a=1; Path=/; Expires=Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  CHECK(Response().cookie("a", "1", {.max_age = 0s, .expires = sys_seconds{0s}}).fields() ==
        "Set-Cookie: a=1; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; "
        "SameSite=Lax\r\n");
  CHECK(Response().cookie("a", "1", {.same_site = SameSite::none, .partitioned = true}).fields() ==
        "Set-Cookie: a=1; Path=/; Secure; HttpOnly; SameSite=None; Partitioned\r\n");
  CHECK(Response().cookie("a", "1", {.expires = sys_seconds{253'402'300'799s}}).problem() == nullptr);
  for (const auto seconds : {-11'644'473'601s, 253'402'300'800s, -9'000'000'000s * 2, 9'000'000'000s})
    CHECK((Response().cookie("a", "1", {.expires = sys_seconds{seconds}}).problem() == nullptr) ==
          (seconds == 9'000'000'000s));
}

TEST_CASE("response: cookies whose names make promises") {
  CHECK(Response().cookie("__Secure-a", "1").problem() != nullptr);
  CHECK(Response().cookie("__Secure-a", "1", {.secure = true}).problem() == nullptr);
  CHECK(Response().cookie("__host-a", "1", {.path = "/", .secure = true}).problem() == nullptr);
  CHECK(Response().cookie("__Host-a", "1").problem() != nullptr);
  CHECK(Response().cookie("__Host-a", "1", {.path = "/x", .secure = true}).problem() != nullptr);
  CHECK(Response().cookie("__Host-a", "1", {.domain = "a.example", .secure = true}).problem() != nullptr);
  CHECK(Response().cookie("__Hos", "1").problem() == nullptr);
}

TEST_CASE_FIXTURE(test::AppFixture, "fixed: serialised once, with room for the date") {
  app.get("/", fixed("ok"));
  app.get("/typed", fixed("{}", "application/json"));
  app.get("/none", fixed(Response("dropped").status(204).header("X-A", "b")));
  app.get("/odd", fixed(Response("x").status(299)));
  app.get("/reset", fixed(Response("dropped").status(205)));
  test::RequestText message("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const test::Answer answer = run(message);
  REQUIRE(answer.fixed);
  CHECK(answer.fields == "HTTP/1.1 200 OK\r\nDate: " + std::string(29, ' ') +
                             "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n\r\n");
  CHECK(answer.body == "ok");
  CHECK(message.sink.date_at == std::string_view("HTTP/1.1 200 OK\r\nDate: ").size());
  CHECK(ask("GET /typed").fields.ends_with("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n"));
  const test::Answer none = ask("GET /none");
  CHECK(none.fields.starts_with("HTTP/1.1 204 No Content\r\n"));
  CHECK(none.fields.ends_with(" \r\nX-A: b\r\n\r\n"));
  CHECK(none.body == "");
  CHECK(ask("GET /odd").fields.starts_with("HTTP/1.1 299 \r\nDate: "));
  CHECK(ask("GET /reset").fields.find("\r\nContent-Length: 0\r\n") != std::string::npos);
  CHECK(ask("GET /reset").body == "");
}

TEST_CASE_FIXTURE(test::AppFixture, "fixed: what a fixed reply cannot say is answered as a response") {
  app.get("/close", fixed(Response("bye").close()));
  app.get("/date", fixed(Response("x").header("Date", "yesterday")));
  const test::Answer closing = ask("GET /close");
  CHECK_FALSE(closing.fixed);
  CHECK(closing.close);
  CHECK(closing.body == "bye");
  const test::Answer dated = ask("GET /date");
  CHECK_FALSE(dated.date);
  CHECK(dated.fields == "Date: yesterday\r\n");
}

TEST_CASE("events: a type and an id are one line; what is not appends nothing") {
  std::string out;
  for (const std::string_view bad : {"a\nb", "a\rb"}) {
    CHECK(detail::append_event(out, {.data = "x", .event = bad}) != nullptr);
    CHECK(detail::append_event(out, {.data = "x", .id = bad}) != nullptr);
  }
  CHECK(detail::append_event(out, {.data = "x", .id = std::string_view("a\0b", 3)}) != nullptr);
  CHECK(out == "");
  CHECK(detail::append_event(out, {.data = "x\ny", .event = "e", .id = "7"}) == nullptr);
  CHECK(out == "event: e\nid: 7\ndata: x\ndata: y\n\n");
}
