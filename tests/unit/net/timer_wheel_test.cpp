#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "engine/net/timer_wheel.hpp"

using millrace::ns_per_ms;
using millrace::ns_per_s;
using millrace::time_never;
using millrace::TimeNs;
using millrace::net::Timer;
using millrace::net::TimerKind;
using millrace::net::TimerWheel;

namespace {

constexpr TimeNs tick = TimerWheel::tick_ns;

struct Numbered : Timer {
  explicit Numbered(std::size_t n) : Timer(TimerKind::sleep), number(n) {}
  std::size_t number;
};

std::vector<std::size_t> fired_at(TimerWheel& wheel, TimeNs now) {
  std::vector<std::size_t> fired;
  wheel.expire(now, [&](Timer& timer) { fired.push_back(static_cast<Numbered&>(timer).number); });
  return fired;
}

// A linear congruential generator of 64 bits; its high bits are good enough to choose operations.
struct Random {
  std::uint64_t state;
  std::uint64_t below(std::uint64_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 20) % bound;
  }
};

TimeNs tick_after(TimeNs deadline) { return (deadline + tick - 1) / tick * tick; }

}  // namespace

TEST_CASE("TimerWheel: empty") {
  TimerWheel wheel(5 * ns_per_s);
  CHECK(wheel.next_deadline() == time_never);
  CHECK(fired_at(wheel, 10 * ns_per_s).empty());
  CHECK(wheel.count() == 0);
}

TEST_CASE("TimerWheel: never early, and at most a tick late") {
  for (const TimeNs offset : {TimeNs{1}, tick - 1, tick, tick + 1, 63 * tick, 64 * tick, 65 * tick - 1}) {
    CAPTURE(offset);
    const TimeNs begin = 1000 * tick;
    TimerWheel wheel(begin);
    Numbered timer(1);
    wheel.start(timer, begin + offset);
    CHECK(fired_at(wheel, begin + offset - 1).empty());
    CHECK(timer.started());
    CHECK(fired_at(wheel, tick_after(begin + offset)).size() == 1);
    CHECK_FALSE(timer.started());
    CHECK(wheel.count() == 0);
  }
}

TEST_CASE("TimerWheel: a deadline that is past fires at the next expire, even when time stands still") {
  TimerWheel wheel(7 * ns_per_s);
  Numbered timer(1);
  wheel.start(timer, 3 * ns_per_s);
  CHECK(wheel.next_deadline() == 0);
  CHECK(fired_at(wheel, 7 * ns_per_s).size() == 1);
  wheel.start(timer, 3 * ns_per_s);
  wheel.stop(timer);
  CHECK(wheel.next_deadline() == time_never);
  CHECK(fired_at(wheel, 8 * ns_per_s).empty());
}

TEST_CASE("TimerWheel: every cascade boundary, from just before to just after") {
  for (unsigned level = 1; level <= 6; ++level) {
    const TimeNs boundary = (std::uint64_t{1} << 6 * level) * tick;
    for (const TimeNs start : {boundary - 2 * tick, boundary - tick, boundary, 3 * boundary - tick}) {
      for (const TimeNs ahead : {tick, 2 * tick, 64 * tick, boundary - tick, boundary, boundary + tick}) {
        CAPTURE(level);
        CAPTURE(start / tick);
        CAPTURE(ahead / tick);
        TimerWheel wheel(start);
        Numbered timer(1);
        wheel.start(timer, start + ahead);
        CHECK(wheel.next_deadline() > start);
        CHECK(wheel.next_deadline() <= start + ahead);
        CHECK(fired_at(wheel, start + ahead - 1).empty());
        CHECK(fired_at(wheel, start + ahead).size() == 1);
      }
    }
  }
}

TEST_CASE("TimerWheel: following next_deadline reaches a far timer in a few steps") {
  TimerWheel wheel(12345 * tick);
  Numbered timer(1);
  const TimeNs deadline = 400ull * 24 * 3600 * ns_per_s;
  wheel.start(timer, deadline);
  int steps = 0;
  while (timer.started()) {
    const TimeNs next = wheel.next_deadline();
    REQUIRE(next <= deadline);
    fired_at(wheel, next);
    ++steps;
  }
  CHECK(steps <= 8);
}

