#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "engine/io/sim/world.hpp"

using namespace millrace::io;
using millrace::ns_per_ms;
using millrace::TimeNs;

namespace {

constexpr BackendOptions small{.queue_entries = 4, .completion_entries = 4, .buffers = 4, .buffer_bytes = 16};

/// A world with a connection that was accepted, and helpers that count.
struct Scene {
  explicit Scene(const sim::FaultPlan& plan = {}, std::uint64_t seed = 1) : world(seed, plan, small) {
    listener = world.listen();
    client = world.connect(listener);
    backend.accept({Op::accept, 0, 0}, listener);
    peer = one().result;
  }
  std::vector<Completion> all(std::size_t most = 16) {
    std::vector<Completion> done(most);
    done.resize(backend.wait(done, world.now() + 100 * ns_per_ms));
    return done;
  }
  Completion one() {
    const auto done = all(1);
    REQUIRE(done.size() == 1);
    return done[0];
  }
  sim::World world;
  IoBackend& backend = world.backend();
  Descriptor listener;
  sim::Client client;
  Descriptor peer;
};

constexpr Token recv_token{Op::recv, 1, 1};
constexpr Token send_token{Op::send, 1, 1};

}  // namespace

TEST_CASE("sim: wait moves the clock to the deadline, and to what comes first") {
  sim::World world(1, {}, small);
  Completion done[1];
  const TimeNs begin = world.now();
  CHECK(world.backend().wait(done, begin + 50 * ns_per_ms) == 0);
  CHECK(world.now() == begin + 50 * ns_per_ms);
  TimeNs called = 0;
  world.after(10 * ns_per_ms, [&] {
    called = world.now();
    world.backend().wake();
  });
  CHECK(world.backend().wait(done, millrace::time_never) == 1);
  CHECK(done[0].token.op() == Op::wake);
  CHECK(called == begin + 60 * ns_per_ms);
  CHECK(world.now() == called);
}

TEST_CASE("sim: a deadline that is past only polls") {
  sim::World world(1, {}, small);
  Completion done[1];
  const TimeNs begin = world.now();
  CHECK(world.backend().wait(done, 0) == 0);
  CHECK(world.now() - begin < ns_per_ms);
}

TEST_CASE("sim: a receive longer than a buffer takes several, in order") {
  Scene scene;
  const std::string text = "0123456789abcdefghijklmnopqrstuvwxyz";
  scene.client.write(text);
  scene.backend.recv(recv_token, scene.peer);
  std::string got;
  while (got.size() < text.size()) {
    const Completion done = scene.one();
    REQUIRE(done.has_buffer);
    CHECK(done.more);
    got.append(scene.backend.buffer(done.buffer_id), static_cast<std::size_t>(done.result));
    scene.backend.give_back({&done.buffer_id, 1});
  }
  CHECK(got == text);
}

TEST_CASE("sim: no operation completes inside the call that starts it") {
  Scene scene;
  scene.client.write("x");
  scene.world.advance(ns_per_ms);
  const auto before = scene.backend.stats().completions;
  scene.backend.recv(recv_token, scene.peer);
  CHECK(scene.backend.stats().completions == before);
  CHECK(scene.one().result == 1);
}

TEST_CASE("sim: a full send buffer takes a part, and the rest waits for the reader") {
  sim::FaultPlan plan;
  plan.send_buffer_bytes = 10;
  Scene scene(plan);
  scene.client.set_reading(false);
  std::string text = "0123456789abcde";
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  scene.backend.send(send_token, scene.peer, {&part, 1});
  CHECK(scene.one().result == 10);
  part = {.iov_base = text.data() + 10, .iov_len = 5};
  scene.backend.send(send_token, scene.peer, {&part, 1});
  CHECK(scene.all().empty());
  scene.client.set_reading(true);
  CHECK(scene.one().result == 5);
  scene.all();
  CHECK(scene.client.received() == text);
}

TEST_CASE("sim: bytes the server leaves unread turn its close into a reset") {
  Scene scene;
  scene.client.write("unread");
  scene.all();
  scene.backend.close(scene.peer, false);
  scene.all();
  CHECK(scene.client.was_reset());
  CHECK_FALSE(scene.client.eof());
}

TEST_CASE("sim: bytes for a socket that was closed are answered with a reset") {
  Scene scene;
  scene.backend.close(scene.peer, false);
  scene.all();
  CHECK(scene.client.eof());
  CHECK_FALSE(scene.client.was_reset());
  scene.client.write("late");
  scene.all();
  CHECK(scene.client.was_reset());
}

TEST_CASE("sim: a client that closed answers bytes with a reset") {
  Scene scene;
  scene.client.close();
  scene.backend.recv(recv_token, scene.peer);
  CHECK(scene.one().result == 0);
  std::string text = "reply";
  const iovec part{.iov_base = text.data(), .iov_len = text.size()};
  scene.backend.send(send_token, scene.peer, {&part, 1});
  CHECK(scene.one().result == 5);
  scene.all();
  scene.backend.send(send_token, scene.peer, {&part, 1});
  CHECK(scene.one().result == -ECONNRESET);
  CHECK(scene.client.received().empty());
}

