#include "engine/net/timer_wheel.hpp"

#include <bit>

#include "engine/base/assert.hpp"

namespace millrace::net {

// Rounded up: a tick fires at its beginning, and a timer must not fire early.
std::uint64_t TimerWheel::tick_of(TimeNs deadline) noexcept {
  return deadline / tick_ns + (deadline % tick_ns != 0);
}

TimerWheel::Place TimerWheel::place_of(std::uint64_t tick) const noexcept {
  MR_ASSERT(tick > tick_);
  const unsigned highest_bit = static_cast<unsigned>(std::bit_width(tick ^ tick_)) - 1;
  const unsigned level = highest_bit / digit_bits;
  MR_ASSERT(level < levels);
  return {.level = level, .slot = static_cast<unsigned>(tick >> level * digit_bits) % slots};
}

void TimerWheel::put(Timer& timer, Slot& overdue) noexcept {
  const std::uint64_t tick = tick_of(timer.deadline);
  if (tick <= tick_) return overdue.push_back(timer);
  const Place place = place_of(tick);
  wheel_[place.level][place.slot].push_back(timer);
  occupied_[place.level] |= std::uint64_t{1} << place.slot;
}

void TimerWheel::start(Timer& timer, TimeNs deadline) noexcept {
  MR_ASSERT(!timer.started());
  timer.deadline = deadline;
  put(timer, overdue_);
  ++count_;
}

void TimerWheel::stop(Timer& timer) noexcept {
  if (!timer.started()) return;
  timer.unlink();
  --count_;
  const std::uint64_t tick = tick_of(timer.deadline);
  if (tick <= tick_) return;  // It was overdue, or waited in expire() for its turn.
  const Place place = place_of(tick);
  if (wheel_[place.level][place.slot].empty()) occupied_[place.level] &= ~(std::uint64_t{1} << place.slot);
}

// The first slot that is occupied, and the first tick of its range.
bool TimerWheel::earliest(Place& place, std::uint64_t& tick) const noexcept {
  for (unsigned level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    const unsigned slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
    const unsigned shift = level * digit_bits;
    place = {.level = level, .slot = slot};
    tick = (tick_ >> (shift + digit_bits) << digit_bits | slot) << shift;
    MR_ASSERT(tick > tick_);
    return true;
  }
  return false;
}

TimeNs TimerWheel::next_deadline() const noexcept {
  if (!overdue_.empty()) return 0;
  Place place;
  std::uint64_t tick;
  if (!earliest(place, tick)) return time_never;
  return tick > time_never / tick_ns ? time_never : tick * tick_ns;
}

void TimerWheel::collect(TimeNs now, Slot& due) noexcept {
  const std::uint64_t until = now / tick_ns;
  due.splice_back(overdue_);
  Place place;
  std::uint64_t tick;
  while (earliest(place, tick) && tick <= until) {
    Slot moved;
    moved.splice_back(wheel_[place.level][place.slot]);
    occupied_[place.level] &= ~(std::uint64_t{1} << place.slot);
    tick_ = tick;
    while (!moved.empty()) put(moved.pop_front(), due);  // On level 0 all of them are due.
  }
  if (until > tick_) tick_ = until;
}

}  // namespace millrace::net
