// Goal: replies in parts: framing by version, method and status; order among pipelined replies; backpressure;
// what ends before its end.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/unit/proto/played_handler.hpp"

using namespace millrace;
using Fixture = test::PartsFixture;
using State = proto::BodyPart::State;
using namespace millrace::test;

TEST_CASE_FIXTURE(Fixture, "stream: of unknown length it is chunked, and each part leaves as it is written") {
  CHECK(wire.send(get).empty());
  proto::Exchange& x = last();
  begin(x);
  const std::string head = wire.take();
  CHECK(has(head, "Transfer-Encoding: chunked\r\n"));
  CHECK_FALSE(has(head, "Content-Length"));
  CHECK(write(x, "hello"));
  CHECK(wire.take() == "5\r\nhello\r\n");
  CHECK(write(x, ""));  // A chunk of nothing would end the body.
  CHECK(wire.take() == "");
  CHECK(write(x, std::string(16, 'x')));
  CHECK(wire.take() == "10\r\n" + std::string(16, 'x') + "\r\n");
  end(x);
  CHECK(wire.take() == "0\r\n\r\n");
  CHECK_FALSE(wire.finished);
  wire.send(get);  // The connection goes on.
  last().sink->reply(last(), {.body = "next"});
  finish(last());
  CHECK(has(wire.take(), "next"));
}

TEST_CASE_FIXTURE(Fixture, "stream: a declared length is kept, and no byte more is taken") {
  wire.send(get);
  proto::Exchange& x = last();
  begin(x, 6);
  CHECK(write(x, "abc"));
  x.unsent = "defg";
  CHECK_FALSE(x.streams->push(x));
  CHECK(write(x, "def"));
  end(x);
  const std::string answer = wire.take();
  CHECK(has(answer, "Content-Length: 6\r\n"));
  CHECK(body_of(answer) == "abcdef");
  CHECK_FALSE(wire.aborted);
}

TEST_CASE_FIXTURE(Fixture, "stream: less than was declared cuts the connection") {
  wire.send(get);
  proto::Exchange& x = last();
  begin(x, 6);
  CHECK(write(x, "abc"));
  end(x);
  CHECK(wire.aborted);
}

TEST_CASE_FIXTURE(Fixture, "stream: a cut one leaves no last chunk") {
  wire.send(get);
  proto::Exchange& x = last();
  begin(x);
  CHECK(write(x, "abc"));
  x.streams->cut(x);
  finish(x);
  CHECK(wire.aborted);
  CHECK_FALSE(has(wire.take(), "0\r\n\r\n"));
}

TEST_CASE_FIXTURE(Fixture, "stream: to HTTP/1.0 it ends with the connection, unless its length is known") {
  wire.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  begin(last());
  CHECK(write(last(), "abc"));
  end(last());
  std::string answer = wire.take();
  CHECK_FALSE(has(answer, "Transfer-Encoding"));
  CHECK(has(answer, "Connection: close\r\n"));
  CHECK(body_of(answer) == "abc");
  CHECK(wire.finished);

  wire.close();
  wire.open();
  wire.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  begin(last(), 3);
  CHECK(write(last(), "abc"));
  end(last());
  answer = wire.take();
  CHECK(has(answer, "Connection: keep-alive\r\n"));
  CHECK(body_of(answer) == "abc");
  CHECK_FALSE(wire.finished);
}

TEST_CASE_FIXTURE(Fixture, "stream: HEAD, 204 and 304 have the head alone") {
  wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  begin(last());
  CHECK_FALSE(write(last(), "abc"));  // It waits for its next turn: see Protocol::push().
  CHECK(last().streams->trailer(last(), "X-Sum: 1\r\n"));
  end(last());
  std::string answer = wire.take();
  CHECK(has(answer, "Transfer-Encoding: chunked\r\n"));
  CHECK(body_of(answer) == "");

  wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  begin(last(), 7);  // Nothing of it has to be written.
  end(last());
  CHECK(has(wire.take(), "Content-Length: 7\r\n"));

  for (const std::uint16_t status : {std::uint16_t{204}, std::uint16_t{304}}) {
    wire.send(get);
    last().streams->begin(last(), {.status = status, .source_bytes = proto::length_unknown});
    CHECK_FALSE(write(last(), "abc"));
    end(last());
    answer = wire.take();
    CHECK_FALSE(has(answer, "Transfer-Encoding"));
    CHECK(body_of(answer) == "");
  }
  CHECK_FALSE(wire.aborted);
}

