// timer_wheel.hpp: a core's deadlines, without a system call or submission each.
//
//   start/stop O(1) -> [TimerWheel] -> next_deadline() bounds IoBackend::wait(), expire() fires
//
// Owner       one per Core. A timer belongs to whoever embeds it and must outlive its stay here.
// Precision   a timer never fires early, and at most tick_ns late (beyond the lateness of the turn).
// Invariants  a timer's place follows from its tick and the wheel's: the level is the highest digit
//             (of 6 bits) in which the two differ, the slot is the timer's digit there. So within a
//             level every occupied slot is ahead of the wheel's own digit, and everything on a lower
//             level comes before everything on a higher one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/base/clock.hpp"
#include "engine/base/list.hpp"

namespace millrace::net {

struct TimerTag;

/// What a timer belongs to, so that the one who fires it knows how to cast.
enum class TimerKind : std::uint8_t { connection, sleep, request, accept_retry, core };

/// Embed or derive. Plain; not copyable while started.
struct Timer : ListLink<TimerTag> {
  explicit Timer(TimerKind timer_kind) noexcept : kind(timer_kind) {}
  TimeNs deadline = time_never;  ///< Set by start(), and not to be changed while started.
  TimerKind kind;
  bool started() const noexcept { return linked(); }
};

class TimerWheel {
 public:
  static constexpr TimeNs tick_ns = ns_per_ms;

  explicit TimerWheel(TimeNs now) noexcept : tick_(now / tick_ns) {}

  /// Fires at `deadline` or the tick after it; a deadline that is past fires at the next expire().
  /// The timer must not be started. O(1).
  void start(Timer& timer, TimeNs deadline) noexcept;
  /// O(1). A timer that is not started is left alone.
  void stop(Timer& timer) noexcept;

  /// When to call expire() next: never later than the tick at which the earliest timer fires, and
  /// exactly that where it lies in the wheel's own 64 ticks; else perhaps the beginning of a range
  /// that holds it. 0 where a deadline is past already; time_never when empty. O(levels).
  TimeNs next_deadline() const noexcept;

  /// Takes out every timer due at `now` and calls fire(Timer&) for each, in the order of their
  /// ticks; fire may start and stop timers, that one included. What it starts fires at a later
  /// expire(). Time never goes back.
  template <class Fire>
  void expire(TimeNs now, Fire&& fire) {
    Slot due;
    collect(now, due);
    while (!due.empty()) {
      --count_;
      fire(due.pop_front());
    }
  }

  std::size_t count() const noexcept { return count_; }

 private:
  static constexpr unsigned digit_bits = 6;
  static constexpr unsigned slots = 1u << digit_bits;
  static constexpr unsigned levels = 8;  // 48 bits of milliseconds: more than TimeNs can tell.
  using Slot = List<Timer, TimerTag>;
  struct Place {
    unsigned level;
    unsigned slot;
  };

  static std::uint64_t tick_of(TimeNs deadline) noexcept;
  Place place_of(std::uint64_t tick) const noexcept;
  bool earliest(Place& place, std::uint64_t& tick) const noexcept;
  void put(Timer& timer, Slot& overdue) noexcept;
  void collect(TimeNs now, Slot& due) noexcept;

  std::array<std::array<Slot, slots>, levels> wheel_;
  std::array<std::uint64_t, levels> occupied_{};  ///< A bit a slot.
  Slot overdue_;                                  ///< Started with a deadline that was past.
  std::uint64_t tick_;                            ///< Everything up to and including this tick has fired.
  std::size_t count_ = 0;
};

}  // namespace millrace::net
