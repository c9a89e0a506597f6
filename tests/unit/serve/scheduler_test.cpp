#include "tests/unit/serve/scheduler_test.hpp"

#include <doctest/doctest.h>
#include <millrace/sleep.hpp>

#include <limits>
#include <vector>

#include "engine/mem/allocate.hpp"
#include "engine/serve/frame_pool.hpp"

using namespace std::chrono_literals;
using namespace millrace;
using test::End;
using test::Job;
using test::SmallCore;

namespace {

Task<> sleep_then_note(std::vector<int>& order, int number, std::chrono::nanoseconds duration) {
  co_await sleep(duration);
  order.push_back(number);
}

Task<> sleep_once() { co_await sleep(5ms); }

}  // namespace

TEST_CASE("sleep: resumes after its time, in order of deadlines, from run_ready() alone") {
  SmallCore core;
  std::vector<int> order;
  Job late, early;
  late.start(core.scheduler, sleep_then_note(order, 2, 20ms));
  early.start(core.scheduler, sleep_then_note(order, 1, 10ms));
  CHECK(core.wheel.count() == 2);
  CHECK(core.turn(9ms / 1ns) == 0);
  CHECK(early.end == End::none);

  core.now += 3 * ns_per_ms;
  core.wheel.expire(core.now, [&](net::Timer& timer) { core.scheduler.fire(timer); });
  CHECK(order.empty());  // The timer only queues.
  CHECK(core.scheduler.has_ready());
  CHECK(core.scheduler.run_ready() == 1);
  CHECK(early.end == End::returned);
  CHECK(core.turn(20 * ns_per_ms) == 1);
  CHECK(order == std::vector{1, 2});
  CHECK(core.wheel.count() == 0);
}

TEST_CASE("sleep: of no time waits one round without a timer; of for ever never ends by itself") {
  SmallCore core;
  std::vector<int> order;
  Job none, negative, forever;
  none.start(core.scheduler, sleep_then_note(order, 1, 0ns));
  negative.start(core.scheduler, sleep_then_note(order, 2, -5s));
  CHECK(core.wheel.count() == 0);
  CHECK(order.empty());
  CHECK(core.turn() == 2);
  CHECK(order == std::vector{1, 2});  // First in, first out.

  forever.start(core.scheduler, sleep_then_note(order, 3, std::chrono::nanoseconds::max()));
  CHECK(core.turn(3600 * ns_per_s) == 0);
  core.scheduler.cancel(forever.scope);
  CHECK(core.turn() == 1);
  CHECK(forever.end == End::cancelled);
}

TEST_CASE("sleep_ns: saturates at both ends") {
  using detail::sleep_ns;
  CHECK(sleep_ns(1ms) == 1'000'000);
  CHECK(sleep_ns(-1ms) == 0);
  CHECK(sleep_ns(0s) == 0);
  CHECK(sleep_ns(std::chrono::duration<double>(1e-10)) == 1);  // Never shorter than asked.
  CHECK(sleep_ns(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())) == 0);
  CHECK(sleep_ns(std::chrono::duration<double>(1e300)) == std::uint64_t{1} << 62);
  CHECK(sleep_ns(std::chrono::hours::max()) == std::uint64_t{1} << 62);
}

TEST_CASE("cancel: stops the sleep, and the co_await under way throws, not before run_ready()") {
  SmallCore core;
  Job job;
  job.start(core.scheduler, sleep_once());
  core.scheduler.cancel(job.scope);
  CHECK(core.wheel.count() == 0);
  CHECK(job.end == End::none);
  core.scheduler.cancel(job.scope);  // Again: nothing more to stop.
  CHECK(core.turn() == 1);
  CHECK(job.end == End::cancelled);
  CHECK(core.scheduler.frames().taken() == core.scheduler.frames().given());
}

TEST_CASE("cancel: between the end of the sleep and its turn is a cancellation still") {
  SmallCore core;
  Job job;
  job.start(core.scheduler, sleep_once());
  core.now += ns_per_s;
  core.wheel.expire(core.now, [&](net::Timer& timer) { core.scheduler.fire(timer); });
  core.scheduler.cancel(job.scope);
  CHECK(core.scheduler.run_ready() == 1);
  CHECK(job.end == End::cancelled);
}

TEST_CASE("cancel: of a timer that is due in the same expiry leaves nothing behind") {
  SmallCore core;
  Job first, second;
  first.start(core.scheduler, sleep_once());
  second.start(core.scheduler, sleep_once());
  core.now += ns_per_s;
  core.wheel.expire(core.now, [&](net::Timer& timer) {
    core.scheduler.fire(timer);
    core.scheduler.cancel(first.scope);
    core.scheduler.cancel(second.scope);  // Its timer waits in the list of those due.
  });
  CHECK(core.wheel.count() == 0);
  CHECK(core.scheduler.run_ready() == 2);
  CHECK(first.end == End::cancelled);
  CHECK(second.end == End::cancelled);
}

