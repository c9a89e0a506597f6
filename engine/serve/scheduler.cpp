#include "engine/serve/scheduler.hpp"

#include <new>

#include "engine/base/assert.hpp"
#include "engine/mem/allocate.hpp"

namespace millrace::serve {
namespace {

constinit thread_local Scheduler* current_scheduler = nullptr;

/// What detail::SleepWaiter::timer has room for.
struct SleepTimer : net::Timer {
  explicit SleepTimer(detail::SleepWaiter& sleeper) noexcept
      : net::Timer(net::TimerKind::sleep), waiter(&sleeper) {}
  detail::SleepWaiter* waiter;
};
static_assert(sizeof(SleepTimer) <= sizeof(detail::SleepWaiter::timer));
static_assert(alignof(SleepTimer) <= alignof(std::uint64_t));

SleepTimer& timer_of(detail::SleepWaiter& waiter) noexcept {
  return *std::launder(reinterpret_cast<SleepTimer*>(waiter.timer));
}

}  // namespace

Scheduler::Scheduler(net::TimerWheel& wheel, io::IoBackend& backend) noexcept
    : Scheduler(
          wheel, [](void* context) noexcept { return static_cast<io::IoBackend*>(context)->now(); },
          &backend) {}

Scheduler::~Scheduler() {
  MR_ASSERT(first_ == nullptr);
  MR_ASSERT(scope_ == nullptr);
}

Scheduler* Scheduler::current() noexcept { return current_scheduler; }

Scheduler::Current::Current(Scheduler& scheduler) noexcept
    : previous_(std::exchange(current_scheduler, &scheduler)) {}
Scheduler::Current::~Current() { current_scheduler = previous_; }

std::size_t Scheduler::run_ready() noexcept {
  MR_ASSERT(current_scheduler == this);
  MR_ASSERT(scope_ == nullptr);  // A handler that ran the queue would nest coroutines without bound.
  detail::Waiter* waiter = std::exchange(first_, nullptr);
  std::size_t count = 0;
  while (waiter != nullptr) {
    detail::Waiter* next = std::exchange(waiter->next_ready, nullptr);
    scope_ = waiter->scope;
    waiter->handle.resume();  // The waiter is gone after this, perhaps the scope too.
    waiter = next;
    ++count;
  }
  scope_ = nullptr;
  return count;
}

void Scheduler::suspend(detail::Waiter& waiter, std::coroutine_handle<> handle) noexcept {
  MR_ASSERT(scope_ != nullptr);  // Only a handler's coroutine may wait.
  MR_ASSERT(scope_->waiter == nullptr);
  MR_ASSERT(waiter.cancel != nullptr);
  waiter.handle = handle;
  waiter.scope = scope_;
  scope_->waiter = &waiter;
}

void Scheduler::wake(detail::Waiter& waiter) noexcept {
  MR_ASSERT(waiter.scope->waiter == &waiter);
  waiter.scope->waiter = nullptr;
  enqueue(waiter);
}

void Scheduler::fire(net::Timer& timer) noexcept {
  MR_ASSERT(!timer.started());
  if (timer.kind == net::TimerKind::request) {
    auto& request = static_cast<RequestTimer&>(timer);
    return request.expire(request);
  }
  MR_ASSERT(timer.kind == net::TimerKind::sleep);
  wake(*static_cast<SleepTimer&>(timer).waiter);
}

void Scheduler::cancel(detail::Scope& scope) noexcept {
  MR_ASSERT(current_scheduler == this);
  scope.cancelled = true;
  detail::Waiter* waiter = scope.waiter;
  if (waiter == nullptr) return;  // Runs now, or is queued: its next look at the scope ends it.
  waiter->cancel(*waiter);
  wake(*waiter);
}

void Scheduler::start_sleep(detail::SleepWaiter& waiter, std::coroutine_handle<> handle,
                            std::uint64_t duration_ns) noexcept {
  waiter.cancel = [](detail::Waiter& self) noexcept {
    current_scheduler->wheel_.stop(timer_of(static_cast<detail::SleepWaiter&>(self)));
  };
  suspend(waiter, handle);
  if (duration_ns == 0) return wake(waiter);
  SleepTimer* timer = new (waiter.timer) SleepTimer(waiter);
  wheel_.start(*timer, after(duration_ns));
}

void Scheduler::start_timer(RequestTimer& timer, TimeNs duration_ns) noexcept {
  wheel_.start(timer, after(duration_ns));
}

// Saturates.
TimeNs Scheduler::after(TimeNs duration_ns) const noexcept {
  const TimeNs start = now();
  return duration_ns < time_never - start ? start + duration_ns : time_never - 1;
}

void Scheduler::enqueue(detail::Waiter& waiter) noexcept {
  waiter.next_ready = nullptr;
  (first_ == nullptr ? first_ : last_->next_ready) = &waiter;
  last_ = &waiter;
}

}  // namespace millrace::serve

namespace millrace::detail {

Scope* current_scope() noexcept {
  const serve::Scheduler* scheduler = serve::current_scheduler;
  return scheduler != nullptr ? scheduler->scope() : nullptr;
}

void* frame_allocate(std::size_t size_bytes) noexcept {
  serve::Scheduler* scheduler = serve::current_scheduler;
  if (scheduler == nullptr) [[unlikely]]
    return serve::FramePool::allocate(size_bytes);
  return scheduler->frames().take(size_bytes);
}

void frame_release(void* frame, std::size_t size_bytes) noexcept {
  serve::Scheduler* scheduler = serve::current_scheduler;
  if (scheduler == nullptr) [[unlikely]]
    return mem::release(frame);
  scheduler->frames().give(frame, size_bytes);
}

void sleep_start(SleepWaiter& waiter, std::coroutine_handle<> handle, std::uint64_t duration_ns) noexcept {
  MR_ASSERT(serve::current_scheduler != nullptr);  // Sleeping is for coroutines of a core.
  serve::current_scheduler->start_sleep(waiter, handle, duration_ns);
}

}  // namespace millrace::detail
