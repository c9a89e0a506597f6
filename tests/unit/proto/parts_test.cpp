// Goal: request bodies in parts: every cut; what is held back, collected, left unread, faulty or late.
#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <string>

#include "tests/unit/proto/played_handler.hpp"

using namespace millrace;
using Fixture = test::PartsFixture;
using namespace millrace::test;

namespace {

struct SourceFixture : Fixture {
  struct Source final : proto::BodySource {
    Result<std::size_t> read(std::span<char> out) noexcept override {
      std::fill(out.begin(), out.end(), 's');
      return out.size();
    }
    void release() noexcept override { ++released; }
    int released = 0;
  } source;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "parts: every cut of a body gives its bytes, and the request behind it") {
  const std::string by_length = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world";
  const std::string in_chunks =
      "POST /%61 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n";
  for (const std::string& request : {by_length, in_chunks}) {
    const std::string input = request + get;
    for (std::size_t cut = 0; cut <= input.size(); ++cut) {
      CAPTURE(cut);
      wire.send(input.substr(0, cut));
      std::string body = handler.started.empty() ? "" : read(*handler.started.front());
      wire.send(input.substr(cut));
      REQUIRE(handler.started.size() == 2);
      proto::Exchange& x = *handler.started.front();
      REQUIRE(x.target.path == "/a");
      const bool ended = body.ends_with('$');
      if (!body.empty()) body.pop_back();
      if (!ended) body += read(x);
      REQUIRE((ended ? body + "$" : body) == "hello world$");
      REQUIRE(x.trailers == (request == in_chunks ? "X-Sum: 1\r\n" : ""));
      while (!handler.started.empty()) {
        proto::Exchange& done = *handler.started.front();
        done.sink->reply(done, {.body = "ok"});
        finish(done);
      }
      const std::string answer = wire.take();
      REQUIRE(answer.find("Connection: close") == std::string::npos);
      REQUIRE(wire.connection->input.block.data == nullptr);
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "parts: a body that nobody reads holds back its sender, and reading goes on") {
  wire.send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
  proto::Exchange& x = last();
  const std::string block(16 * 1024, 'u');
  std::size_t sent = 0;
  while (!wire.connection->hold_reading) {
    wire.send(block);
    sent += block.size();
    REQUIRE(sent <= 2 * options.upload_bytes_max);
  }
  CHECK(wire.wait(60 * ns_per_s) == "");  // Held, the client is not the one who is late.
  std::string got = read(x);
  CHECK(got == std::string(sent, 'u') + "~");
  CHECK_FALSE(bool(wire.connection->hold_reading));
  await(x, proto::Awaiting::body);
  wire.send("v");
  CHECK(wire.tasks.wakes == 1);
  CHECK(read(x) == "v~");
}

TEST_CASE_FIXTURE(Fixture, "parts: a collected body is whole, however it came") {
  wire.send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 200003\r\n\r\nabc");
  proto::Exchange& x = last();
  CHECK_FALSE(x.body_whole);
  REQUIRE(x.streams->collect(x) == Errc::need_more);
  await(x, proto::Awaiting::body);
  wire.send(std::string(100'000, 'x'));
  CHECK_FALSE(bool(wire.connection->hold_reading));
  CHECK(wire.tasks.wakes == 0);
  wire.send(std::string(100'000, 'y'));
  CHECK(wire.tasks.wakes == 1);
  REQUIRE(x.streams->collect(x) == Errc::ok);
  CHECK(x.body_whole);
  CHECK(x.body == "abc" + std::string(100'000, 'x') + std::string(100'000, 'y'));
  CHECK(read(x) == std::string(x.body) + "$");

  wire.close();
  wire.open();
  wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");  // It came at once.
  REQUIRE(last().streams->collect(last()) == Errc::ok);
  CHECK(last().body == "abc");
}

TEST_CASE_FIXTURE(Fixture, "parts: 100 (Continue) is sent when the handler asks for the body") {
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
  CHECK(wire.send(head) == "");
  CHECK(wire.wait(60 * ns_per_s) == "");  // The client waits for us.
  CHECK(read(last()) == "~");
  CHECK(wire.take() == "HTTP/1.1 100 Continue\r\n\r\n");
  wire.send("abc");
  CHECK(read(last()) == "abc$");
  last().sink->reply(last(), {.body = "ok"});
  finish(last());
  CHECK(has(wire.take(), "200 OK"));

  // Answered without it: the client is not asked, and what follows is not looked for.
  wire.send(head);
  last().sink->reply(last(), {.status = 403});
  finish(last());
  const std::string answer = wire.take();
  CHECK(answer.starts_with("HTTP/1.1 403"));
  CHECK(has(answer, "Connection: close\r\n"));
  CHECK(wire.finished);

  // Behind another reply it waits for its turn.
  wire.close();
  wire.open();
  wire.send(get + head);
  proto::Exchange& first = *handler.started[handler.started.size() - 2];
  CHECK(read(last()) == "~");
  CHECK(wire.take() == "");
  first.sink->reply(first, {.body = "first"});
  finish(first);
  CHECK(wire.take().ends_with("firstHTTP/1.1 100 Continue\r\n\r\n"));
}

TEST_CASE_FIXTURE(
    Fixture, "parts: a reply before the end of the body drops a short rest, and closes before a long one") {
  wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  last().sink->reply(last(), {.status = 403});
  finish(last());
  CHECK_FALSE(has(wire.take(), "Connection: close"));
  CHECK(wire.send("defghij") == "");
  CHECK(has(wire.send("GET /sync HTTP/1.1\r\nHost: a\r\n\r\n"), "sync"));

  wire.send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc");
  last().sink->reply(last(), {.status = 403});
  finish(last());
  CHECK(has(wire.take(), "Connection: close\r\n"));
  CHECK(wire.finished);
  CHECK(wire.send("GET /sync HTTP/1.1\r\nHost: a\r\n\r\n") == "");
}

TEST_CASE_FIXTURE(SourceFixture, "parts: a reply made before, with body or source, leaves the rest unread") {
  const std::string head =
      "HTTP/1.1 200 OK\r\nDate: " + std::string(http::date_bytes, '-') + "\r\nContent-Length: 5\r\n\r\n";
  const proto::FixedReply with_body{.head = head, .body = "fixed", .date_at = 23};
  for (const bool pulled : {false, true}) {
    CAPTURE(pulled);
    wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    if (pulled)
      last().sink->reply_source(last(), with_body, source, 5);
    else
      last().sink->reply_fixed(last(), with_body);
    finish(last());
    CHECK(wire.take().ends_with(pulled ? "\r\n\r\nsssss" : "\r\n\r\nfixed"));
    CHECK(wire.send("defghij") == "");
    CHECK(has(wire.send("GET /sync HTTP/1.1\r\nHost: a\r\n\r\n"), "sync"));
  }
  CHECK(source.released == 1);
}

TEST_CASE_FIXTURE(SourceFixture, "parts: a source for a client that has left is let go") {
  for (const bool fixed : {false, true}) {
    CAPTURE(fixed);
    source.released = 0;
    wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    wire.close();
    if (fixed)
      last().sink->reply_source(last(), {}, source, 5);
    else
      last().sink->reply(last(), {.source = &source, .source_bytes = 5});
    CHECK(source.released == 1);
    finish(last());
    wire.open();
  }
}

TEST_CASE_FIXTURE(Fixture, "parts: a faulty body is answered for the handler, which is cancelled") {
  struct Case {
    const char* name;
    std::string request, rest;
    unsigned status;
  };
  const std::string chunked = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Case cases[] = {
      {"bad chunk", chunked + "3\r\nabc\r\n", "zz\r\n", 400},
      {"too long", "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nabcdefgh\r\n",
       "8\r\nabcdefgh\r\n0\r\n\r\n", 413},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    wire.close();
    wire.open();
    CHECK(wire.send(c.request) == "");
    proto::Exchange& x = last();
    CHECK(wire.send(c.rest).starts_with("HTTP/1.1 " + std::to_string(c.status)));
    CHECK(x.scope.cancelled);
    CHECK(wire.finished);
    finish(x);
    // At once, the handler does not even start.
    wire.close();
    wire.open();
    CHECK(wire.send(c.request + c.rest).starts_with("HTTP/1.1 " + std::to_string(c.status)));
    CHECK(handler.started.empty());
    CHECK(wire.finished);
  }
  wire.close();
  wire.open();
  CHECK(
      wire.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n").starts_with("HTTP/1.1 413"));
  CHECK(handler.started.empty());
}

TEST_CASE_FIXTURE(
    Fixture, "parts: a body that does not come times out; one whose client ends cancels its handler alone") {
  wire.send(std::string(get) + "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  proto::Exchange& first = *handler.started[0];
  proto::Exchange& second = *handler.started[1];
  SUBCASE("timeout") {
    CHECK(wire.wait(31 * ns_per_s) == "");
    CHECK(second.scope.cancelled);
    CHECK_FALSE(first.scope.cancelled);
    finish(second);
    first.sink->reply(first, {.body = "first"});
    finish(first);
    const std::string answer = wire.take();
    CHECK(answer.find("first") < answer.find("HTTP/1.1 408"));
  }
  SUBCASE("end") {
    CHECK(wire.end() == "HTTP/1.1 ");  // What is sent ahead, to learn whether anybody is there.
    CHECK(second.scope.cancelled);
    CHECK_FALSE(first.scope.cancelled);
    finish(second);
    first.sink->reply(first, {.body = "first"});
    finish(first);
    CHECK(has(wire.take(), "first"));
  }
  CHECK(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "parts: an echo streams both ways at once") {
  std::string answer = wire.send("POST /large HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  proto::Exchange& x = last();
  begin(x);
  std::string wanted;
  for (int i = 0; i < 50; ++i) {
    const std::string part(1000, static_cast<char>('a' + i % 26));
    answer += wire.send("3e8\r\n" + part + "\r\n");
    std::string got = read(x);
    REQUIRE(got == part + "~");
    got.pop_back();
    REQUIRE(write(x, got));
    wanted += part;
  }
  answer += wire.send("0\r\n\r\n");
  CHECK(read(x) == "$");
  end(x);
  answer += wire.take();
  CHECK(dechunk(body_of(answer)) == wanted);
  CHECK_FALSE(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "parts: an echo on a connection that closes still reads all of its body") {
  const std::string head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n";
  SUBCASE("the client closes") { wire.send(head + "Connection: close\r\n\r\nabc"); }
  SUBCASE("the server drains before the reply begins") {
    wire.send(head + "\r\nabc");
    wire.http.on_drain(*wire.connection);
  }
  proto::Exchange& x = last();
  begin(x, 6);
  CHECK(has(wire.take(), "Connection: close\r\n"));
  CHECK(read(x) == "abc~");
  wire.send("def" + std::string(get));
  CHECK(handler.started.size() == 1);  // Nothing behind it is begun.
  CHECK(read(x) == "def$");
  CHECK(write(x, "abcdef"));
  end(x);
  CHECK(wire.take() == "abcdef");
  CHECK(wire.finished);
}

TEST_CASE_FIXTURE(Fixture,
                  "parts: a body that was held, and whose client has ended, cancels whoever reads on") {
  h1::Options narrow;
  narrow.upload_bytes_max = 10;
  test::MemoryWire held(narrow, handler);
  held.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + std::string(20, 'x'));
  held.send(std::string(30, 'x'));
  REQUIRE(bool{held.connection->hold_reading});
  held.end();
  proto::Exchange& x = last();
  CHECK_FALSE(x.scope.cancelled);
  SUBCASE("whole") { CHECK(x.streams->collect(x) == Errc::need_more); }
  SUBCASE("in parts") { CHECK(read(x).starts_with(std::string(50, 'x'))); }
  CHECK(x.scope.cancelled);
  finish(x);
  CHECK(held.http.exchanges_live() == 0);
}

TEST_CASE_FIXTURE(Fixture, "stream: what was held is read on behind one whose end sends nothing") {
  h1::Options narrow;
  narrow.pipeline_max = 1;
  test::MemoryWire held(narrow, handler);
  held.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(get));
  REQUIRE(handler.started.size() == 1);
  begin(last());
  CHECK(has(held.take(), "200 OK"));
  CHECK(handler.started.size() == 1);
  proto::Exchange& head = last();
  head.streams->end(head);
  CHECK(handler.started.size() == 2);
  head.sink->finished(head);
  std::erase(handler.started, &head);
  last().sink->reply(last(), {.body = "second"});
  finish(last());
  CHECK(has(held.take(), "second"));
}

TEST_CASE_FIXTURE(Fixture, "parts: a drain lets a body and its reply end, then closes") {
  wire.send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
  wire.http.on_drain(*wire.connection);
  CHECK_FALSE(wire.finished);
  wire.send("def" + std::string(get));
  CHECK(handler.started.size() == 1);  // Nothing behind it is begun.
  CHECK(read(last()) == "abcdef$");
  last().sink->reply(last(), {.body = "ok"});
  finish(last());
  CHECK(has(wire.take(), "Connection: close\r\n"));
  CHECK(wire.finished);
}
