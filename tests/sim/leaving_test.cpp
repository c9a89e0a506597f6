// Goal: a client that leaves cancels its coroutines, one that half closes gets its answers.
// Method: cases written out by hand; core_sim has the many.
#include "tests/sim/one_core.hpp"

namespace millrace::test {
namespace {

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

TEST_CASE("a coroutine is cancelled when its client has gone while an earlier reply was on its way") {
  OneCore one;
  Client client = one.connect();
  one.run(ns_per_ms);
  one.world.plan().late_completion = 1000;
  one.world.plan().delay_max_ns = 20 * ns_per_ms;
  client.write(get("/n/a") + get("/later/5000/b"));
  while (client.received().empty()) one.core.turn(one.world.now() + ns_per_ms);
  one.world.plan().late_completion = 0;
  client.close();  // What the core knows: the peer has ended, and a send is not complete.
  one.run(50 * ns_per_ms);
  CHECK(one.handler.coroutines_live == 0);
  CHECK(one.core.connections() == 0);
}

TEST_CASE("a coroutine that starts when its client has ended is cancelled too") {
  serve::CoreOptions options = small_options();
  options.http.output_bytes_max = 512;  // The second request waits in the input until the first is sent.
  OneCore one(options);
  Client client = one.connect(get("/source/5000") + get("/later/5000/b"));
  client.close();
  one.run(50 * ns_per_ms);
  CHECK(one.handler.coroutines_live == 0);
  CHECK(one.core.connections() == 0);
}

TEST_CASE("a coroutine that starts while reading is held is cancelled when its client resets") {
  serve::CoreOptions options = small_options();
  options.http.pipeline_max = 1;
  options.http.output_bytes_max = 512;
  io::sim::FaultPlan plan;
  plan.send_buffer_bytes = 200;
  plan.late_cancel = 1000;  // So that bytes still come after reading was held,
  OneCore one(options, plan);
  const std::string body = letters(700);
  const std::string later = get("/later/5000/b");
  Client client = one.connect();
  client.set_reading(false);
  client.write("POST /echo HTTP/1.1\r\nHost: sim\r\nContent-Length: 700\r\n\r\n" + body +
               later.substr(0, 20));
  while (one.world.faults().blocked_sends == 0) one.core.turn(one.world.now() + 10'000);
  client.write(later.substr(20));
  client.set_reading(true);  // together with the room that they need.
  one.run(5 * ns_per_ms);
  REQUIRE(one.handler.coroutines_live == 1);
  client.reset();
  one.run(20 * ns_per_ms);
  CHECK(one.handler.coroutines_live == 0);
  CHECK(one.core.connections() == 0);
}

TEST_CASE("without memory to ask whether a client has left, its connection ends") {
  serve::CoreOptions options = small_options();
  options.memory_bytes_max = 512;  // Of which the coroutine's copy of its request takes all.
  OneCore one(options);
  Client client = one.connect(get("/later/5000/a", "X-Filler: " + std::string(200, 'f') + "\r\n"));
  one.run(5 * ns_per_ms);
  REQUIRE(one.handler.coroutines_live == 1);
  REQUIRE(one.core.pool().bytes_used() == 512);
  client.close();
  one.run(5 * ns_per_ms);
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

}  // namespace
}  // namespace millrace::test
