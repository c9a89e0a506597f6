// scope.hpp: where a request's coroutine waits, so that it can be cancelled when the client leaves.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace mr::detail {

struct Scope;

/// Something a coroutine waits for. Lives in the coroutine's frame, in an awaiter.
struct Waiter {
  std::coroutine_handle<> handle;
  Scope* scope = nullptr;
  Waiter* next_ready = nullptr;  ///< The scheduler's queue.
  void (*cancel)(Waiter& self) noexcept =
      nullptr;  ///< Stops the operation; the scheduler resumes the handle.
};

/// One request's chain of coroutines. At most one waiter at a time, because a chain is sequential.
struct Scope {
  Waiter* waiter = nullptr;
  bool cancelled = false;  ///< The client left: the next co_await ends with mr::Cancelled.
};

/// The scope whose coroutine runs now on this thread; null outside of one.
Scope* current_scope() noexcept;

/// Memory for a coroutine frame, from the core's own free lists. Never null: aborts when memory is out.
void* frame_allocate(std::size_t size_bytes) noexcept;
void frame_release(void* frame, std::size_t size_bytes) noexcept;

/// A sleep: Waiter first, then the engine's timer.
struct SleepWaiter : Waiter {
  alignas(std::uint64_t) unsigned char timer[64];
};
/// Suspends `handle` for `duration_ns` (>= 0). The scheduler resumes it, from its queue.
void sleep_start(SleepWaiter& waiter, std::coroutine_handle<> handle, std::uint64_t duration_ns) noexcept;

}  // namespace mr::detail
