// Goal: the simulated backend keeps its side of the contract under every fault: bytes arrive in order
// and once, operations end, nothing leaks, and one seed gives one run. Method: an echo server against
// clients that write, stop reading, end and reset at random, in many small worlds.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "engine/io/sim/world.hpp"
#include "tests/unit/io/echo_server.hpp"

using namespace millrace::io;

namespace {

constexpr BackendOptions small{
    .queue_entries = 16, .completion_entries = 16, .buffers = 4, .buffer_bytes = 128};

struct Talk {
  sim::Client client;
  std::string sent;
};

struct Outcome {
  std::uint64_t hash = 0;
  sim::FaultCounts faults;
};

void act(sim::Random& random, Talk& talk) {
  if (talk.client.ended()) return;
  switch (random.below(12)) {
    case 0: talk.client.half_close(); break;
    case 1: talk.client.set_reading(false); break;
    case 2: talk.client.set_reading(true); break;
    default: {
      std::string bytes(1 + random.below(600), '\0');
      for (char& byte : bytes) byte = static_cast<char>('a' + random.below(26));
      talk.client.write(bytes);
      talk.sent += bytes;
    }
  }
}

Outcome run(std::uint64_t seed) {
  sim::Random draw(seed);
  sim::World world(seed, sim::FaultPlan::drawn(draw), small);
  test::EchoServer server(world.backend(), world.listen());
  std::vector<Talk> talks(1 + draw.below(4));
  for (Talk& talk : talks) talk.client = world.connect(3);
  for (int turn = 0; turn < 40; ++turn) {
    if (draw.below(3) == 0) act(draw, talks[draw.below(talks.size())]);
    server.turn(world.now() + millrace::ns_per_ms);
    for (const Talk& talk : talks) {
      // Whatever happens, what came back is the beginning of what was sent.
      REQUIRE(talk.client.received().size() <= talk.sent.size());
      REQUIRE(std::memcmp(talk.client.received().data(), talk.sent.data(), talk.client.received().size()) ==
              0);
    }
  }
  // Without further faults everything comes to its end.
  world.plan() = {};
  for (Talk& talk : talks) {
    talk.client.set_reading(true);
    talk.client.half_close();
  }
  for (int turn = 0; turn < 5000; ++turn) {
    server.turn(world.now() + millrace::ns_per_ms);
    bool all_done = server.live() == 0;
    for (const Talk& talk : talks) all_done = all_done && (talk.client.eof() || talk.client.was_reset());
    if (all_done) break;
  }
  for (const Talk& talk : talks) {
    REQUIRE((talk.client.eof() || talk.client.was_reset()));
    if (!talk.client.was_reset()) REQUIRE(talk.client.received() == talk.sent);
  }
  server.stop();
  for (int turn = 0; turn < 100 && server.turn(world.now() + millrace::ns_per_ms); ++turn)
    server.close_listener();
  REQUIRE(world.clean());
  return {.hash = world.trace_hash(), .faults = world.faults()};
}

}  // namespace

TEST_CASE("sim: an echo server under 10,000 seeds loses, reorders and leaks nothing") {
  sim::FaultCounts sum;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    CAPTURE(seed);
    const Outcome outcome = run(seed);
    const auto* from = reinterpret_cast<const std::uint64_t*>(&outcome.faults);
    auto* into = reinterpret_cast<std::uint64_t*>(&sum);
    for (std::size_t i = 0; i < sizeof sum / sizeof *into; ++i) into[i] += from[i];
  }
  // That nothing broke means something only where every fault was met.
  CHECK(sum.short_receives > 1000);
  CHECK(sum.short_sends > 1000);
  CHECK(sum.split_writes > 1000);
  CHECK(sum.late_completions > 1000);
  CHECK(sum.no_buffers > 1000);
  CHECK(sum.real_exhaustions > 1000);
  CHECK(sum.multishot_ends > 1000);
  CHECK(sum.accept_failures > 100);
  CHECK(sum.late_cancels > 1000);
  CHECK(sum.partial_waits > 1000);
  CHECK(sum.overflows > 1000);
  CHECK(sum.resets > 1000);
  CHECK(sum.blocked_sends > 1000);
}

TEST_CASE("sim: one seed gives one trace, and other seeds others") {
  std::vector<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const std::uint64_t hash = run(seed).hash;
    CHECK(run(seed).hash == hash);
    hashes.push_back(hash);
  }
  std::sort(hashes.begin(), hashes.end());
  CHECK(std::unique(hashes.begin(), hashes.end()) == hashes.end());
}
