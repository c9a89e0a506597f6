// timer_wheel.hpp: a core's deadlines, without a system call or submission each.
//
//   start/stop O(1) -> [TimerWheel] -> next_deadline() bounds IoBackend::wait(), expire() fires
//
// Owner       one per Core. A timer belongs to whoever embeds it and must outlive its stay here.
// Precision   a timer never fires early, and at most tick_ns late (beyond the lateness of the turn).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/clock.hpp"
#include "engine/base/list.hpp"

namespace mr::net {

struct TimerTag;

/// What a timer belongs to, so that the one who fires it knows how to cast.
enum class TimerKind : std::uint8_t { connection, sleep, accept_retry, core };

/// Embed or derive. Plain; not copyable while started.
struct Timer : ListLink<TimerTag> {
  explicit Timer(TimerKind timer_kind) noexcept : kind(timer_kind) {}
  TimeNs deadline = time_never;
  TimerKind kind;
  bool started() const noexcept { return linked(); }
};

class TimerWheel {
 public:
  static constexpr TimeNs tick_ns = ns_per_ms;

  explicit TimerWheel(TimeNs now) noexcept;

  /// Fires at `deadline` or the tick after it; a deadline that is past fires at the next expire().
  /// The timer must not be started. O(1).
  void start(Timer& timer, TimeNs deadline) noexcept;
  /// O(1). A timer that is not started is left alone.
  void stop(Timer& timer) noexcept;

  /// A time at or before the earliest deadline (exact for near ones, the next cascade for far
  /// ones); time_never when empty. O(levels).
  TimeNs next_deadline() const noexcept;

  /// Takes out every timer due at `now` and calls fire(Timer&) for each; fire may start and stop
  /// timers, that one included. Time never goes back.
  template <class Fire>
  void expire(TimeNs now, Fire&& fire) {
    List<Timer, TimerTag> due;
    collect(now, due);
    while (!due.empty()) fire(due.pop_front());
  }

  std::size_t count() const noexcept { return count_; }

 private:
  static constexpr unsigned levels = 5;  // 64^5 ticks of 1 ms: 12 days; further is put at the end.
  static constexpr unsigned slots = 64;
  using Slot = List<Timer, TimerTag>;

  void collect(TimeNs now, List<Timer, TimerTag>& due) noexcept;
  void place(Timer& timer) noexcept;

  std::array<std::array<Slot, slots>, levels> wheel_;
  std::array<std::uint64_t, levels> occupied_{};  ///< A bit a slot.
  std::uint64_t tick_ = 0;
  std::size_t count_ = 0;
};

}  // namespace mr::net