TEST_CASE("run_ready: what gets ready meanwhile waits for the next call") {
  SmallCore core;
  int rounds = 0;
  Job job;
  job.start(core.scheduler, [](int& count) -> Task<> {
    for (;; ++count) co_await yield();
  }(rounds));
  for (int turn = 1; turn <= 3; ++turn) {
    CHECK(core.turn() == 1);
    CHECK(rounds == turn);
    CHECK(core.scheduler.has_ready());
  }
  core.scheduler.cancel(job.scope);
  CHECK(core.turn() == 1);
  CHECK(job.end == End::cancelled);
  CHECK_FALSE(core.scheduler.has_ready());
}

TEST_CASE("current_scope: that of the coroutine that runs, none in between") {
  SmallCore core;
  Job outer, inner;
  const auto note = [](std::vector<detail::Scope*>& scopes) -> Task<> {
    scopes.push_back(detail::current_scope());
    co_await yield();
    scopes.push_back(detail::current_scope());
  };
  std::vector<detail::Scope*> scopes;
  CHECK(detail::current_scope() == nullptr);
  core.scheduler.enter(outer.scope, [&] {
    inner.start(core.scheduler, note(scopes));  // Within another: comes back to that one.
    CHECK(detail::current_scope() == &outer.scope);
  });
  CHECK(detail::current_scope() == nullptr);
  core.turn();
  CHECK(detail::current_scope() == nullptr);
  CHECK(scopes == std::vector{&inner.scope, &inner.scope});
}

TEST_CASE("Scheduler::Current: nests, and several schedulers share a thread") {
  CHECK(serve::Scheduler::current() == nullptr);
  SmallCore a;
  Job in_a, in_b;
  in_a.start(a.scheduler, sleep_once());
  {
    SmallCore b;
    CHECK(serve::Scheduler::current() == &b.scheduler);
    in_b.start(b.scheduler, sleep_once());
    b.turn(ns_per_s);
    CHECK(in_b.end == End::returned);
  }
  CHECK(serve::Scheduler::current() == &a.scheduler);
  CHECK(in_a.end == End::none);
  a.turn(ns_per_s);
  CHECK(in_a.end == End::returned);
}

// Goal: no memory from the allocator in steady state. Method: a million coroutines, a thousand at a
// time, each sleeping once; frames and timers come from what the first thousand left behind.
TEST_CASE("frames: a million starts with a sleep each allocate nothing after the first round") {
  SmallCore core;
  constexpr int at_once = 1000;
  std::vector<Job> jobs(at_once);
  std::uint64_t allocations = 0;
  for (int round = 0; round <= 1000; ++round) {
    if (round == 1) allocations = mem::allocations();
    for (Job& job : jobs) {
      job.end = End::none;
      job.start(core.scheduler, sleep_once());
    }
    REQUIRE(core.turn(10 * ns_per_ms) == at_once);
    for (const Job& job : jobs) REQUIRE(job.end == End::returned);
  }
  CHECK(mem::allocations() == allocations);
  CHECK(core.scheduler.frames().taken() == 2 * 1001 * at_once);  // The task, and the root that awaits it.
  CHECK(core.scheduler.frames().given() == core.scheduler.frames().taken());
}

TEST_CASE("FramePool: sizes are rounded to classes, and each class has its own list") {
  using serve::FramePool;
  CHECK(FramePool::rounded(1) == 64);
  CHECK(FramePool::rounded(64) == 64);
  CHECK(FramePool::rounded(65) == 128);
  CHECK(FramePool::rounded(4096) == 4096);
  CHECK(FramePool::rounded(4097) == 4160);

  FramePool pool;
  for (std::size_t size = 1; size <= 5000; ++size) {
    CAPTURE(size);
    auto* frame = static_cast<char*>(pool.take(size));
    frame[0] = frame[size - 1] = 'x';
    pool.give(frame, size);
    void* again = pool.take(size);
    if (size <= FramePool::pooled_bytes_max) CHECK(again == frame);
    CHECK(reinterpret_cast<std::uintptr_t>(again) % 64 == 0);
    pool.give(again, size);
  }
  CHECK(pool.taken() == 10'000);
  CHECK(pool.given() == 10'000);
  CHECK(pool.cached_bytes() == 64 * (64 * 65 / 2));  // One of each of the 64 classes.
}

TEST_CASE("FramePool: keeps no more than its maximum") {
  serve::FramePool pool(/*cached_bytes_max=*/128);
  void* frames[] = {pool.take(64), pool.take(64), pool.take(64)};
  for (void* frame : frames) pool.give(frame, 64);
  CHECK(pool.cached_bytes() == 128);
  pool.give(pool.take(64), 64);
  CHECK(pool.cached_bytes() == 128);
}

TEST_CASE("frame_allocate: outside of a core, from the allocator; such a frame may come back within one") {
  const std::uint64_t before = mem::allocations();
  void* frame = detail::frame_allocate(100);
  CHECK(mem::allocations() == before + 1);
  detail::frame_release(frame, 100);
  void* other = detail::frame_allocate(100);
  SmallCore core;
  detail::frame_release(other, 100);
  CHECK(detail::frame_allocate(128) == other);
  detail::frame_release(other, 128);
}
