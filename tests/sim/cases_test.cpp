// Goal: what once went wrong in a core, or would if two of its parts met in one turn, each written out by
// hand. Method: one core on a simulated network without faults, whose clock the test moves.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "engine/io/sim/world.hpp"
#include "engine/serve/core.hpp"
#include "tests/sim/sim_handler.hpp"

namespace mr::test {
namespace {

using io::sim::Client;

serve::CoreOptions small_options() {
  serve::CoreOptions options;
  options.http.isa = http::Isa::scalar;
  options.http.wall_clock = []() noexcept { return TimeNs{1'700'000'000} * ns_per_s; };
  options.connections_max = 64;
  options.memory_bytes_max = 16u << 20;
  return options;
}

std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: sim\r\n" + std::string(fields) + "\r\n";
}

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

struct OneCore {
  explicit OneCore(const serve::CoreOptions& options = small_options(), io::sim::FaultPlan plan = {})
      : world(7, plan, {.queue_entries = 64, .completion_entries = 256, .buffers = 8, .buffer_bytes = 2048}),
        core(options, world.backend(), handler),
        listener(world.listen()) {
    handler.scheduler = &core.scheduler();
    core.listen(listener);
  }
  ~OneCore() {
    if (!core.done()) core.request_stop(0);
    for (int i = 0; i < 10'000 && !core.done(); ++i) core.turn(world.now() + ns_per_s);
    CHECK(core.done());
    CHECK(world.clean());
    CHECK(core.pool().bytes_used() == 0);
    CHECK(handler.coroutines_live == 0);
    CHECK(handler.sources_live == 0);
  }

  void run(TimeNs duration) {
    const TimeNs until = world.now() + duration;
    std::uint64_t turns = 0;
    while (world.now() < until) {
      core.turn(until);
      REQUIRE(++turns < 100'000);
    }
  }
  Client connect(std::string_view bytes = {}) {
    Client client = world.connect(listener);
    if (!bytes.empty()) client.write(bytes);
    return client;
  }
  /// The next turn sees both what is on its way and that this much time has passed.
  void turn_after(TimeNs duration) {
    world.advance(duration);
    core.turn(world.now());
  }

  io::sim::World world;
  SimHandler handler;
  serve::Core core;
  io::Descriptor listener;
};

TEST_CASE("a client that ends in the turn of its keep-alive deadline is let go") {
  serve::CoreOptions options = small_options();
  options.http.keepalive_ns = 50 * ns_per_ms;
  OneCore one(options);
  Client client = one.connect();
  one.run(5 * ns_per_ms);
  client.half_close();
  one.turn_after(60 * ns_per_ms);
  one.run(10 * ns_per_ms);
  CHECK(client.eof());
  CHECK(one.core.connections() == 0);
}

TEST_CASE("a last send that completes in the turn of its deadline counts as in time") {
  serve::CoreOptions options = small_options();
  options.http.write_idle_ns = 50 * ns_per_ms;
  io::sim::FaultPlan plan;
  plan.send_buffer_bytes = 100;
  OneCore one(options, plan);
  Client client = one.connect(get("/n/text", "Connection: close\r\n"));
  client.set_reading(false);
  one.run(5 * ns_per_ms);
  client.set_reading(true);
  one.turn_after(60 * ns_per_ms);
  one.run(10 * ns_per_ms);
  CHECK(client.received().ends_with("/n/text"));
  CHECK_FALSE(client.was_reset());
}

TEST_CASE("a drain ends with the body under way, not with its grace") {
  io::sim::FaultPlan plan;
  plan.send_buffer_bytes = 4096;
  OneCore one(small_options(), plan);
  Client client = one.connect(get("/source/1000000"));
  client.set_reading(false);
  one.run(5 * ns_per_ms);
  one.core.request_stop(20 * ns_per_s);
  client.set_reading(true);
  one.run(3 * ns_per_s);
  CHECK(client.received().ends_with(letters(1'000'000)));
  CHECK(client.eof());
  CHECK_FALSE(client.was_reset());
  client.half_close();
  one.run(ns_per_ms);
  CHECK(one.core.done());
}

TEST_CASE("a drain keeps the replies of every request it has taken") {
  OneCore one;
  SUBCASE("the first is answered last") {
    Client client = one.connect(get("/later/50/a") + get("/n/b") + get("/later/20/c"));
    one.run(5 * ns_per_ms);
    one.core.request_stop(20 * ns_per_s);
    one.run(200 * ns_per_ms);
    CHECK(count(client.received(), "HTTP/1.1 200") == 3);
    CHECK(client.received().ends_with("/later/20/c"));
    CHECK(client.eof());
  }
  SUBCASE("the last is answered last, and says that it is the last") {
    Client client = one.connect(get("/later/20/a") + get("/n/b") + get("/later/50/c"));
    one.run(5 * ns_per_ms);
    one.core.request_stop(20 * ns_per_s);
    one.run(200 * ns_per_ms);
    CHECK(count(client.received(), "HTTP/1.1 200") == 3);
    CHECK(count(client.received(), "Connection: close") == 1);
    CHECK(client.eof());
  }
  SUBCASE("what comes after the drain is not begun") {
    Client client = one.connect(get("/later/50/a"));
    one.run(5 * ns_per_ms);
    one.core.request_stop(20 * ns_per_s);
    one.run(5 * ns_per_ms);
    client.write(get("/n/b"));
    one.run(200 * ns_per_ms);
    CHECK(one.handler.started == 1);
    CHECK(count(client.received(), "HTTP/1.1 200") == 1);
    CHECK(client.eof());
  }
  SUBCASE("a body that is on its way is waited for") {
    Client client = one.connect("POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 4\r\n\r\nbo");
    one.run(5 * ns_per_ms);
    one.core.request_stop(20 * ns_per_s);
    one.run(5 * ns_per_ms);
    client.write("dy");
    one.run(200 * ns_per_ms);
    CHECK(client.received().ends_with("body"));
    CHECK(client.eof());
  }
}

TEST_CASE("nothing behind a reply that closes is run, also where that reply must wait") {
  OneCore one;
  Client client = one.connect(get("/later/20/a") + get("/close/b") + get("/n/c"));
  one.run(100 * ns_per_ms);
  CHECK(one.handler.started == 2);
  CHECK(count(client.received(), "HTTP/1.1 200") == 2);
  CHECK(client.received().ends_with("/close/b"));
  CHECK(client.eof());
}

TEST_CASE("a grace without end lets a request take its time") {
  OneCore one;
  Client client = one.connect(get("/later/5000/a"));
  one.run(5 * ns_per_ms);
  one.core.request_stop(time_never);
  one.run(6 * ns_per_s);
  CHECK(client.received().ends_with("/later/5000/a"));
}

TEST_CASE("a later stop shortens the grace, and cannot lengthen it") {
  OneCore one;
  Client client = one.connect(get("/later/5000/a"));
  one.run(5 * ns_per_ms);
  one.core.request_stop(ns_per_s);
  one.run(5 * ns_per_ms);
  one.core.request_stop(10 * ns_per_s);
  one.run(5 * ns_per_ms);
  CHECK(one.handler.coroutines_live == 1);
  SUBCASE("shorter") { one.core.request_stop(0); }
  SUBCASE("the first") { one.run(ns_per_s); }
  one.run(5 * ns_per_ms);
  CHECK(one.handler.coroutines_live == 0);
  CHECK(one.core.done());
  CHECK(client.received().empty());
}

TEST_CASE("a coroutine is cancelled when its client has gone") {
  OneCore one;
  Client client = one.connect(get("/later/5000/a"));
  one.run(5 * ns_per_ms);
  REQUIRE(one.handler.coroutines_live == 1);
  SUBCASE("reset") { client.reset(); }
  SUBCASE("closed: the first bytes of the reply find it out") { client.close(); }
  SUBCASE("half closed first, then reset") {
    client.half_close();
    one.run(5 * ns_per_ms);
    CHECK(one.handler.coroutines_live == 1);
    client.reset();
  }
  SUBCASE("half closed, and the watch for its reset was ended by the kernel") {
    one.world.plan().hangup_end = 1000;
    client.half_close();
    for (int i = 0; i < 5; ++i) one.core.turn(one.world.now() + ns_per_ms);
    one.world.plan().hangup_end = 0;
    CHECK(one.world.faults().hangup_ends > 0);
    one.run(5 * ns_per_ms);
    client.reset();
  }
  one.run(20 * ns_per_ms);
  CHECK(one.handler.coroutines_live == 0);
  CHECK(one.core.connections() == 0);
  CHECK(one.core.counters().cancelled == 1);
}

TEST_CASE("a coroutine is cancelled when its client resets while no more is read of it") {
  serve::CoreOptions options = small_options();
  options.http.pipeline_max = 1;
  OneCore one(options);
  Client client = one.connect(get("/later/5000/a") + get("/n/b"));
  one.run(5 * ns_per_ms);
  client.reset();
  one.run(20 * ns_per_ms);
  CHECK(one.handler.coroutines_live == 0);
  CHECK(one.core.connections() == 0);
}

TEST_CASE("a client that half closes gets its answer") {
  OneCore one;
  Client client = one.connect(get("/later/50/a") + get("/n/b"));
  one.run(5 * ns_per_ms);
  client.half_close();
  one.run(100 * ns_per_ms);
  CHECK(count(client.received(), "HTTP/1.1 200") == 2);
  CHECK(client.received().ends_with("/n/b"));
  CHECK(client.eof());
}

TEST_CASE("who stalls is told, or dropped, in time") {
  serve::CoreOptions options = small_options();
  options.http.header_ns = 100 * ns_per_ms;
  options.http.body_idle_ns = 200 * ns_per_ms;
  options.http.write_idle_ns = 300 * ns_per_ms;
  options.http.keepalive_ns = 400 * ns_per_ms;
  options.linger_ns = 50 * ns_per_ms;
  io::sim::FaultPlan plan;
  plan.send_buffer_bytes = 512;
  OneCore one(options, plan);
  SUBCASE("inside a head: a byte now and then does not help") {
    Client client = one.connect("GET / HTT");
    for (const char* rest = "P/1.1\r\nHost: sim\r\n"; *rest != '\0' && !client.ended(); ++rest) {
      one.run(10 * ns_per_ms);
      client.write({rest, 1});
    }
    CHECK(client.received().starts_with("HTTP/1.1 408"));
    CHECK(client.eof());
  }
  SUBCASE("inside a body: a byte now and then does") {
    Client client = one.connect("POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 9\r\n\r\n");
    for (int i = 0; i < 4; ++i) {
      one.run(150 * ns_per_ms);
      client.write("b");
    }
    CHECK(client.received().empty());
    one.run(250 * ns_per_ms);
    CHECK(client.received().starts_with("HTTP/1.1 408"));
    CHECK(client.eof());
  }
  SUBCASE("inside a chunk, behind a request that still runs") {
    Client client =
        one.connect(get("/later/300/a") +
                    "POST /echo HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    one.run(350 * ns_per_ms);
    CHECK(count(client.received(), "HTTP/1.1 200") == 1);
    CHECK(count(client.received(), "HTTP/1.1 408") == 1);
    CHECK(client.eof());
  }
  SUBCASE("between two requests") {
    Client client = one.connect(get("/n/a"));
    one.run(350 * ns_per_ms);
    CHECK_FALSE(client.eof());
    one.run(100 * ns_per_ms);
    CHECK(client.received().ends_with("/n/a"));
    CHECK(client.eof());
  }
  SUBCASE("before the first request") {
    Client client = one.connect();
    one.run(450 * ns_per_ms);
    CHECK(client.eof());
  }
  SUBCASE("who does not read") {
    Client client = one.connect(get("/source/5000"));
    client.set_reading(false);
    one.run(250 * ns_per_ms);
    CHECK(one.core.connections() == 1);
    one.run(100 * ns_per_ms);
    CHECK(one.core.connections() == 0);
    CHECK(one.handler.sources_live == 0);
  }
  one.run(100 * ns_per_ms);
  CHECK(one.core.connections() == 0);
  CHECK(one.core.counters().timeouts >= 1);
}

TEST_CASE("over the maximum: 503 for who came in meanwhile, the others wait their turn") {
  serve::CoreOptions options = small_options();
  options.connections_max = 2;
  OneCore one(options);
  Client clients[6];
  for (Client& client : clients) client = one.connect(get("/n/a", "Connection: close\r\n"));
  one.run(10 * ns_per_ms);
  unsigned served = 0, refused = 0;
  const auto look = [&] {
    served = refused = 0;
    for (const Client& client : clients) {
      served += client.received().ends_with("/n/a");
      refused += client.received().starts_with("HTTP/1.1 503") &&
                 client.received().find("Retry-After: 1\r\n") != std::string::npos;
    }
  };
  look();
  CHECK(served >= 2);
  CHECK(one.core.counters().connections_refused == refused);
  for (Client& client : clients) {
    if (!client.ended()) client.half_close();
  }
  one.run(10 * ns_per_ms);
  look();
  CHECK(served + refused == 6);
  CHECK(one.core.connections() == 0);
  Client late = one.connect(get("/n/late"));
  one.run(10 * ns_per_ms);
  CHECK(late.received().ends_with("/n/late"));
}

TEST_CASE("without memory a request is refused or its connection closed, and the next one is served") {
  serve::CoreOptions options = small_options();
  options.memory_bytes_max = 16u << 10;
  OneCore one(options);
  SUBCASE("a body") {
    Client client = one.connect("POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 100000\r\n\r\n");
    client.write(std::string(100'000, 'b'));
    one.run(100 * ns_per_ms);
    CHECK(client.received().find("HTTP/1.1 200") == std::string::npos);
    CHECK((client.eof() || client.was_reset()));
  }
  SUBCASE("a chunked body, whose trailers have no room") {
    Client client = one.connect(
        "POST /echo HTTP/1.1\r\nHost: sim\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n");
    one.run(100 * ns_per_ms);
    CHECK(client.received().find("HTTP/1.1 200") == std::string::npos);
  }
  SUBCASE("many coroutines") {
    Client client = one.connect();
    for (int i = 0; i < 100; ++i) client.write(get("/later/20/a"));
    one.run(100 * ns_per_ms);
    CHECK(count(client.received(), "HTTP/1.1 200") + count(client.received(), "HTTP/1.1 503") <= 100);
  }
  SUBCASE("a source") {
    Client client = one.connect(get("/source/100000"));
    one.run(100 * ns_per_ms);
    CHECK((client.eof() || client.was_reset()));
  }
  one.run(3 * ns_per_s);
  Client next = one.connect(get("/n/next", "Connection: close\r\n"));
  one.run(100 * ns_per_ms);
  CHECK(next.received().ends_with("/n/next"));
}

TEST_CASE("no exchange is left for a coroutine") {
  serve::CoreOptions options = small_options();
  options.http.exchanges_max = 2;
  OneCore one(options);
  Client first = one.connect(get("/later/50/a") + get("/later/50/b"));
  one.run(5 * ns_per_ms);
  Client second = one.connect(get("/later/50/c") + get("/later/50/c") + get("/later/50/c"));
  one.run(10 * ns_per_ms);
  CHECK(count(second.received(), "HTTP/1.1 503") == 3);
  one.run(100 * ns_per_ms);
  CHECK(count(first.received(), "HTTP/1.1 200") == 2);
  second.write(get("/later/5/d"));
  one.run(100 * ns_per_ms);
  CHECK(second.received().ends_with("/later/5/d"));
}

TEST_CASE("descriptors that run out pause accepting, and do not spin") {
  io::sim::FaultPlan plan;
  plan.descriptors_max = 3;
  OneCore one(small_options(), plan);
  Client clients[5];
  for (Client& client : clients) client = one.connect(get("/n/a"));
  one.run(ns_per_s);
  CHECK(one.core.connections() == 2);
  CHECK(one.core.counters().accept_errors <= 12);
  CHECK(one.core.counters().accept_errors >= 8);
  for (Client& client : clients) client.half_close();
  one.run(ns_per_s);
  for (const Client& client : clients) CHECK(client.received().ends_with("/n/a"));
}

}  // namespace
}  // namespace mr::test