TEST_CASE_FIXTURE(Fixture, "stream: a 205 has a length of 0, whatever is written or declared") {
  for (const char* version : {"1.1", "1.0"}) {
    for (const std::uint64_t declared : {proto::length_unknown, std::uint64_t{6}}) {
      wire.send(std::string("GET / HTTP/") + version + "\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
      last().streams->begin(last(), {.status = 205, .source_bytes = declared});
      CHECK_FALSE(write(last(), "abc"));
      CHECK_FALSE(last().streams->trailer(last(), "X-Sum: 1\r\n"));
      end(last());
      const std::string answer = wire.take();
      CHECK(has(answer, "Content-Length: 0\r\n"));
      CHECK_FALSE(has(answer, "Transfer-Encoding"));
      CHECK_FALSE(has(answer, "Connection: close"));
      CHECK(body_of(answer) == "");
    }
  }
  wire.send(get);  // The connection goes on.
  last().sink->reply(last(), {.body = "next"});
  finish(last());
  CHECK(has(wire.take(), "next"));
  CHECK_FALSE(wire.aborted);
}

TEST_CASE_FIXTURE(Fixture, "stream: trailers stand behind the last chunk, and only there") {
  wire.send(get);
  begin(last());
  CHECK(write(last(), "abc"));
  CHECK(last().streams->trailer(last(), "X-Sum: 1\r\n"));
  CHECK(last().streams->trailer(last(), "X-Time: 2\r\n"));
  end(last());
  std::string trailers;
  CHECK(dechunk(body_of(wire.take()), &trailers) == "abc");
  CHECK(trailers == "X-Sum: 1\r\nX-Time: 2\r\n");

  wire.send(get);
  begin(last(), 3);
  CHECK(write(last(), "abc"));
  CHECK_FALSE(last().streams->trailer(last(), "X-Sum: 1\r\n"));
  end(last());
  CHECK(body_of(wire.take()) == "abc");
}

TEST_CASE_FIXTURE(Fixture, "stream: among pipelined replies it keeps the order, and holds little ahead") {
  CHECK(wire.send(std::string(get) + get + "GET /sync HTTP/1.1\r\nHost: a\r\n\r\n").empty());
  proto::Exchange& first = *handler.started[0];
  proto::Exchange& second = *handler.started[1];
  begin(second);
  const std::string large(h1::Protocol::stream_ahead_bytes, 'b');
  CHECK(write(second, large));
  CHECK_FALSE(write(second, large));  // Past the bound: none of it is taken.
  CHECK(second.unsent.size() == large.size());
  CHECK(wire.take() == "");
  first.sink->reply(first, {.body = "first"});
  finish(first);
  CHECK(wire.tasks.wakes == 1);
  std::string answer = wire.take();
  CHECK(answer.find("first") < answer.find("Transfer-Encoding"));
  CHECK_FALSE(has(answer, "sync"));
  end(second);
  answer += wire.take();
  const std::size_t body = answer.find("\r\n\r\n", answer.find("Transfer-Encoding")) + 4;
  const std::size_t next = answer.find("HTTP/1.1", body);
  CHECK(dechunk(answer.substr(body, next - body)) == large + large);
  CHECK(answer.ends_with("sync"));
}

TEST_CASE_FIXTURE(Fixture, "stream: a slow client suspends the writer, and room wakes it") {
  wire.send(get);
  proto::Exchange& x = last();
  begin(x);
  const std::string large(1u << 20, 'x');
  REQUIRE_FALSE(write(x, large));
  const std::size_t held = wire.connection->output.bytes();
  CHECK(held <= options.output_bytes_max + net::Chain::largest_room);
  CHECK(wire.pool.bytes_used() < 2 * options.output_bytes_max);
  std::string answer = wire.take(100'000);
  CHECK(wire.tasks.wakes == 0);
  answer += wire.take();
  CHECK(wire.tasks.wakes == 1);
  end(x);
  answer += wire.take();
  CHECK(dechunk(body_of(answer)) == large);
}

TEST_CASE_FIXTURE(Fixture,
                  "stream: when the client leaves, writing does nothing and the coroutine is cancelled") {
  wire.send(get);
  proto::Exchange& x = last();
  begin(x);
  REQUIRE_FALSE(write(x, std::string(1u << 20, 'x')));
  wire.close();
  CHECK(x.scope.cancelled);
  CHECK(wire.http.counters().exchanges_cancelled == 1);
  x.scope.waiter = nullptr;
  CHECK(write(x, "abc"));
  CHECK(x.streams->next(x).state == State::end);
  end(x);
  wire.open();
}

TEST_CASE_FIXTURE(Fixture, "stream: a silent one sends its idle text, at its turn and in a chunk") {
  wire.send(get);
  proto::Exchange& x = last();
  x.idle_text = ":\n\n";
  x.idle_ns = 15 * ns_per_s;
  begin(x);
  static_cast<void>(wire.take());
  CHECK(wire.wait(14 * ns_per_s) == "");
  CHECK(wire.wait(2 * ns_per_s) == "3\r\n:\n\n\r\n");
  CHECK(wire.wait(16 * ns_per_s) == "3\r\n:\n\n\r\n");
  CHECK(wire.wait(10 * ns_per_s) == "");
  CHECK(write(x, "data"));  // The silence starts anew.
  static_cast<void>(wire.take());
  CHECK(wire.wait(10 * ns_per_s) == "");
  CHECK(wire.wait(6 * ns_per_s) == "3\r\n:\n\n\r\n");
  CHECK(wire.http.counters().timeouts == 0);
  end(x);
}

TEST_CASE_FIXTURE(Fixture, "stream: a source of unknown length is sent in chunks") {
  struct Numbers final : proto::BodySource {
    Result<std::size_t> read(std::span<char> out) noexcept override {
      if (left == 0 && at == 3) return std::size_t{0};
      if (left == 0) left = at++ == 1 ? 20'000 : 7;  // Short, and with digits of every number.
      const std::size_t size = std::min(left, out.size());
      std::fill_n(out.begin(), size, static_cast<char>('a' + at));
      left -= size;
      return size;
    }
    void release() noexcept override { ++released; }
    int at = 0, released = 0;
    std::size_t left = 0;
  };
  Numbers numbers, dropped;
  wire.send(get);
  last().sink->reply(last(), {.source = &numbers, .source_bytes = proto::length_unknown});
  finish(last());
  const std::string answer = wire.take();
  CHECK(has(answer, "Transfer-Encoding: chunked"));
  CHECK(dechunk(body_of(answer)) == std::string(7, 'b') + std::string(20'000, 'c') + std::string(7, 'd'));
  CHECK(numbers.released == 1);

  wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  last().sink->reply(last(), {.source = &dropped, .source_bytes = proto::length_unknown});
  finish(last());
  CHECK(body_of(wire.take()) == "");
  CHECK((dropped.released == 1 && dropped.at == 0));
}

TEST_CASE_FIXTURE(Fixture, "stream: many short sources of unknown length share their blocks") {
  struct Short final : proto::BodySource {
    Result<std::size_t> read(std::span<char> out) noexcept override {
      const std::size_t size = std::min(left, out.size());
      std::fill_n(out.begin(), size, 's');
      left -= size;
      return size;
    }
    void release() noexcept override {}
    std::size_t left = 1000;
  };
  constexpr std::size_t count = 24;
  Short sources[count];
  std::string requests;
  for (std::size_t i = 0; i < count; ++i) requests += get;
  CHECK(wire.send(requests).empty());
  REQUIRE(handler.started.size() == count);
  const std::uint64_t before = wire.pool.bytes_used();
  for (Short& source : sources) {
    proto::Exchange& x = *handler.started.front();
    x.sink->reply(x, {.source = &source, .source_bytes = proto::length_unknown});
    finish(x);
  }
  CHECK(wire.connection->output.bytes() >= count * 1000);
  CHECK(wire.pool.bytes_used() <= before + 3 * net::Chain::largest_block_bytes);
  const std::string answers = wire.take();
  CHECK(std::count(answers.begin(), answers.end(), 's') >= static_cast<std::ptrdiff_t>(count * 1000));
}
