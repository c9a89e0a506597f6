#include <doctest/doctest.h>
#include <millrace/sleep.hpp>
#include <millrace/task.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/unit/serve/scheduler_test.hpp"

using namespace std::chrono_literals;
using namespace millrace;
using test::End;
using test::Job;
using test::SmallCore;

namespace {

static_assert(!std::is_copy_constructible_v<Task<int>>);
static_assert(std::is_nothrow_move_constructible_v<Task<int>>);
static_assert(std::is_nothrow_move_assignable_v<Task<int>>);
static_assert(!std::is_base_of_v<std::exception, Cancelled>);
static_assert(detail::is_task<Task<>> && detail::is_task<Task<std::string>> && !detail::is_task<int>);

/// Counts those alive, so that a test sees that a frame was destroyed, once.
struct Live {
  explicit Live(int& counter) : count(&counter) { ++*count; }
  Live(const Live&) = delete;
  ~Live() { --*count; }
  int* count;
};

struct NoDefault {
  explicit NoDefault(int n) : number(n) {}
  NoDefault(NoDefault&&) = default;
  NoDefault& operator=(NoDefault&&) = delete;
  int number;
};

Task<int> number(int n) { co_return n; }
Task<std::unique_ptr<int>> owned(int n) { co_return std::make_unique<int>(n); }
Task<NoDefault> no_default(int n) { co_return NoDefault(n); }
Task<std::vector<int>> braces() { co_return {1, 2, 3}; }
Task<std::string> converted() { co_return "text"; }
Task<int> fails() {
  throw std::runtime_error("broken");
  co_return 0;
}
Task<int> nested(int depth) {
  if (depth == 0) co_return co_await fails();
  co_return co_await nested(depth - 1) + 1;
}
Task<int> sum_after_sleep(int a, int b) {
  co_await sleep(1ms);
  const int first = co_await number(a);
  co_return first + co_await number(b);
}

/// Runs a coroutine that never waits, outside of any core.
void run(Task<> task) {
  [](Task<> inner) -> detail::Detached { co_await std::move(inner); }(std::move(task));
}

}  // namespace

TEST_CASE("Task: starts only when awaited, and gives its value") {
  bool started = false, ended = false;
  auto lazy = [](bool& flag) -> Task<int> {
    flag = true;
    co_return 7;
  };
  run([](auto& make, bool& flag, bool& done) -> Task<> {
    Task<int> task = make(flag);
    CHECK_FALSE(flag);
    CHECK(co_await std::move(task) == 7);
    CHECK(flag);
    done = true;
  }(lazy, started, ended));
  CHECK(ended);
}

TEST_CASE("Task: values of any movable type") {
  bool ended = false;
  run([](bool& done) -> Task<> {
    CHECK(*co_await owned(3) == 3);
    CHECK((co_await no_default(4)).number == 4);
    const std::vector<int> list = co_await braces();
    CHECK(list == std::vector{1, 2, 3});
    CHECK(co_await converted() == "text");
    done = true;
  }(ended));
  CHECK(ended);
}

TEST_CASE("Task: one that is never awaited, or is assigned over, runs nothing and leaks nothing") {
  int live = 0;
  bool ran = false;
  const auto make = [](std::shared_ptr<Live>, bool& flag) -> Task<> {
    flag = true;
    co_return;
  };
  {
    Task<> task = make(std::make_shared<Live>(live), ran);
    CHECK(live == 1);
    Task<> other = make(std::make_shared<Live>(live), ran);
    other = std::move(task);
    CHECK(live == 2);  // Assignment swaps: what was there goes with the other one.
  }
  CHECK(live == 0);
  CHECK_FALSE(ran);
}

