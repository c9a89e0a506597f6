// Goal: a request that asks for another protocol where there is no memory, no client any more, or no wish for it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/memory_wire.hpp"
#include "tests/unit/proto/script_handler.hpp"

using namespace millrace;

namespace {

struct Successor final : proto::Successor {
  void take_over(net::Connection&, void*) noexcept override { ++taken_over; }
  int taken_over = 0;
};

constexpr std::string_view upgrade =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/// Switches at once, as a WebSocket's coroutine does, or waits to be told.
struct SwitchingHandler final : proto::RequestHandler {
  void route(proto::Exchange& exchange) noexcept override {
    exchange.route = this;
    exchange.asynchronous = true;
  }
  bool may_switch(const proto::Exchange&) const noexcept override { return true; }
  void start(proto::Exchange& exchange) noexcept override {
    started = &exchange;
    if (at_once) switch_now();
  }
  void switch_now() noexcept {
    switched = started->streams->switch_protocols(*started, "", successor, nullptr);
  }
  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    exchange.sink->reply(exchange, {.status = error.status});
  }
  Successor successor;
  proto::Exchange* started = nullptr;
  bool at_once = true;
  bool switched = false;
};

/// Takes all of the pool but `left_bytes`.
std::vector<mem::Block> exhaust(mem::BlockPool& pool, std::uint64_t left_bytes) {
  std::vector<mem::Block> taken;
  for (std::size_t size = 1 << 20; size >= mem::BlockPool::smallest_bytes; size /= 2) {
    while (pool.bytes_used() + size + left_bytes <= pool.bytes_max()) taken.push_back(pool.take(size));
  }
  return taken;
}

struct Waiting {
  Waiting() { handler.at_once = false; }
  h1::Options options;
  SwitchingHandler handler;
  test::MemoryWire wire{options, handler};
};

}  // namespace

TEST_CASE("switching: without memory for what comes behind the request the connection is dropped") {
  const h1::Options options;
  SwitchingHandler handler;
  test::MemoryWire wire(options, handler);
  const std::vector<mem::Block> taken = exhaust(wire.pool, 12 * 1024);
  const std::string frames(16 * 1024, 'f');
  wire.send(std::string(upgrade) + frames);
  CHECK(handler.switched);
  CHECK(handler.successor.taken_over == 0);
  CHECK(wire.aborted);
  wire.close();
  REQUIRE(handler.started != nullptr);
  CHECK(handler.started->scope.cancelled);
  handler.started->sink->finished(*handler.started);
  CHECK(wire.http.exchanges_live() == 0);
  for (const mem::Block& block : taken) wire.pool.give(block);
  CHECK(wire.pool.bytes_used() == 0);
}

TEST_CASE_FIXTURE(Waiting, "switching: a connection whose client has left is handed to nobody") {
  CHECK(wire.send(upgrade) == "");
  wire.close();
  REQUIRE(handler.started != nullptr);
  handler.switch_now();
  CHECK(handler.switched);  // Its coroutine learns of it at its next co_await.
  CHECK(handler.successor.taken_over == 0);
  handler.started->sink->finished(*handler.started);
  CHECK(wire.http.exchanges_live() == 0);
}

TEST_CASE_FIXTURE(Waiting, "switching: a peer that has ended meanwhile gets its answer, and then the end") {
  wire.arrive(upgrade);
  wire.end();
  proto::Exchange* const first = handler.started;
  REQUIRE(first != nullptr);
  first->sink->reply(*first, {.status = 403});
  first->sink->finished(*first);
  CHECK(wire.take().find("403 Forbidden") != std::string::npos);
  CHECK(wire.finished);
  CHECK(wire.http.exchanges_live() == 0);
}

TEST_CASE("switching: a handler that knows no other protocol answers, and the next request is read") {
  const h1::Options options;
  test::ScriptHandler handler;
  test::MemoryWire wire(options, handler);
  CHECK(wire.send("GET /later/1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                  "GET /next HTTP/1.1\r\nHost: a\r\n\r\n") == "");
  CHECK(handler.started == 2);
  handler.answer("1");
  CHECK(test::bodies_of(wire.take()) == std::vector<std::string>{"/later/1", "/next"});
}

TEST_CASE_FIXTURE(Waiting,
                  "switching: what came behind a request that was answered in HTTP is the next request") {
  wire.arrive(upgrade);
  proto::Exchange* const first = handler.started;
  REQUIRE(first != nullptr);
  wire.arrive("GET /behind HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(handler.started == first);  // It may be the other protocol's.
  CHECK(bool{wire.connection->hold_reading});
  first->sink->reply(*first, {.status = 403});
  first->sink->finished(*first);
  REQUIRE(handler.started != first);
  CHECK(handler.started->target.path == "/behind");
  CHECK_FALSE(bool{wire.connection->hold_reading});
  handler.started->sink->reply(*handler.started, {.status = 204});
  handler.started->sink->finished(*handler.started);
  const std::string answers = wire.take();
  CHECK(answers.find("403 Forbidden") < answers.find("204 No Content"));
  CHECK(answers.find("204 No Content") != std::string::npos);
}
