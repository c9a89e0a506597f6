#include "engine/ext/bench/schedule.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace millrace;
using namespace millrace::bench;

namespace {

constexpr TimeNs t0 = 5 * ns_per_s;

Plan plan_of(std::uint64_t rate, std::uint64_t count, TimeNs duration, std::uint32_t pipeline = 1) {
  Plan plan;
  plan.rate = rate;
  plan.count = count;
  plan.duration = duration;
  plan.pipeline = pipeline;
  return plan;
}

}  // namespace

TEST_CASE("Schedule: a closed loop asks whenever a connection is free") {
  const Plan plan = plan_of(0, 10, 0, 4);
  Schedule schedule(plan, 0);
  schedule.start(t0);
  CHECK(schedule.next(t0).count == 4);
  const Batch second = schedule.next(t0 + 7);
  CHECK(second.first == 4);
  CHECK(schedule.intended(second, 3) == t0 + 7);
  CHECK_FALSE(schedule.over(t0 + 7));
  CHECK(schedule.next(t0 + 8).count == 2);
  CHECK(schedule.over(t0 + 8));
  CHECK(schedule.next(t0 + 9).count == 0);
}

TEST_CASE("Schedule: a closed loop ends with its time") {
  const Plan plan = plan_of(0, 0, ns_per_s);
  Schedule schedule(plan, 0);
  schedule.start(t0);
  CHECK(schedule.next(t0 + ns_per_s - 1).count == 1);
  CHECK(schedule.next(t0 + ns_per_s).count == 0);
}

// Goal: latency runs from when a request was due, not from when it could be sent.
TEST_CASE("Schedule: an open loop does not wait for anybody") {
  const Plan plan = plan_of(1000, 0, ns_per_s, 100);
  Schedule schedule(plan, 0);
  schedule.start(t0);
  CHECK(schedule.next(t0).count == 1);
  CHECK(schedule.next(t0 + ns_per_ms - 1).count == 0);
  CHECK(schedule.next_due() == t0 + ns_per_ms);
  CHECK(schedule.backlog(t0 + 50 * ns_per_ms) == 50);
  const Batch late = schedule.next(t0 + 50 * ns_per_ms);
  CHECK(late.first == 1);
  CHECK(late.count == 50);
  CHECK(schedule.intended(late, 0) == t0 + ns_per_ms);
  CHECK(schedule.intended(late, 49) == t0 + 50 * ns_per_ms);
}

TEST_CASE("Schedule: what was due before the end is asked for a moment longer, then told") {
  const Plan plan = plan_of(1000, 0, ns_per_s, 100);
  Schedule schedule(plan, 0);
  schedule.start(t0);
  const TimeNs end = t0 + ns_per_s;
  CHECK_FALSE(schedule.over(end));
  CHECK(schedule.next(end + 1).count == 100);
  CHECK(schedule.over(end + Schedule::grace));
  CHECK(schedule.next(end + Schedule::grace).count == 0);
  CHECK(schedule.backlog(end + Schedule::grace) == 900);
}

TEST_CASE("Schedule: threads share the requests and the times") {
  Plan plan = plan_of(3000, 1000, 0);
  plan.threads = 3;
  std::set<TimeNs> times;
  std::uint64_t asked = 0;
  for (std::uint32_t index = 0; index != 3; ++index) {
    Schedule schedule(plan, index);
    schedule.start(t0);
    for (Batch batch = schedule.next(t0 + ns_per_s); batch.count != 0; batch = schedule.next(t0 + ns_per_s)) {
      times.insert(schedule.intended(batch, 0));
      ++asked;
    }
    CHECK(schedule.over(t0 + ns_per_s));
  }
  CHECK(asked == 1000);
  CHECK(times.size() == 1000);
  CHECK(*times.rbegin() == t0 + 999 * ns_per_s / 3000);
}

TEST_CASE("Schedule: a day at a billion a second does not overflow") {
  const Plan plan = plan_of(1'000'000'000, 0, 86'400 * ns_per_s);
  Schedule schedule(plan, 0);
  schedule.start(t0);
  CHECK(schedule.backlog(t0 + 86'399 * ns_per_s) == 86'399 * ns_per_s + 1);
}