TEST_CASE("sim: connections to a listener that closed are reset") {
  Scene scene;
  const sim::Client waiting = scene.world.connect(scene.listener);
  scene.backend.cancel({Op::accept, 0, 0});
  auto done = scene.all();
  if (done[0].result >= 0) {  // The accept came before the cancel.
    scene.backend.close(done[0].result, true);
    done.erase(done.begin());
  }
  REQUIRE(done.size() == 1);
  CHECK(done[0].result == -ECANCELED);
  scene.backend.close(scene.listener, false);
  const sim::Client late = scene.world.connect(scene.listener);
  scene.all();
  CHECK(waiting.was_reset());
  CHECK(late.was_reset());
}

TEST_CASE("sim: the completion queue runs over, which is counted, and nothing is lost") {
  Scene scene;
  std::vector<sim::Client> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(scene.world.connect(scene.listener));
  std::size_t accepted = 0;
  while (accepted < clients.size()) accepted += scene.all(3).size();
  CHECK(scene.backend.stats().queue_overflows == 1);
  for (const sim::Client& client : clients) CHECK(client.accepted());
}

TEST_CASE("sim: more submissions than the queue holds are submitted early, and counted") {
  Scene scene;
  for (std::uint32_t i = 0; i < 9; ++i) scene.backend.cancel({Op::recv, 1, 100 + i});
  CHECK(scene.backend.stats().submission_stalls == 2);
}

TEST_CASE("sim: a late cancel does not hit a later operation with the same token") {
  sim::FaultPlan plan;
  plan.late_cancel = 1000;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    Scene scene(plan, seed);
    scene.client.write("x");
    scene.world.plan().multishot_end = 1000;
    scene.backend.recv(recv_token, scene.peer);
    scene.backend.cancel(recv_token);
    const Completion first = scene.one();
    CHECK_FALSE(first.more);
    if (first.has_buffer) scene.backend.give_back({&first.buffer_id, 1});
    scene.world.plan().multishot_end = 0;
    scene.backend.recv(recv_token, scene.peer);
    for (const Completion& done : scene.all()) CHECK(done.result != -ECANCELED);
  }
}

TEST_CASE("sim: completions of different operations overtake each other, those of one do not") {
  bool overtook = false;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    sim::FaultPlan plan;
    plan.late_completion = 700;
    Scene scene(plan, seed);
    scene.client.write("0123456789abcdef0123456789abcdef");
    std::string text = "reply";
    const iovec part{.iov_base = text.data(), .iov_len = text.size()};
    scene.backend.recv(recv_token, scene.peer);
    scene.backend.send(send_token, scene.peer, {&part, 1});
    std::string order, got;
    while (order.size() < 3) {
      for (const Completion& done : scene.all()) {
        order += done.token.op() == Op::send ? 's' : 'r';
        if (done.has_buffer)
          got.append(scene.backend.buffer(done.buffer_id), static_cast<std::size_t>(done.result));
      }
    }
    overtook |= order[0] == 's';
    CHECK(got == "0123456789abcdef0123456789abcdef");
  }
  CHECK(overtook);
}

TEST_CASE("sim: the generator spreads, and its sequence is fixed") {
  sim::Random random(42), again(42), other(43);
  unsigned hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.chance(250);
  CHECK(hits > 2300);
  CHECK(hits < 2700);
  CHECK(again.next() != other.next());
  CHECK_FALSE(other.chance(0));
  CHECK(other.chance(1000));
}

TEST_CASE("sim: a client is told of bytes and of a reset, and may answer from there") {
  Scene scene;
  int told = 0;
  scene.client.on_received([&] {
    ++told;
    if (!scene.client.ended()) scene.client.write("thanks");
  });
  std::string text = "reply";
  const iovec part{.iov_base = text.data(), .iov_len = text.size()};
  scene.backend.recv(recv_token, scene.peer);
  scene.backend.send(send_token, scene.peer, {&part, 1});
  std::size_t received = 0;
  while (received == 0) {
    for (const Completion& done : scene.all()) {
      if (!done.has_buffer) continue;
      received = static_cast<std::size_t>(done.result);
      scene.backend.give_back({&done.buffer_id, 1});
    }
  }
  CHECK(received == 6);
  CHECK(told == 1);
  scene.backend.cancel(recv_token);
  while (scene.world.backend().operations_under_way() > 1) scene.all();
  scene.backend.close(scene.peer, true);
  scene.all();
  CHECK(scene.client.was_reset());
  CHECK(told == 2);
}

TEST_CASE("sim: the trace has a line for what was asked and for what was told, and only while it is wanted") {
  std::string trace;
  Scene scene;
  scene.client.write("hello");
  scene.world.write_trace(&trace);
  scene.backend.recv(recv_token, scene.peer);
  const Completion done = scene.one();
  CHECK(std::count(trace.begin(), trace.end(), '\n') == 2);
  CHECK(trace.find(" recv ") != std::string::npos);
  CHECK(trace.find(" completed ") != std::string::npos);
  scene.world.write_trace(nullptr);
  scene.backend.give_back({&done.buffer_id, 1});
  scene.backend.cancel(recv_token);
  CHECK(std::count(trace.begin(), trace.end(), '\n') == 2);
}
