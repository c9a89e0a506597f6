// traced.hpp: an application whose middleware leaves a trace: 'a' on the way in, 'A' on the way out.
#pragma once

#include <doctest/doctest.h>
#include <millrace/millrace.hpp>

#include <chrono>
#include <string>
#include <string_view>

#include "tests/unit/serve/app_fixture.hpp"

namespace millrace::test {

/// Notes that it was there, before and behind.
struct Mark {
  std::string& trace;
  char name;
  void before(Request&) const { trace += name; }
  void after(Request&, Reply&) const { trace += static_cast<char>(name - 'a' + 'A'); }
};

/// The same as a coroutine, which waits on both ways.
struct SlowMark {
  std::string& trace;
  char name;
  Task<Response> operator()(Request&, Next next) const {
    trace += name;
    co_await yield();
    Response response = co_await next();
    co_await yield();
    trace += static_cast<char>(name - 'a' + 'A');
    co_return response;
  }
};

struct Traced : AppFixture {
  std::string trace;
  auto mark(char name) { return Mark{trace, name}; }
  auto slow(char name) { return SlowMark{trace, name}; }
  auto handler() {
    return [this] {
      trace += '-';
      return "body";
    };
  }
  auto task() {
    return [this]() -> Task<std::string> {
      co_await sleep(std::chrono::milliseconds(1));
      trace += '-';
      co_return "body";
    };
  }
  /// Lets coroutines run to their end.
  Answer wait(std::string_view line, std::string_view more = "\r\n") {
    RequestText message(std::string(line) + " HTTP/1.1\r\nHost: a\r\n" + std::string(more));
    run(message);
    for (int i = 0; i < 20; ++i) core.turn(ns_per_ms);
    CHECK(message.sink.answer.replies == 1);
    CHECK(message.exchange.sink == &message.sink);
    CHECK(message.sink.answer.finishes == (message.exchange.asynchronous ? 1 : 0));
    return message.sink.answer;
  }
};

}  // namespace millrace::test
