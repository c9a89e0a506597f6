// Goal: a connection and a core end when they should, with every reply that was promised.
// Method: cases written out by hand; core_sim has the many.
#include "tests/sim/one_core.hpp"

namespace millrace::test {
namespace {

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

// Closing with bytes unread resets, and the reset takes along what the client has not read yet.
TEST_CASE("a last reply is not voided by bytes that no buffer was there for") {
  serve::CoreOptions options = small_options();
  options.http.pipeline_max = 1;  // So that reading is held, and the end of the client is watched for.
  OneCore one(options);
  Client client = one.connect(get("/later/20/a") + get("/n/b"));
  one.run(5 * ns_per_ms);
  client.set_reading(false);
  client.write(get("/n/c"));
  client.half_close();
  one.core.request_stop(20 * ns_per_s);
  one.run(10 * ns_per_ms);
  one.world.plan().no_buffers = 1000;
  one.run(10 * ns_per_ms);
  one.world.plan().no_buffers = 0;
  client.set_reading(true);
  one.run(10 * ns_per_ms);
  CHECK(client.received().ends_with("/later/20/a"));
  CHECK(client.eof());
  CHECK_FALSE(client.was_reset());
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

}  // namespace
}  // namespace millrace::test