TEST_CASE("Task: an exception goes through every level, and frames are gone") {
  int live = 0;
  std::string caught;
  run([](int& counter, std::string& what) -> Task<> {
    try {
      const Live guard(counter);
      co_await nested(10);
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    CHECK(counter == 0);
  }(live, caught));
  CHECK(caught == "broken");
}

TEST_CASE("Task: waits, and goes on where it was") {
  SmallCore core;
  int sum = 0;
  Job job;
  job.start(core.scheduler, [](int& out) -> Task<> { out = co_await sum_after_sleep(3, 4); }(sum));
  CHECK(job.end == End::none);
  CHECK(core.turn(2 * ns_per_ms) == 1);
  CHECK(job.end == End::returned);
  CHECK(sum == 7);
}

TEST_CASE("Task: one that never waits ends at once, without a trip through the queue") {
  SmallCore core;
  Job job;
  job.start(core.scheduler, []() -> Task<> { CHECK(co_await number(1) + co_await number(2) == 3); }());
  CHECK(job.end == End::returned);
  CHECK_FALSE(core.scheduler.has_ready());
  CHECK(core.scheduler.frames().taken() == core.scheduler.frames().given());
}

TEST_CASE("Cancelled: unwinds every level, destroys locals, is no std::exception") {
  SmallCore core;
  int live = 0;
  bool taken_for_error = false;
  const auto inner = [](int& counter) -> Task<> {
    const Live guard(counter);
    co_await sleep(1s);
  };
  const auto outer = [](auto& callee, int& counter, bool& flag) -> Task<> {
    const Live guard(counter);
    try {
      co_await callee(counter);
    } catch (const std::exception&) {
      flag = true;
    }
  };
  Job job;
  job.start(core.scheduler, outer(inner, live, taken_for_error));
  CHECK(live == 2);
  core.scheduler.cancel(job.scope);
  CHECK(live == 2);  // Nothing happens under its feet.
  core.turn();
  CHECK(live == 0);
  CHECK(job.end == End::cancelled);
  CHECK_FALSE(taken_for_error);
}

TEST_CASE("Cancelled: comes from every later co_await too, also of a Task that would not wait") {
  SmallCore core;
  int thrown = 0;
  bool ran = false;
  const auto stubborn = [](int& count, bool& started) -> Task<> {
    const auto flag = [](bool& out) -> Task<> {
      out = true;
      co_return;
    };
    for (int attempt = 0; attempt < 3; ++attempt) {
      try {
        if (attempt == 0) co_await sleep(1s);
        if (attempt == 1) co_await flag(started);
        if (attempt == 2) co_await yield();
      } catch (const Cancelled&) {
        ++count;
      }
    }
  };
  Job job;
  job.start(core.scheduler, stubborn(thrown, ran));
  core.scheduler.cancel(job.scope);
  core.turn();
  CHECK(thrown == 3);
  CHECK_FALSE(ran);
  CHECK(job.end == End::returned);  // It swallowed them; its reply is dropped elsewhere.
}

TEST_CASE("Cancelled: while the coroutine runs, it ends at its next co_await") {
  SmallCore core;
  Job job;
  job.start(core.scheduler, [](SmallCore& its_core, Job& self) -> Task<> {
    its_core.scheduler.cancel(self.scope);
    co_await sleep(1s);
    FAIL("went on after the client had left");
  }(core, job));
  CHECK(job.end == End::cancelled);
  CHECK(core.wheel.count() == 0);
}

// Goal: the stack does not grow with the count of awaits, in any build: a compiler that makes calls of
// the transfers between coroutines would need hundreds of megabytes here.
TEST_CASE("Task: a million awaits in a row need no stack, whether they wait or not") {
  SmallCore core;
  std::int64_t sum = 0;
  Job job;
  job.start(core.scheduler, [](std::int64_t& out) -> Task<> {
    for (int i = 0; i < 1'000'000; ++i) out += co_await number(1);
    const auto waits = []() -> Task<int> {
      co_await yield();
      co_return co_await number(1);
    };
    for (int i = 0; i < 1'000'000; ++i) out += co_await waits();
  }(sum));
  CHECK(sum == 1'000'000);
  while (core.scheduler.run_ready() != 0) continue;
  CHECK(job.end == End::returned);
  CHECK(sum == 2'000'000);
}
