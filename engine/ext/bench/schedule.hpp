// schedule.hpp: which requests are asked when, and from when their latency runs. Pure: the caller tells
// the time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/base/assert.hpp"
#include "engine/base/clock.hpp"
#include "engine/ext/bench/plan.hpp"

namespace millrace::bench {

/// Some requests that follow each other, for one connection.
struct Batch {
  std::uint64_t first = 0;  ///< Number of its first request, in the order of the schedule.
  std::uint32_t count = 0;
  TimeNs began = 0;  ///< Closed loop: from when their latency runs.
};

__extension__ using Wide = unsigned __int128;  ///< Holds a time in ns multiplied by a rate.

class Schedule {
 public:
  static constexpr TimeNs grace = 100 * ns_per_ms;

  /// The share of thread `index` of plan.threads: every threads-th request of the open loop, and as even
  /// a part of the count as there is.
  Schedule(const Plan& plan, std::uint32_t index) noexcept
      : pipeline_(plan.pipeline),
        threads_(plan.threads),
        index_(index),
        rate_(plan.rate),
        duration_(plan.duration),
        count_(plan.count == 0 ? ~std::uint64_t{0}
                               : plan.count / threads_ + (index < plan.count % threads_)) {}

  void start(TimeNs now) noexcept {
    began_ = now;
    ends_ = duration_ == 0 ? time_never : now + duration_;
  }

  bool open_loop() const noexcept { return rate_ != 0; }
  TimeNs began() const noexcept { return began_; }
  /// No request will be asked from now on. Those of an open loop that were due before the end may be asked
  /// for `grace` longer, because a thread that was woken late has no backlog.
  bool over(TimeNs now) const noexcept {
    if (asked_ == count_) return true;
    if (now < ends_) return false;
    return !open_loop() || now - ends_ >= grace || backlog(now) == 0;
  }

  /// The next requests for one connection; none where none is due.
  Batch next(TimeNs now) noexcept {
    if (over(now)) return {};
    const std::uint64_t ready = open_loop() ? backlog(now) : count_ - asked_;
    const Batch batch{asked_, static_cast<std::uint32_t>(std::min<std::uint64_t>(ready, pipeline_)), now};
    asked_ += batch.count;
    return batch;
  }

  /// From when the latency of request `i` of a batch runs.
  TimeNs intended(const Batch& batch, std::uint32_t i) const noexcept {
    return open_loop() ? time_of(batch.first + i) : batch.began;
  }
  /// Open loop: when the next request that was not asked yet is due.
  TimeNs next_due() const noexcept { return time_of(asked_); }
  /// Open loop: requests that are due and not asked; behind the end, those due before it.
  std::uint64_t backlog(TimeNs now) const noexcept { return due(std::min(now, ends_ - 1)) - asked_; }

 private:
  /// t0 + k / rate, k counted over all threads; without an overflow for 500 years of k / rate.
  TimeNs time_of(std::uint64_t number) const noexcept {
    const auto k = static_cast<Wide>(number) * threads_ + index_;
    return began_ + static_cast<TimeNs>(k * ns_per_s / rate_);
  }
  /// How many requests are due at a time, at least those asked, at most the count.
  std::uint64_t due(TimeNs now) const noexcept {
    if (now < began_) return asked_;
    // The last k with k / rate <= now - t0, then of those the ones that are this thread's.
    const auto k = static_cast<Wide>(now - began_) * rate_ / ns_per_s;
    const auto all = static_cast<std::uint64_t>(k) + 1;
    const std::uint64_t own = all > index_ ? (all - index_ + threads_ - 1) / threads_ : 0;
    return std::clamp(own, asked_, std::max(asked_, count_));
  }

  std::uint32_t pipeline_;
  std::uint32_t threads_;
  std::uint32_t index_;
  std::uint64_t rate_;
  TimeNs duration_;
  std::uint64_t count_;
  std::uint64_t asked_ = 0;
  TimeNs began_ = 0;
  TimeNs ends_ = time_never;
};

}  // namespace millrace::bench
