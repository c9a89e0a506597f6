// Goal: bodies in parts, both ways: framing by version, method and status; order among pipelined replies;
// backpressure; what ends before its end. Method: a session in memory, and a handler that the test plays.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/http/chunked.hpp"
#include "tests/support/memory_wire.hpp"

using namespace millrace;

namespace {

using State = proto::BodyPart::State;

/// Starts every request as a coroutine that reads in parts; the test does what the coroutine would.
class PlayedHandler final : public proto::RequestHandler {
 public:
  void route(proto::Exchange& exchange) noexcept override {
    const bool known = exchange.target.path != "/missing";
    exchange.route = known ? this : nullptr;
    exchange.asynchronous = known && exchange.target.path != "/sync";
    exchange.reads_parts = exchange.asynchronous;
    if (exchange.target.path.starts_with("/large")) exchange.body_bytes_max = 1u << 20;
    if (exchange.target.path.starts_with("/small")) exchange.body_bytes_max = 10;
  }
  void start(proto::Exchange& exchange) noexcept override {
    if (exchange.route == nullptr) return exchange.sink->reply(exchange, {.status = 404});
    if (!exchange.asynchronous) return exchange.sink->reply(exchange, {.body = "sync"});
    started.push_back(&exchange);
  }
  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    exchange.sink->reply(exchange, {.status = error.status});
  }
  std::vector<proto::Exchange*> started;
};

struct Fixture {
  h1::Options options;
  PlayedHandler handler;
  test::MemoryWire wire{options, handler};
  detail::Waiter waiter;

  proto::Exchange& last() { return *handler.started.back(); }

  void begin(proto::Exchange& x, std::uint64_t length = proto::length_unknown) {
    x.streams->begin(x, {.content_type = "text/plain", .source_bytes = length});
  }
  /// False where the writer would have to wait.
  bool write(proto::Exchange& x, std::string_view bytes) {
    x.unsent = bytes;
    REQUIRE(x.streams->push(x));
    if (x.unsent.empty()) return true;
    await(x, proto::Awaiting::room);
    return false;
  }
  void await(proto::Exchange& x, proto::Awaiting what) {
    waiter.scope = &x.scope;
    x.scope.waiter = &waiter;
    x.awaiting = what;
  }
  void finish(proto::Exchange& x) {
    x.sink->finished(x);
    std::erase(handler.started, &x);
  }
  void end(proto::Exchange& x) {
    x.streams->end(x);
    finish(x);
  }
  /// Every part that is there; "$" at the end of the body, "~" where one must wait.
  std::string read(proto::Exchange& x) {
    std::string all;
    for (;;) {
      const proto::BodyPart part = x.streams->next(x);
      if (part.state == State::end) return all + "$";
      if (part.state == State::wait) return all + "~";
      REQUIRE_FALSE(part.bytes.empty());
      all += part.bytes;
    }
  }
  ~Fixture() {
    wire.close();
    while (!handler.started.empty()) finish(*handler.started.back());
    CHECK(wire.http.exchanges_live() == 0);
    CHECK(wire.pool.bytes_used() == 0);
  }
};

constexpr const char* get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

/// Of whole chunks; the trailers behind them in `trailers`.
std::string dechunk(std::string wire, std::string* trailers = nullptr) {
  http::ChunkedState state;
  http::ChunkLimits limits;
  limits.body_bytes_max = 1u << 30;
  std::string kept(limits.trailer_bytes_max, '\0');
  std::size_t kept_bytes = 0;
  const auto got =
      http::decode_chunked(state, limits, wire.data(), wire.size(), wire.data(), kept.data(), &kept_bytes);
  REQUIRE(got);
  REQUIRE(got.value().done);
  REQUIRE(got.value().consumed_bytes == wire.size());
  if (trailers != nullptr) *trailers = kept.substr(0, kept_bytes);
  return wire.substr(0, got.value().written_bytes);
}

}  // namespace

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
  CHECK(write(last(), "abc"));
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
    CHECK(write(last(), "abc"));
    end(last());
    answer = wire.take();
    CHECK_FALSE(has(answer, "Transfer-Encoding"));
    CHECK(body_of(answer) == "");
  }
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
      if (at == 3) return std::size_t{0};
      const std::size_t size = at++ == 1 ? 5000 : 7;  // Short, and with digits of every number.
      std::fill_n(out.begin(), size, static_cast<char>('a' + at));
      return size;
    }
    void release() noexcept override { ++released; }
    int at = 0, released = 0;
  };
  Numbers numbers, dropped;
  wire.send(get);
  last().sink->reply(last(), {.source = &numbers, .source_bytes = proto::length_unknown});
  finish(last());
  const std::string answer = wire.take();
  CHECK(has(answer, "Transfer-Encoding: chunked"));
  CHECK(dechunk(body_of(answer)) == std::string(7, 'b') + std::string(5000, 'c') + std::string(7, 'd'));
  CHECK(numbers.released == 1);

  wire.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  last().sink->reply(last(), {.source = &dropped, .source_bytes = proto::length_unknown});
  finish(last());
  CHECK(body_of(wire.take()) == "");
  CHECK((dropped.released == 1 && dropped.at == 0));
}

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