TEST_CASE("TimerWheel: the end of time can be started and stopped") {
  TimerWheel wheel(ns_per_s);
  Numbered timer(1);
  wheel.start(timer, time_never);
  CHECK(wheel.next_deadline() > 1'000'000 * ns_per_s);
  CHECK(fired_at(wheel, 1'000'000 * ns_per_s).empty());
  wheel.stop(timer);
  CHECK(wheel.next_deadline() == time_never);
}

TEST_CASE("TimerWheel: fire may start and stop timers, that one included") {
  TimerWheel wheel(0);
  Numbered first(0), second(1), third(2);
  wheel.start(first, 10 * tick);
  wheel.start(second, 10 * tick);
  wheel.start(third, 10 * tick);
  std::vector<std::size_t> fired;
  const auto fire = [&](Timer& timer) {
    fired.push_back(static_cast<Numbered&>(timer).number);
    if (&timer == &first) {
      wheel.stop(second);            // Due in this very expire.
      wheel.start(first, 5 * tick);  // Past already: next time, not now.
      wheel.stop(first);
      wheel.start(first, 5 * tick);
    }
  };
  wheel.expire(10 * tick, fire);
  CHECK(fired == std::vector<std::size_t>{0, 2});
  CHECK(wheel.count() == 1);
  wheel.stop(first);
  CHECK(wheel.count() == 0);
}

TEST_CASE("TimerWheel: stopping a timer that is not started changes nothing") {
  TimerWheel wheel(0);
  Numbered timer(0), other(1);
  wheel.start(other, 3 * tick);
  wheel.stop(timer);
  CHECK(wheel.count() == 1);
  wheel.stop(other);
}

// Method: the same seeded operations on the wheel and on a plain list of deadlines.
TEST_CASE("TimerWheel: agrees with a sorted reference") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Random random{seed};
    TimeNs now = random.below(std::uint64_t{1} << 44);
    TimerWheel wheel(now);
    std::deque<Numbered> timers;
    for (std::size_t i = 0; i < 40; ++i) timers.emplace_back(i);
    for (int step = 0; step < 300; ++step) {
      Numbered& timer = timers[random.below(timers.size())];
      switch (random.below(4)) {
        case 0:
        case 1:
          if (!timer.started()) {
            const TimeNs span = TimeNs{1} << random.below(44);
            const TimeNs back = random.below(8) == 0 ? random.below(now) : 0;
            wheel.start(timer, now - back + random.below(span));
          }
          break;
        case 2: wheel.stop(timer); break;
        default: {
          const bool follow = random.below(2) == 0 && wheel.next_deadline() != time_never;
          const TimeNs next =
              follow ? wheel.next_deadline() : now + random.below(TimeNs{1} << random.below(40));
          const TimeNs before = now;
          now = std::max(now, next);
          std::vector<std::size_t> want;
          for (const Numbered& each : timers) {
            if (each.started() && tick_after(each.deadline) <= now / tick * tick) want.push_back(each.number);
          }
          std::vector<std::size_t> got;
          TimeNs previous = 0;
          bool ordered = true;
          wheel.expire(now, [&](Timer& fired) {
            got.push_back(static_cast<Numbered&>(fired).number);
            if (fired.deadline <= before) return;  // Perhaps overdue from the start: these have no order.
            ordered = ordered && previous <= tick_after(fired.deadline);
            previous = tick_after(fired.deadline);
          });
          CHECK(ordered);
          std::sort(got.begin(), got.end());
          CHECK(got == want);
        }
      }
      TimeNs earliest = time_never;
      std::size_t started = 0;
      for (const Numbered& each : timers) {
        if (!each.started()) continue;
        ++started;
        earliest = std::min(earliest, tick_after(each.deadline));
      }
      REQUIRE(wheel.next_deadline() <= earliest);
      REQUIRE(wheel.count() == started);
    }
    for (Numbered& timer : timers) wheel.stop(timer);
    CHECK(wheel.next_deadline() == time_never);
  }
}
