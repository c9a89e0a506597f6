// Question: what does a deadline cost: one that is set and taken back, as nearly all are, and one that
// fires? `alone` is in an empty wheel, `among` beside 100,000 others over the next minute.
#include <benchmark/benchmark.h>

#include <deque>
#include <random>

#include "engine/net/timer_wheel.hpp"

namespace {

using namespace millrace;
using net::Timer;
using net::TimerKind;
using net::TimerWheel;

struct Others {
  Others(TimerWheel& wheel, std::int64_t count) : wheel(wheel) {
    std::mt19937_64 random(1);
    for (std::int64_t i = 0; i < count; ++i) {
      wheel.start(timers.emplace_back(TimerKind::sleep), 60 * ns_per_s + random() % (60 * ns_per_s));
    }
  }
  ~Others() {
    for (Timer& timer : timers) wheel.stop(timer);
  }
  TimerWheel& wheel;
  std::deque<Timer> timers;
};

void set_and_stop(benchmark::State& state) {
  TimerWheel wheel(0);
  const Others others(wheel, state.range(0));
  Timer timer(TimerKind::request);
  TimeNs after = 0;
  for (auto _ : state) {
    after = (after + 7 * ns_per_ms) % (30 * ns_per_s);
    wheel.start(timer, ns_per_ms + after);
    benchmark::DoNotOptimize(wheel.next_deadline());
    wheel.stop(timer);
  }
}
BENCHMARK(set_and_stop)->Name("timer/set_and_stop")->Arg(0)->Arg(100'000);

/// A deadline a millisecond ahead, again and again; the clock goes with it.
void set_and_fire(benchmark::State& state) {
  TimerWheel wheel(0);
  Timer timer(TimerKind::sleep);
  TimeNs now = 0;
  std::int64_t fired = 0;
  for (auto _ : state) {
    wheel.start(timer, now + state.range(0) * ns_per_ms);
    now += (state.range(0) + 1) * ns_per_ms;
    wheel.expire(now, [&fired](Timer&) { ++fired; });
  }
  if (fired != static_cast<std::int64_t>(state.iterations())) state.SkipWithError("a timer did not fire");
}
BENCHMARK(set_and_fire)->Name("timer/set_and_fire")->Arg(1)->Arg(1000)->Arg(60'000);

}  // namespace
