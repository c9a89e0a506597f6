// Goal: a request that switches protocols while memory runs out ends its connection, and nothing else.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/memory_wire.hpp"

using namespace millrace;

namespace {

struct Successor final : proto::Successor {
  void take_over(net::Connection&, void*) noexcept override { ++taken_over; }
  int taken_over = 0;
};

/// Switches at once, as a WebSocket's coroutine does.
struct SwitchingHandler final : proto::RequestHandler {
  void route(proto::Exchange& exchange) noexcept override {
    exchange.route = this;
    exchange.asynchronous = true;
  }
  bool may_switch(const proto::Exchange&) const noexcept override { return true; }
  void start(proto::Exchange& exchange) noexcept override {
    started = &exchange;
    switched = exchange.streams->switch_protocols(exchange, "", successor, nullptr);
  }
  void refuse(proto::Exchange& exchange, Error error) noexcept override {
    exchange.sink->reply(exchange, {.status = error.status});
  }
  Successor successor;
  proto::Exchange* started = nullptr;
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

}  // namespace

TEST_CASE("switching: without memory for what comes behind the request the connection is dropped") {
  const h1::Options options;
  SwitchingHandler handler;
  test::MemoryWire wire(options, handler);
  const std::vector<mem::Block> taken = exhaust(wire.pool, 12 * 1024);
  const std::string frames(16 * 1024, 'f');
  wire.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + frames);
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
