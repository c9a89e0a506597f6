// Goal: who stalls, and what runs out, is answered or dropped in time, and nobody else suffers.
// Method: cases written out by hand; core_sim has the many.
#include "tests/sim/one_core.hpp"

namespace millrace::test {
namespace {

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
}  // namespace millrace::test
