// scheduler_test.hpp: a core in small: a clock that the test sets, a wheel and a scheduler.
#pragma once

#include <millrace/task.hpp>

#include <utility>

#include "engine/base/clock.hpp"
#include "engine/net/timer_wheel.hpp"
#include "engine/serve/scheduler.hpp"

namespace millrace::test {

struct SmallCore {
  SmallCore() = default;

  TimeNs now = ns_per_s;
  net::TimerWheel wheel{now};
  serve::Scheduler scheduler{wheel, [](void* clock) noexcept { return *static_cast<TimeNs*>(clock); }, &now};
  serve::Scheduler::Current current{scheduler};

  /// Lets time pass, then takes the two steps of a turn that concern tasks.
  std::size_t turn(TimeNs after_ns = 0) {
    now += after_ns;
    wheel.expire(now, [this](net::Timer& timer) { scheduler.fire(timer); });
    return scheduler.run_ready();
  }
};

enum class End { none, returned, cancelled, failed };

/// One request: a scope, and how its coroutine ended.
struct Job {
  detail::Scope scope;
  End end = End::none;

  void start(serve::Scheduler& scheduler, Task<> task) {
    scheduler.enter(scope, [&] { run(*this, std::move(task)); });
  }

 private:
  static detail::Detached run(Job& job, Task<> task) {
    try {
      co_await std::move(task);
      job.end = End::returned;
    } catch (const Cancelled&) {
      job.end = End::cancelled;
    } catch (...) {
      job.end = End::failed;
    }
  }
};

}  // namespace millrace::test
