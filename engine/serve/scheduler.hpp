// scheduler.hpp: resumes a core's coroutines, once a turn, from a queue.
//
//   sleep_start, suspend -> operation ends: fire(), wake() -> [queue] -> run_ready() -> resume
//                        -> client leaves:  cancel()       -^
//
// Owner       one per Core, used by its thread alone: no locks, no atomics.
// Invariants  (1) nothing is resumed from a completion or a timer: only run_ready() resumes.
//             (2) a waiter is either known to its scope (operation under way) or queued, never both.
//             (3) while a coroutine runs, current_scope() is the scope of its request.
// When full   the queue is intrusive: a place in it belongs to the waiter, so it cannot be full.
#pragma once

#include <millrace/detail/scope.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/base/clock.hpp"
#include "engine/io/backend.hpp"
#include "engine/net/timer_wheel.hpp"
#include "engine/proto/tasks.hpp"
#include "engine/serve/frame_pool.hpp"

namespace millrace {
class Server;
}

namespace millrace::serve {

/// The deadline of a whole request. What expire() does must not resume a coroutine.
struct RequestTimer : net::Timer {
  explicit RequestTimer(void (*what)(RequestTimer&) noexcept) noexcept
      : net::Timer(net::TimerKind::request), expire(what) {}
  void (*expire)(RequestTimer& self) noexcept;
};

class Scheduler final : public proto::Tasks {
 public:
  /// Reads the time that the wheel's deadlines are of. Asked for each sleep, because
  /// the time of the turn may be long past when a slow handler comes to it.
  using ReadClock = TimeNs (*)(void* context) noexcept;

  Scheduler(net::TimerWheel& wheel, ReadClock read_clock, void* clock_context) noexcept
      : wheel_(wheel), read_clock_(read_clock), clock_context_(clock_context) {}
  Scheduler(net::TimerWheel& wheel, io::IoBackend& backend) noexcept;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  /// Every coroutine must have ended: cancel() each scope and run_ready() until has_ready() is false.
  ~Scheduler();

  /// The scheduler of the core whose thread this is; null on any other thread.
  static Scheduler* current() noexcept;

  /// Makes a scheduler the thread's current one for as long as this lives.
  class Current {
   public:
    explicit Current(Scheduler& scheduler) noexcept;
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;
    ~Current();

   private:
    Scheduler* previous_;
  };

  /// Runs fn(), which starts a coroutine, with `scope` as the current one.
  template <class Fn>
  void enter(detail::Scope& scope, Fn&& fn) {
    detail::Scope* outer = std::exchange(scope_, &scope);
    std::forward<Fn>(fn)();
    scope_ = outer;
  }

  /// Resumes, in order of queueing, the coroutines that were ready when it was called. Those that get
  /// ready meanwhile wait for the next call, so that input and output have their turn in between:
  /// while has_ready(), the core only polls for completions. Returns how many were resumed.
  std::size_t run_ready() noexcept;
  bool has_ready() const noexcept { return first_ != nullptr; }

  /// The awaiter `waiter` of the running coroutine waits from now on; waiter.cancel says how to stop.
  void suspend(detail::Waiter& waiter, std::coroutine_handle<> handle) noexcept;
  /// The operation of a suspended waiter has ended: queues it.
  void wake(detail::Waiter& waiter) noexcept override;
  void start_timer(RequestTimer& timer, TimeNs duration_ns) noexcept;
  void stop_timer(RequestTimer& timer) noexcept { wheel_.stop(timer); }
  /// A timer of TimerKind::sleep or request has expired, and is no longer in the wheel.
  void fire(net::Timer& timer) noexcept;

  /// The client has left, or the server stops: every co_await of the scope from now on ends with
  /// Cancelled. One that waits is stopped and queued. May be called more than once.
  void cancel(detail::Scope& scope) noexcept override;

  /// Of the same core; null in a test without.
  class WebSockets* websockets = nullptr;
  const Server* server = nullptr;  ///< Null for a core that a test made.

  TimeNs now() const noexcept { return read_clock_(clock_context_); }
  detail::Scope* scope() const noexcept { return scope_; }
  FramePool& frames() noexcept { return frames_; }

 private:
  friend void detail::sleep_start(detail::SleepWaiter&, std::coroutine_handle<>, std::uint64_t) noexcept;
  void start_sleep(detail::SleepWaiter& waiter, std::coroutine_handle<> handle,
                   std::uint64_t duration_ns) noexcept;
  void enqueue(detail::Waiter& waiter) noexcept;
  TimeNs after(TimeNs duration_ns) const noexcept;

  net::TimerWheel& wheel_;
  ReadClock read_clock_;
  void* clock_context_;
  detail::Scope* scope_ = nullptr;
  detail::Waiter* first_ = nullptr;
  detail::Waiter* last_ = nullptr;  // Undefined while first_ is null.
  FramePool frames_;
};

}  // namespace millrace::serve
