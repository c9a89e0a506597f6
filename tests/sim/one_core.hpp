// one_core.hpp: one core on a simulated network without faults, whose clock the test moves.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "engine/io/sim/world.hpp"
#include "engine/serve/core.hpp"
#include "tests/sim/file_handler.hpp"
#include "tests/sim/sim_handler.hpp"

namespace millrace::test {

using io::sim::Client;

inline serve::CoreOptions small_options() {
  serve::CoreOptions options;
  options.http.isa = http::Isa::scalar;
  options.http.wall_clock = []() noexcept { return TimeNs{1'700'000'000} * ns_per_s; };
  options.connections_max = 64;
  options.memory_bytes_max = 16u << 20;
  return options;
}

inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: sim\r\n" + std::string(fields) + "\r\n";
}

inline std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

struct OneCore {
  explicit OneCore(const serve::CoreOptions& options = small_options(), io::sim::FaultPlan plan = {},
                   std::uint64_t seed = 7)
      : world(seed, plan,
              {.queue_entries = 64, .completion_entries = 256, .buffers = 8, .buffer_bytes = 2048}),
        files(handler),
        core(options, world.backend(), files),
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
  template <class Done>
  void run_until(Done&& done) {
    for (int turns = 0; !done(); ++turns) {
      REQUIRE(turns < 100'000);
      core.turn(world.now() + ns_per_ms);
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
  FileHandler files;
  serve::Core core;
  io::Descriptor listener;
};

}  // namespace millrace::test
