// Goal: a handler that writes without an end holds up nobody, also where nothing of it is sent.
#include <doctest/doctest.h>

#include <string>

#include "engine/io/sim/world.hpp"
#include "tests/sim/one_core.hpp"
#include "tests/sim/sim_app.hpp"

namespace millrace::test {
namespace {

std::string request(const std::string& start) { return start + " HTTP/1.1\r\nHost: sim\r\n\r\n"; }

struct AppCore {
  explicit AppCore(const serve::CoreOptions& options = small_options())
      : world(7, {.send_buffer_bytes = 4096},
              {.queue_entries = 64, .completion_entries = 256, .buffers = 8, .buffer_bytes = 2048}),
        core(options, world.backend(), sim_app()),
        listener(world.listen()) {
    live_counts() = {};
    core.listen(listener);
  }
  ~AppCore() {
    core.request_stop(0);
    for (int i = 0; i < 10'000 && !core.done(); ++i) core.turn(world.now() + ns_per_s);
    CHECK(core.done());
    CHECK(core.pool().bytes_used() == 0);
    CHECK(live_counts().coroutines == 0);
  }
  Client connect(const std::string& bytes) {
    Client client = world.connect(listener);
    client.write(bytes);
    return client;
  }
  void turns(int count) {
    for (int i = 0; i < count; ++i) core.turn(world.now() + ns_per_ms);
  }

  io::sim::World world;
  serve::Core core;
  io::Descriptor listener;
};

TEST_CASE("an endless stream that was asked for by HEAD") {
  AppCore one;
  Client endless = one.connect(request("HEAD /stream/endless/1000/1000"));
  one.turns(10);
  Client other = one.connect(request("GET /n/other"));
  one.turns(10);
  CHECK(other.received().ends_with("other"));
  CHECK(endless.received().starts_with("HTTP/1.1 200"));
  CHECK(live_counts().coroutines == 1);
  endless.reset();
  one.turns(10);
  CHECK(live_counts().coroutines == 0);
}

TEST_CASE("an endless stream for which there is no memory") {
  serve::CoreOptions options = small_options();
  options.memory_bytes_max = 16 * 1024;
  options.http.output_bytes_max = 1 << 20;
  AppCore one(options);
  Client endless = one.connect(request("GET /stream/endless/1000/1000"));
  endless.set_reading(false);
  one.turns(100);
  CHECK(live_counts().coroutines == 0);
  CHECK(one.core.connections() == 0);
  Client other = one.connect(request("GET /n/other"));
  one.turns(10);
  CHECK(other.received().ends_with("other"));
}

}  // namespace
}  // namespace millrace::test
