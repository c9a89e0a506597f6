// Goal: every rule of a session: order, bodies, closing, deadlines, limits. Method: a session in memory,
// and each input also cut at every byte, because a receive may end anywhere.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/memory_wire.hpp"
#include "tests/unit/proto/script_handler.hpp"

using namespace millrace;
using test::bodies_of;
using Bodies = std::vector<std::string>;

namespace {

constexpr const char* host = "Host: a\r\n\r\n";

std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\n" + host; }

struct Fixture {
  h1::Options options;
  test::ScriptHandler handler;
  test::MemoryWire wire{options, handler};
};

bool starts(const std::string& text, std::string_view with) { return text.starts_with(with); }

}  // namespace

TEST_CASE_FIXTURE(Fixture, "h1: pipelined requests are answered in order, in one piece") {
  CHECK(bodies_of(wire.send(get("/a") + get("/b") + get("/c"))) == Bodies{"/a", "/b", "/c"});
  CHECK_FALSE(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "h1: every cut of a pipeline gives the same replies") {
  const std::string input = get("/a") + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" +
                            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n3;x=1\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n" +
                            get("/%61%20b") + get("/z");
  const Bodies wanted{"/a", "hello", "abcdefg", "/a b", "/z"};
  for (std::size_t cut = 0; cut <= input.size(); ++cut) {
    CAPTURE(cut);
    REQUIRE(bodies_of(wire.send_cut(input, cut)) == wanted);
    REQUIRE(wire.connection->input.block.data == nullptr);  // An idle connection holds nothing.
  }
  wire.close();
  wire.open();
  std::string answer;
  for (char byte : input) answer += wire.send({&byte, 1});
  CHECK(bodies_of(answer) == wanted);
}

TEST_CASE_FIXTURE(Fixture, "h1: replies wait for the ones before them, whatever order handlers finish in") {
  std::string answer = wire.send(get("/later/1") + get("/a") + get("/later/2") + get("/b"));
  CHECK(answer.empty());
  CHECK(handler.started == 4);
  handler.answer("2");
  CHECK(wire.take().empty());
  handler.answer("1");
  CHECK(bodies_of(wire.take()) == Bodies{"/later/1", "/a", "/later/2", "/b"});
  CHECK(wire.http.exchanges_live() == 0);
}

TEST_CASE_FIXTURE(Fixture, "h1: a coroutine keeps its request when the bytes have gone") {
  std::string request =
      "POST /later/keep HTTP/1.1\r\nHost: a.example\r\nX-Note: kept\r\nContent-Length: 4\r\n\r\nbody";
  wire.send(request);
  REQUIRE(handler.waiting.size() == 1);
  proto::Exchange& exchange = *handler.waiting[0];
  CHECK(exchange.body == "body");
  CHECK(exchange.framing.host == "a.example");
  REQUIRE(exchange.head.field_count == 3);
  CHECK(exchange.head.value(exchange.head.fields[1]) == "kept");
  handler.answer("keep");
  CHECK(bodies_of(wire.take()) == Bodies{"/later/keep"});
}

TEST_CASE_FIXTURE(Fixture, "h1: nothing behind a refused request runs") {
  const std::string answer =
      wire.send(get("/a") + "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n" + get("/b"));
  CHECK(bodies_of(answer) == Bodies{"/a", "bad_content_length"});
  CHECK(answer.find("Connection: close") != std::string::npos);
  CHECK(handler.started == 1);
  CHECK(wire.finished);
  CHECK(wire.send(get("/c")).empty());
}

TEST_CASE_FIXTURE(Fixture, "h1: a head that cannot become valid is refused before its line ends") {
  struct Case {
    std::string first, second;
  };
  const std::string long_target(200, 'a');
  const Case cases[] = {
      {"GE", "("},
      {"GET ", "foo"},
      {"GET / HT", "XP"},
      {"\r\n\r", "G"},
      {get("/a") + "GE", "("},
      {"POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" + std::string(host), "hello("},
      {"GET /" + long_target, std::string(1, '\0') + long_target},
  };
  for (const Case& c : cases) {
    CAPTURE(c.first);
    wire.close();
    wire.open();
    CHECK_FALSE(wire.send(c.first).find(" 400 ") != std::string::npos);
    CHECK_FALSE(wire.finished);
    CHECK(wire.send(c.second).find(" 400 ") != std::string::npos);
    CHECK(wire.finished);
  }
}

TEST_CASE_FIXTURE(Fixture, "h1: a refusal waits its turn behind a slow reply") {
  CHECK(wire.send(get("/later/1") + "BAD\r\n\r\n").empty());
  CHECK_FALSE(wire.finished);
  handler.answer("1");
  const std::string answer = wire.take();
  CHECK(starts(answer, "HTTP/1.1 200"));
  CHECK(answer.find("HTTP/1.1 400") != std::string::npos);
  CHECK(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "h1: Connection: close ends it, by the request and by the handler") {
  CHECK(bodies_of(wire.send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + get("/b"))) ==
        Bodies{"/a"});
  CHECK(wire.finished);
  wire.close();
  wire.open();
  CHECK(bodies_of(wire.send(get("/close") + get("/b"))) == Bodies{"bye"});
  CHECK(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "h1: HTTP/1.0 closes, but for keep-alive") {
  CHECK(wire.send("GET /a HTTP/1.0\r\n\r\n").find("Connection: close") != std::string::npos);
  CHECK(wire.finished);
  wire.close();
  wire.open();
  const std::string answer = wire.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answer.find("Connection: keep-alive\r\n") != std::string::npos);
  CHECK_FALSE(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "h1: HEAD, 204 and 304 have no body, and 204 no Content-Length") {
  std::string answer = wire.send("HEAD /abc HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.find("Content-Length: 4\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
  answer = wire.send(get("/204"));
  CHECK(answer.find("Content-Length") == std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
  CHECK(wire.send(get("/304")).ends_with("\r\n\r\n"));
}

TEST_CASE_FIXTURE(Fixture, "h1: 100 (Continue) when the body is awaited, not when it is there") {
  const std::string head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  CHECK(wire.send(head) == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(bodies_of(wire.send("ok")) == Bodies{"ok"});
  CHECK(starts(wire.send(head + "ok"), "HTTP/1.1 200"));
}

TEST_CASE_FIXTURE(Fixture, "h1: 100 (Continue) comes behind the replies before it") {
  CHECK(wire.send(get("/later/1") +
                  "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            .empty());
  handler.answer("1");
  const std::string answer = wire.take();
  CHECK(starts(answer, "HTTP/1.1 200"));
  CHECK(answer.ends_with("HTTP/1.1 100 Continue\r\n\r\n"));
}

TEST_CASE_FIXTURE(Fixture, "h1: what is refused from its head gets no 100") {
  const std::string answer =
      wire.send("POST /missing HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  CHECK(starts(answer, "HTTP/1.1 404"));
  CHECK(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "h1: trailers arrive apart from the fields") {
  const std::string answer = wire.send(
      "POST /trailers HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: "
      "7\r\nContent-Length: 9\r\n\r\n");
  CHECK(bodies_of(answer) == Bodies{"X-Sum: 7\r\n"});
  CHECK(wire.pool.bytes_used() == 0);
}

TEST_CASE("h1: bodies over the limit are 413, by length and by chunks") {
  h1::Options options;
  options.body_bytes_max = 4;
  test::ScriptHandler handler;
  test::MemoryWire wire(options, handler);
  CHECK(starts(wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), "HTTP/1.1 413"));
  CHECK(wire.finished);
  wire.close();
  wire.open();
  CHECK(starts(wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                         "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
               "HTTP/1.1 413"));
  CHECK(handler.started == 0);
}

TEST_CASE_FIXTURE(Fixture, "h1: the end of the peer: whole requests are answered, parts are dropped") {
  CHECK(bodies_of(wire.send(get("/a"))) == Bodies{"/a"});
  CHECK(wire.end().empty());
  CHECK(wire.finished);
  wire.close();
  wire.open();
  wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
  CHECK(wire.end().empty());
  CHECK(wire.finished);
  CHECK(handler.started == 1);
  wire.close();
  wire.open();
  wire.send(get("/later/1"));
  std::string answer = wire.end();  // The first bytes of the reply go ahead, to find out who is left.
  CHECK(answer == "HTTP/1.1 ");
  CHECK_FALSE(wire.finished);
  handler.answer("1");
  answer += wire.take();
  CHECK(starts(answer, "HTTP/1.1 200 OK\r\nDate: "));
  CHECK(bodies_of(answer) == Bodies{"/later/1"});
  CHECK(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "h1: a faulty head that the peer's end cuts is refused, however it came") {
  // So long that not every byte had it judged again.
  const std::string bytes = "GET /" + std::string(134, 'a') + " HTz H";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    CAPTURE(cut);
    std::string answer = wire.send_cut(bytes, cut);
    answer += wire.end();
    CHECK(bodies_of(answer) == Bodies{"bad_version"});
    CHECK(wire.finished);
  }
  wire.close();
  wire.open();
  std::string answer;
  for (char byte : bytes) answer += wire.send({&byte, 1});
  answer += wire.end();
  CHECK(bodies_of(answer) == Bodies{"bad_version"});
}

TEST_CASE_FIXTURE(Fixture, "h1: a connection that is lost cancels its coroutines and leaks nothing") {
  wire.send(get("/later/1") + get("/a") + get("/later/2") +
            "POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx");
  wire.close();
  CHECK(wire.http.counters().exchanges_cancelled == 2);
  handler.end_cancelled();
  CHECK(wire.http.exchanges_live() == 0);
  CHECK(wire.pool.bytes_used() == 0);
}

TEST_CASE_FIXTURE(
    Fixture, "h1: deadlines: 408 for a cut head in total, 408 for a stalled body, a quiet end when idle") {
  wire.send("GET / HT");
  CHECK(wire.wait(options.header_ns / 2).empty());
  wire.send("TP/1.1\r\n");  // Does not move the deadline.
  CHECK(starts(wire.wait(options.header_ns / 2), "HTTP/1.1 408"));
  CHECK(wire.finished);
  wire.close();
  wire.open();
  wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
  wire.wait(options.body_idle_ns / 2);
  wire.send("x");  // Moves it.
  CHECK(wire.wait(options.body_idle_ns / 2).empty());
  CHECK(starts(wire.wait(options.body_idle_ns / 2), "HTTP/1.1 408"));
  wire.close();
  wire.open();
  wire.send(get("/a"));
  CHECK(wire.wait(options.keepalive_ns - 1).empty());
  CHECK_FALSE(wire.finished);
  CHECK(wire.wait(1).empty());
  CHECK(wire.finished);
}

TEST_CASE_FIXTURE(
    Fixture, "h1: a peer that takes a little now and then is waited for, one that takes nothing is not") {
  const TimeNs half = options.write_idle_ns / 2;
  wire.arrive(get("/a"));
  wire.unacknowledged = 1000;
  wire.stall(half);
  for (int i = 0; i < 10; ++i) {
    wire.unacknowledged -= 10;
    wire.stall(half);
    REQUIRE_FALSE(wire.aborted);
  }
  wire.stall(half - 1);
  CHECK_FALSE(wire.aborted);
  wire.stall(1);
  CHECK(wire.aborted);
  CHECK(wire.http.counters().timeouts == 1);

  wire.close();
  wire.open();
  wire.arrive(get("/a"));
  wire.stall(half);
  wire.stall(half - 1);
  CHECK_FALSE(wire.aborted);
  wire.stall(1);
  CHECK(wire.aborted);
}

TEST_CASE("h1: a peer that does not read stops being read, and goes on where it stopped") {
  h1::Options options;
  options.output_bytes_max = 1000;
  test::ScriptHandler handler;
  test::MemoryWire wire(options, handler);
  std::string input;
  for (int i = 0; i < 100; ++i) input += get("/n" + std::to_string(i));
  std::vector<char> buffer(input.begin(), input.end());
  buffer.resize(input.size() + mem::padding_bytes);
  wire.http.on_bytes(*wire.connection, buffer.data(), input.size());
  CHECK(bool(wire.connection->hold_reading));
  CHECK(handler.started < 20);
  const Bodies bodies = bodies_of(wire.take());
  REQUIRE(bodies.size() == 100);
  CHECK(bodies[99] == "/n99");
  CHECK_FALSE(bool(wire.connection->hold_reading));
}

TEST_CASE("h1: past the pipeline limit reading stops until replies have left") {
  h1::Options options;
  options.pipeline_max = 2;
  test::ScriptHandler handler;
  test::MemoryWire wire(options, handler);
  wire.send(get("/later/1") + get("/later/2") + get("/later/3"));
  CHECK(handler.waiting.size() == 2);
  CHECK(bool(wire.connection->hold_reading));
  handler.answer("1");
  CHECK(bodies_of(wire.take()) == Bodies{"/later/1"});
  CHECK(handler.waiting.size() == 2);
  handler.answer("3");
  handler.answer("2");
  CHECK(bodies_of(wire.take()) == Bodies{"/later/2", "/later/3"});
}

TEST_CASE_FIXTURE(Fixture, "h1: a body source is pulled as the output drains, in order with its neighbours") {
  std::vector<char> buffer;
  const std::string input = get("/a") + get("/source/1000000") + get("/b");
  buffer.assign(input.begin(), input.end());
  buffer.resize(input.size() + mem::padding_bytes);
  wire.http.on_bytes(*wire.connection, buffer.data(), input.size());
  CHECK(wire.connection->output.bytes() < 2 * options.output_bytes_max);
  const Bodies bodies = bodies_of(wire.take());
  REQUIRE(bodies.size() == 3);
  CHECK(bodies[0] == "/a");
  CHECK(bodies[1].size() == 1000000);
  CHECK(bodies[1][999999] == 'a' + 999999 % 26);
  CHECK(bodies[2] == "/b");
  CHECK(handler.sources_open == 0);
}

TEST_CASE_FIXTURE(Fixture, "h1: a body source that fails aborts, and HEAD does not read it") {
  CHECK(wire.send("HEAD /source/5 HTTP/1.1\r\nHost: a\r\n\r\n").find("Content-Length: 5\r\n") !=
        std::string::npos);
  CHECK(handler.sources_open == 0);
  handler.source_fails = true;
  wire.send(get("/source/5"));
  CHECK(wire.aborted);
  wire.close();
  CHECK(handler.sources_open == 0);
}

TEST_CASE_FIXTURE(Fixture, "h1: methods without a route and escapes that are refused keep the connection") {
  std::string answer = wire.send("BREW / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/%zz") + get("/a"));
  CHECK(bodies_of(answer) == Bodies{"missing", "bad_percent_encoding", "/a"});
  CHECK_FALSE(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "h1: a large reply spans blocks and arrives whole") {
  const std::string body(300'000, 'x');
  const std::string answer =
      wire.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body);
  CHECK(bodies_of(answer) == Bodies{body});
  CHECK(wire.pool.bytes_used() == 0);
}

TEST_CASE_FIXTURE(Fixture, "h1: draining closes with the next reply, and idle connections at once") {
  wire.send(get("/a"));
  wire.http.on_drain(*wire.connection);
  CHECK(wire.finished);
  wire.close();
  wire.open();
  wire.send(get("/later/1"));
  wire.http.on_drain(*wire.connection);
  CHECK_FALSE(wire.finished);
  handler.answer("1");
  CHECK(wire.take().find("Connection: close") != std::string::npos);
  CHECK(wire.finished);
}
